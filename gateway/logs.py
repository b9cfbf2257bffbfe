"""The log: one line for each event, as text or as JSON."""

import asyncio
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal, TypeAlias

import msgspec

from gateway.trace_context import trace_id_in_progress

TEXT_FORMAT = "%(asctime)s %(levelname)-7s %(name)s%(request)s: %(message)s"
# Below warnings they log too much: httpx and httpcore URLs, aiocache values, uvicorn each step.
NOISY_LOGGERS = ("aiocache", "httpcore", "httpx", "uvicorn")
# uvicorn's error at a clean stop with GATEWAY_SHUTDOWN_GRACE_SECONDS=0.
NOTHING_CANCELLED = "Cancel 0 running task(s), timeout graceful shutdown exceeded"

# Control characters, and what some programs take for the end of a line: text of a client that an
# exception repeats must neither begin a line of its own nor command a terminal (CWE-117).
CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]")

# The id of the request that a log line belongs to. Work that several requests share, such as a
# cache fill, has the id of the request that began it.
request_in_progress: ContextVar[str | None] = ContextVar("request_in_progress", default=None)


_ExceptionInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


class TextLines(logging.Formatter):
    """Formats a record as a line of text, with the id of its request in brackets, if any.

    The lines of a stack follow, indented.
    """

    def __init__(self) -> None:
        super().__init__(TEXT_FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Returns the line, without a stack."""
        request_id = request_in_progress.get()
        record.request = f" [{request_id}]" if request_id else ""
        return _escaped(super().formatMessage(record))

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802 - logging's name
        """Returns the lines of a stack, indented: a line of the log begins with a time."""
        lines = super().formatException(ei).split("\n")
        return "\n".join(f"  {_escaped(line)}" for line in lines)


class JsonLines(logging.Formatter):
    """Formats a record as a JSON object, with `request` and `trace` (ids) and `stack`, if any."""

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
        if trace_id := trace_id_in_progress():
            line["trace"] = trace_id
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)
        return _escaped(msgspec.json.encode(line).decode())


def configure_logging(level: str, log_format: Literal["text", "json"]) -> None:
    """Sends all log lines to standard error; of libraries, only warnings and errors."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    # The client itself logs each attempt that failed.
    logging.getLogger("stamina").setLevel(logging.ERROR)
    logging.getLogger("uvicorn.error").addFilter(_is_worth_a_line)


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Whether this is neither a cancelled request's traceback nor a stop that cancels nothing.

    The gateway logs cancelled requests itself.
    """
    is_cancelled = record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not is_cancelled and record.getMessage() != NOTHING_CANCELLED


def _escaped(text: str) -> str:
    return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
