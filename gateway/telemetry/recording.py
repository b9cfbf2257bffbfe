"""Takes what the parts of a gateway report, and counts it."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from gateway.errors import ErrorCode
from gateway.instrumentation import (
    Instrumentation,
    OperationRecord,
    ReadyAnswer,
    UpstreamRecord,
)
from gateway.telemetry.metrics import Metrics

# The label of a request without an operation type.
UNKNOWN_TYPE = "unknown"


class Recording(Instrumentation):
    """Counts in `metrics`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._count_at_once = metrics.answers_at_once.count

    @contextmanager
    def operation(self) -> Iterator[OperationRecord]:
        """Counts an operation, its errors and its time."""
        metrics, record = self._metrics, OperationRecord()
        began_at = perf_counter()
        metrics.active_requests.inc()
        try:
            yield record
        except Exception:
            record.error_codes = [ErrorCode.INTERNAL_SERVER_ERROR]
            raise
        finally:
            metrics.active_requests.dec()
            if record.is_operation:
                seconds = metrics.answer_seconds.labels(
                    record.operation_type or UNKNOWN_TYPE, record.operation_name
                )
                seconds.observe(perf_counter() - began_at)
                for code in record.error_codes:
                    metrics.errors.labels(code).inc()

    def answered_at_once(self, answer: ReadyAnswer, began_at: float) -> None:
        """Counts the time of a query that was answered without a wait."""
        self._count_at_once(answer.operation_name, perf_counter() - began_at)

    @contextmanager
    def upstream_request(self, operation: str) -> Iterator[UpstreamRecord]:
        """Counts an upstream request and its time."""
        record = UpstreamRecord(operation)
        began_at = perf_counter()
        try:
            yield record
        finally:
            labels = (operation, record.outcome)
            self._metrics.upstream_seconds.labels(*labels).observe(perf_counter() - began_at)
            self._metrics.upstream_requests.labels(*labels).inc()

    @contextmanager
    def batch(self, size: int) -> Iterator[None]:
        """Counts a batch of ids."""
        self._metrics.batch_size.observe(size)
        yield
