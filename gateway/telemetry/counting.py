"""Counts what the parts of a gateway report."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

from gateway.instrumentation import (
    Instrumentation,
    OperationRecord,
    ReadyAnswer,
    UpstreamRecord,
)
from gateway.telemetry.metrics import Metrics

# The label of a request without an operation type.
UNKNOWN_TYPE = "unknown"


class Counting(Instrumentation):
    """Counts in `metrics`. Only names of operations that are trusted become labels."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._count_at_once = metrics.answers_at_once.count

    @contextmanager
    def operation(self, record: OperationRecord) -> Iterator[None]:
        """Counts an operation, its errors and its time."""
        metrics = self._metrics
        began_at = perf_counter()
        metrics.active_requests.inc()
        try:
            yield
        finally:
            metrics.active_requests.dec()
            if record.is_operation:
                seconds = metrics.answer_seconds.labels(
                    record.operation_type or UNKNOWN_TYPE,
                    record.operation.name if record.operation.is_trusted else "",
                )
                seconds.observe(perf_counter() - began_at)
                for code in record.error_codes:
                    metrics.errors.labels(code).inc()

    def answered_at_once(self, answer: ReadyAnswer, method: str, began_at: float) -> None:
        """Counts the time of a query that was answered without a wait."""
        name, is_trusted = answer.operation
        self._count_at_once(name if is_trusted else "", perf_counter() - began_at)

    @contextmanager
    def upstream_request(self, record: UpstreamRecord) -> Iterator[None]:
        """Counts an upstream request and its time."""
        began_at = perf_counter()
        try:
            yield
        finally:
            labels = (record.operation, record.outcome)
            self._metrics.upstream_seconds.labels(*labels).observe(perf_counter() - began_at)
            self._metrics.upstream_requests.labels(*labels).inc()

    @contextmanager
    def batch(
        self,
        collection: str,
        size: int,
        places: Sequence[object],
    ) -> Iterator[None]:
        """Counts a batch of ids."""
        self._metrics.batch_size.observe(size)
        yield
