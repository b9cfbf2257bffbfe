"""The log of requests, line by line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import pytest

from gateway.errors import ErrorCode
from gateway.instrumentation import CacheResult, NamedOperation, OperationRecord
from gateway.logs import request_in_progress
from gateway.telemetry.request_log import RequestLog
from gateway.trace_context import trace_headers

TRACE = "0af7651916cd43dd8448eb211c80319c"


PAGE = NamedOperation("Page")


@dataclass(frozen=True)
class Ready:
    status_code: int = 304
    is_stale: bool = False
    operation: NamedOperation = PAGE


@pytest.fixture(autouse=True)
def in_a_request() -> Iterator[None]:
    request = request_in_progress.set("r-1")
    trace = trace_headers.set((f"00-{TRACE}-b7ad6b7169203331-00".encode(), b""))
    yield
    trace_headers.reset(trace)
    request_in_progress.reset(request)


def test_json_line_of_an_answer_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    RequestLog("json").answered_at_once(Ready(), "GET", 0.0)
    line = msgspec.json.decode(capsys.readouterr().err)
    assert list(line) == [
        *("time", "level", "logger", "message", "request", "trace", "status", "duration_ms"),
        *("operation_type", "operation_name", "cache", "upstream_requests", "errors"),
    ]
    del line["time"], line["duration_ms"]
    assert line == {
        "level": "info",
        "logger": "gateway.requests",
        "message": "request",
        "request": "r-1",
        "trace": TRACE,
        "status": 304,
        "operation_type": "query",
        "operation_name": "Page",
        "cache": "hit",
        "upstream_requests": 0,
        "errors": [],
    }


def test_text_line_reads_as_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with RequestLog("text").operation(record := OperationRecord("POST")):
        record.status, record.operation_type = 200, "mutation"
        record.operation = NamedOperation("Rename")
        record.upstream_requests = 2
        record.cache_result = CacheResult.MISS
        record.error_codes = [ErrorCode.RATE_LIMITED, ErrorCode.RATE_LIMITED]
    written = re.sub(r"[\d.e-]+ ms", "7 ms", capsys.readouterr().err)
    assert re.fullmatch(
        r"[\d-]{10} [\d:]{8},\d{3} INFO    gateway\.requests \[r-1\]: mutation Rename: "
        r"200 in 7 ms, miss, upstream requests: 2, RATE_LIMITED\n",
        written,
    )


def test_request_that_is_no_operation_has_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    with RequestLog("text").operation(record := OperationRecord("GET")):
        record.is_operation = False
    assert capsys.readouterr().err == ""


def test_log_that_cannot_be_written_fails_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write(self, _: str) -> None:
            raise OSError("no space left")

    monkeypatch.setattr("sys.stderr", Full())
    RequestLog("json").answered_at_once(Ready(), "GET", 0.0)
