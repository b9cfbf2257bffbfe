"""The log of requests: a line for each operation at its end."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from time import localtime, perf_counter, strftime, time
from typing import Final, Literal

import msgspec

from gateway.instrumentation import (
    QUERY,
    CacheResult,
    Instrumentation,
    OperationRecord,
    ReadyAnswer,
)
from gateway.logs import request_in_progress
from gateway.trace_context import trace_id_in_progress

LOGGER: Final = "gateway.requests"


class RequestLine(msgspec.Struct, gc=False):
    """One line in JSON: the keys of all lines, then those of an operation.

    They are documented in docs/telemetry.md, and only added to.
    """

    time: str
    level: str
    logger: str
    message: str
    request: str | None
    trace: str | None
    status: int
    duration_ms: float
    operation_type: str | None
    operation_name: str | None
    cache: CacheResult | None
    upstream_requests: int
    errors: Sequence[str]


_encode = msgspec.json.Encoder().encode


class RequestLog(Instrumentation):
    """Writes a line for each operation to standard error, in the format of the other lines.

    Neither the level of the log nor `logging` has a part in it: one encoding and one write cost a
    third of a record that a logger formats.
    """

    def __init__(self, log_format: Literal["text", "json"]) -> None:
        self._format = _json if log_format == "json" else _text

    @contextmanager
    def operation(self, record: OperationRecord) -> Iterator[None]:
        """Writes the line of an operation after its answer is sent."""
        began_at = perf_counter()
        try:
            yield
        finally:
            if record.is_operation:
                self._write(
                    record.status,
                    began_at,
                    record.operation_type,
                    record.operation.name,
                    record.cache_result,
                    record.upstream_requests,
                    record.error_codes,
                )

    def answered_at_once(self, answer: ReadyAnswer, method: str, began_at: float) -> None:
        """Writes the line of a query that was answered without a wait."""
        result = CacheResult.STALE if answer.is_stale else CacheResult.HIT
        self._write(answer.status_code, began_at, QUERY, answer.operation.name, result)

    def _write(
        self,
        status: int,
        began_at: float,
        operation_type: str,
        name: str,
        result: CacheResult | None,
        upstream_requests: int = 0,
        errors: Sequence[str] = (),
    ) -> None:
        line = RequestLine(
            "",
            "info",
            LOGGER,
            "request",
            request_in_progress.get(),
            trace_id_in_progress(),
            status,
            round((perf_counter() - began_at) * 1000, 3),
            operation_type or None,
            name or None,
            result,
            upstream_requests,
            errors,
        )
        with suppress(OSError, ValueError):  # no answer fails because its line cannot be written
            sys.stderr.write(self._format(line))
            sys.stderr.flush()


def _json(line: RequestLine) -> str:
    line.time = datetime.now(UTC).isoformat(timespec="milliseconds")
    return _encode(line).decode() + "\n"


def _text(line: RequestLine) -> str:
    """Returns the line in the form of `logs.TEXT_FORMAT`."""
    now = time()
    what = " ".join(filter(None, (line.operation_type or "request", line.operation_name)))
    details = [
        f"{line.status} in {line.duration_ms:g} ms",
        "no cached value" if line.cache is None else line.cache.value,
        f"upstream requests: {line.upstream_requests}",
        *dict.fromkeys(line.errors),
    ]
    at = f"{strftime('%Y-%m-%d %H:%M:%S', localtime(now))},{int(now % 1 * 1000):03d}"
    return f"{at} INFO    {LOGGER} [{line.request}]: {what}: {', '.join(details)}\n"
