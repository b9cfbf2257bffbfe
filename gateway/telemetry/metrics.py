"""The metrics of a gateway: names, labels, buckets.

Names are those that Prometheus and OpenTelemetry use for servers and clients of HTTP, else they
begin with `gateway_`. The values of labels are bounded: nothing that a client sends becomes one.
tests/contract/test_metrics.py compares them with docs/telemetry.md.
"""

import math
import os
from collections.abc import Callable, Iterable
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from gateway.errors import ErrorCode
from gateway.telemetry.at_once import AnswersAtOnce

# The folder in which workers keep their values; prometheus_client itself reads the variable.
SHARED_FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"

ANSWER_BUCKETS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
UPSTREAM_BUCKETS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BATCH_BUCKETS: Final = (1, 2, 5, 10, 20, 50, 100, 250)


class Metrics:
    """The metrics of one process, or of all workers that share a folder.

    `before_reading` is to be called before each reading, by the event loop.
    """

    def __init__(self) -> None:
        self.before_reading: Callable[[], None] = _nothing
        disable_created_metrics()  # type: ignore[no-untyped-call] # the library is half typed
        self.registry = CollectorRegistry()
        self.answer_seconds = Histogram(
            "graphql_server_request_duration_seconds",
            "Seconds from a request to the end of its answer.",
            ["graphql_operation_type", "graphql_operation_name"],
            buckets=ANSWER_BUCKETS,
            registry=self.registry,
        )
        self.answers_at_once = AnswersAtOnce(self.answer_seconds, ANSWER_BUCKETS)
        self.active_requests = self._gauge(
            "graphql_server_active_requests", "Requests that are being answered.", "livesum"
        )
        self.errors = Counter(
            "graphql_server_response_errors",
            "Errors in answers, by their code.",
            ["code"],
            registry=self.registry,
        )
        for code in ErrorCode:  # so that the first error is an increase
            self.errors.labels(code)
        self.upstream_seconds = Histogram(
            "http_client_request_duration_seconds",
            "Seconds from an upstream request to the end of its answer.",
            ["operation", "outcome"],
            buckets=UPSTREAM_BUCKETS,
            registry=self.registry,
        )
        self.upstream_requests = Counter(
            "gateway_upstream_requests",
            "Requests sent to the store's API.",
            ["operation", "outcome"],
            registry=self.registry,
        )
        self.quota_remaining = self._gauge(
            "gateway_upstream_quota_remaining",
            "Requests left in the window of the store's quota; +Inf before the first answer.",
            "livemin",
        )
        self.quota_limit = self._gauge(
            "gateway_upstream_quota_limit",
            "Requests in a window of the store's quota; 0 before the first answer.",
            "livemax",
        )
        self.circuit_open = self._gauge(
            "gateway_upstream_circuit_open",
            "1 while an operation has failed so often that it is only probed, else 0.",
            "livemax",
        )
        self.cache_requests = Counter(
            "gateway_cache_requests",
            "Keys that were read through the cache.",
            ["collection", "result"],
            registry=self.registry,
        )
        self.cache_bytes = self._gauge(
            "gateway_cache_bytes", "Bytes of cached values and answers in memory.", "livesum"
        )
        self.batch_size = Histogram(
            "gateway_lookup_batch_size",
            "Ids that were looked up together.",
            buckets=BATCH_BUCKETS,
            registry=self.registry,
        )
        self.response_cache_requests = Counter(
            "gateway_response_cache_requests",
            "Requests by whether the response cache had their answer.",
            ["result"],
            registry=self.registry,
        )
        self.redis_up = self._gauge(
            "gateway_redis_up", "1 while Redis is connected, or none is set; else 0.", "livemin"
        )
        self.memory_bytes = self._gauge(
            "process_resident_memory_bytes",
            "Resident memory of the process, or of all workers.",
            "livesum",
        )
        # Else a worker that starts would make the least value of all workers 0.
        self.quota_remaining.set(math.inf)
        self.redis_up.set(1)

    def collect(self) -> Iterable[Metric]:
        """Returns all metrics, of all workers if they share a folder; any thread may call it."""
        return self._collector().collect()

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Returns the text for Prometheus and its media type, as `accept` prefers them.

        Any thread may call it.
        """
        try:
            encode, media_type = choose_encoder(accept)
        except TypeError:  # of a version that is none
            encode, media_type = choose_encoder("")
        return encode(self._collector()), media_type

    def _collector(self) -> CollectorRegistry:
        if SHARED_FOLDER_VARIABLE not in os.environ:
            return self.registry
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # as above
        return registry

    def _gauge(
        self, name: str, text: str, multiprocess_mode: Literal["livemin", "livemax", "livesum"]
    ) -> Gauge:
        return Gauge(name, text, registry=self.registry, multiprocess_mode=multiprocess_mode)


def _nothing() -> None:
    """Has nothing to do before a reading."""
