"""What is counted of each operation."""

import asyncio
from dataclasses import dataclass
from time import perf_counter

import pytest
from samples import Samples, samples_of

from gateway.errors import ErrorCode
from gateway.instrumentation import UNNAMED, NamedOperation, OperationRecord
from gateway.telemetry.counting import Counting
from gateway.telemetry.metrics import Metrics

DURATION = "graphql_server_request_duration_seconds"
ERRORS = "graphql_server_response_errors_total"
ACTIVE = "graphql_server_active_requests"


@dataclass(frozen=True)
class Ready:
    is_stale: bool = False
    operation: NamedOperation = UNNAMED
    status_code: int = 200


class Counted:
    """What has been counted."""

    def __init__(self) -> None:
        self._metrics = Metrics()
        self.counting = Counting(self._metrics)

    def samples(self, name: str) -> Samples:
        self._metrics.answers_at_once.move()
        return samples_of(self._metrics.exposition("text/plain")[0].decode(), name)


def test_operation_is_counted_with_its_errors_once_it_has_ended() -> None:
    counted = Counted()
    record = OperationRecord("POST")
    with counted.counting.operation(record):
        assert counted.samples(ACTIVE) == {(): 1}
        record.operation_type, record.operation = "mutation", NamedOperation("Save", True)
        record.error_codes = [ErrorCode.FORBIDDEN, ErrorCode.FORBIDDEN, ErrorCode.BAD_CURSOR]
        assert counted.samples(f"{DURATION}_count") == {}
    assert counted.samples(ACTIVE) == {}
    assert counted.samples(f"{DURATION}_count") == {("Save", "mutation"): 1}
    assert counted.samples(ERRORS) == {("FORBIDDEN",): 2, ("BAD_CURSOR",): 1}


def test_what_is_no_operation_is_only_active() -> None:
    counted = Counted()
    record = OperationRecord("GET", is_operation=False)
    with counted.counting.operation(record):
        assert counted.samples(ACTIVE) == {(): 1}
    assert counted.samples(ACTIVE) == counted.samples(f"{DURATION}_count") == {}


def test_operation_that_is_cancelled_is_active_no_more() -> None:
    counted = Counted()
    with (
        pytest.raises(asyncio.CancelledError),
        counted.counting.operation(OperationRecord("POST")),
    ):
        raise asyncio.CancelledError
    assert counted.samples(f"{DURATION}_count") == {("", "unknown"): 1}
    assert counted.samples(ERRORS) == counted.samples(ACTIVE) == {}


def test_name_that_no_document_of_the_operator_has_is_no_label() -> None:
    counted = Counted()
    invented = NamedOperation("Invented")
    counted.counting.answered_at_once(Ready(operation=invented), "POST", perf_counter())
    with counted.counting.operation(OperationRecord("POST", operation=invented)):
        pass
    assert counted.samples(f"{DURATION}_count") == {("", "query"): 1, ("", "unknown"): 1}


def test_answer_at_once_is_counted_with_the_time_since_it_began() -> None:
    counted = Counted()
    named = NamedOperation("Page", is_trusted=True)
    counted.counting.answered_at_once(Ready(), "POST", perf_counter() - 3)
    counted.counting.answered_at_once(Ready(operation=named), "POST", perf_counter())
    assert counted.samples(f"{DURATION}_count") == {("", "query"): 1, ("Page", "query"): 1}
    sums = counted.samples(f"{DURATION}_sum")
    assert 3 <= sums["", "query"] < 4
    assert sums["Page", "query"] < 1
    buckets = counted.samples(f"{DURATION}_bucket")
    assert ("", "query", "2.5") not in buckets
    assert buckets["", "query", "5.0"] == 1


def test_sizes_of_batches_are_counted() -> None:
    counted = Counted()
    for size in (1, 100):
        with counted.counting.batch("segments", size, []):
            pass
    assert counted.samples("gateway_lookup_batch_size_count") == {(): 2}
    assert counted.samples("gateway_lookup_batch_size_sum") == {(): 101}
    buckets = counted.samples("gateway_lookup_batch_size_bucket")
    assert (buckets[("50.0",)], buckets[("100.0",)]) == (1, 2)
