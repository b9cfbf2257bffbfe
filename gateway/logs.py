"""How the gateway logs: one line an event, as text or as JSON."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Literal

import msgspec

TEXT_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object; a stack travels in `stack`."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def configure_logging(level: str, log_format: Literal["text", "json"]) -> None:
    """Sends all logs to standard error in this format.

    httpx and httpcore log the addresses that they ask, uvicorn each step of a start and a stop;
    below warnings they stay silent.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if log_format == "json" else logging.Formatter(TEXT_FORMAT))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in ("httpx", "httpcore", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_is_no_cut_off)


def _is_no_cut_off(record: logging.LogRecord) -> bool:
    """Drops uvicorn's stack of a request that its stop has cancelled: what happened is known."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))
