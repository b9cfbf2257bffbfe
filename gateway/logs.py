"""How the gateway logs: one line an event, as text or as JSON."""

import asyncio
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

import msgspec

TEXT_FORMAT = "%(asctime)s %(levelname)-7s %(name)s%(request)s: %(message)s"
# Libraries that tell too much: httpx and httpcore the addresses that they ask, aiocache values,
# uvicorn each step of a start and a stop.
TALKATIVE = ("aiocache", "httpcore", "httpx", "uvicorn")

# The id of the request that a line belongs to. Work that several requests share, such as filling
# the cache, bears the id of the one that began it.
request_in_progress: ContextVar[str | None] = ContextVar("request_in_progress", default=None)


class TextLines(logging.Formatter):
    """Formats a record as a line; the id of its request stands in brackets, where there is one."""

    def __init__(self) -> None:
        super().__init__(TEXT_FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Returns the line, without a stack."""
        request_id = request_in_progress.get()
        record.request = f" [{request_id}]" if request_id else ""
        return super().formatMessage(record)


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object; its request's id is `request`, a stack `stack`."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        request_id = request_in_progress.get()
        if request_id:
            line["request"] = request_id
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def configure_logging(level: str, log_format: Literal["text", "json"]) -> None:
    """Sends all logs to standard error in this format; of libraries warnings and worse alone."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    # The client tells of each try that failed.
    logging.getLogger("stamina").setLevel(logging.ERROR)
    logging.getLogger("uvicorn.error").addFilter(_is_no_cut_off)


def _is_no_cut_off(record: logging.LogRecord) -> bool:
    """Drops uvicorn's stack of a request that its stop has cancelled: what happened is known."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))
