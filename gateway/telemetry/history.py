"""The last hour of the metrics: samples at equal times, for the status page."""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct

from gateway.clock import NonDecreasingClock
from gateway.instrumentation import CacheResult, Outcome
from gateway.telemetry.metrics import Metrics

EVERY_SECONDS: Final = 5
WINDOW_SECONDS: Final = 3600

# What is read of the metrics: (name of the sample, value of its label), summed over other labels.
Totals = Mapping[tuple[str, str], float]
LABELS: Final = {
    "graphql_server_request_duration_seconds_bucket": "le",
    "graphql_server_request_duration_seconds_count": "",
    "graphql_server_response_errors_total": "code",
    "http_client_request_duration_seconds_bucket": "le",
    "gateway_upstream_requests_total": "outcome",
    "gateway_upstream_quota_remaining": "",
    "gateway_upstream_quota_limit": "",
    "gateway_upstream_circuit_open": "",
    "gateway_cache_requests_total": "result",
    "gateway_response_cache_requests_total": "result",
}

log = logging.getLogger(__name__)


class Percentiles(Struct, frozen=True, gc=False):
    """Seconds, estimated from the buckets of a histogram."""

    p50: float
    p95: float
    p99: float


class Sample(Struct, frozen=True, omit_defaults=True):
    """What happened in the `seconds` before `at`, which is in seconds since the epoch.

    Quota and circuit are those at its end; the quota is None before the first upstream answer, the
    percentiles are None where there was no request.
    """

    at: int
    seconds: float
    quota_remaining: int | None = None
    quota_limit: int | None = None
    circuit_open: bool = False
    requests: int = 0
    """Of clients."""
    seconds_of_requests: Percentiles | None = None
    upstream_requests: int = 0
    upstream_failures: int = 0
    """Upstream requests with another outcome than `ok`."""
    seconds_of_upstream: Percentiles | None = None
    ready_answers: int = 0
    """Whole answers from the response cache."""
    hits: int = 0
    stale: int = 0
    misses: int = 0
    """Keys that were filled, or whose fill was in flight already."""
    errors: Mapping[str, int] = {}
    """Errors in answers, by code."""


class Recent(Struct, frozen=True):
    """The samples of the last hour, or the newest of them; oldest first. `now` is their clock's."""

    now: float
    every_seconds: int
    window_seconds: int
    samples: Sequence[Sample]


class History:
    """Keeps the samples of the last hour in memory.

    The times of samples are whole multiples of 5 seconds, so those of several workers agree, each
    of which has samples from its own start on. What the metrics counted before that is in none.
    """

    def __init__(self, metrics: Metrics, now: Callable[[], float] | None = None) -> None:
        self._metrics = metrics
        self._now = now or NonDecreasingClock()
        self._samples: deque[Sample] = deque(maxlen=WINDOW_SECONDS // EVERY_SECONDS)
        self._before = totals(metrics)
        self._sampled_at = self._now()

    def since(self, at: float) -> Recent:
        """Returns the samples that are newer than a time."""
        now = self._now()
        since = max(at, now - WINDOW_SECONDS)
        samples = [sample for sample in self._samples if sample.at > since]
        return Recent(now, EVERY_SECONDS, WINDOW_SECONDS, samples)

    async def sample_forever(self) -> None:
        """Adds a sample at each multiple of 5 seconds.

        A thread reads the metrics: the files of workers, with the names of a hundred trusted
        documents, take it a tenth of a second.
        """
        while True:
            await asyncio.sleep(EVERY_SECONDS - self._now() % EVERY_SECONDS)
            try:
                self._metrics.before_reading()
                self.add(await asyncio.to_thread(totals, self._metrics))
            except Exception:
                log.exception("the status page has no sample: the metrics cannot be read")

    def add(self, after: Totals) -> None:
        """Adds the sample of now, unless it is there."""
        now = self._now()
        at = round(now / EVERY_SECONDS) * EVERY_SECONDS
        if self._samples and self._samples[-1].at == at:
            return
        # A counter that was reset has no negative rate: its interval counts nothing.
        grown = {key: max(0.0, n - self._before.get(key, 0.0)) for key, n in after.items()}
        self._samples.append(_sample(at, now - self._sampled_at, after, grown))
        self._before, self._sampled_at = after, now


def totals(metrics: Metrics) -> Totals:
    """Returns what a sample needs of the metrics; any thread may call it."""
    found: dict[tuple[str, str], float] = {}
    for family in metrics.collect():
        for name, labels, value, *_ in family.samples:
            if (label := LABELS.get(name)) is not None:
                key = (name, labels[label] if label else "")
                found[key] = found.get(key, 0.0) + value
    return found


def percentile(share: float, buckets: Sequence[tuple[float, float]]) -> float:
    """Returns the value below which a share of what a histogram counted lies.

    Estimated as by Prometheus' `histogram_quantile`: evenly within a bucket, and the highest finite
    bound for what lies above it. `buckets` are (upper bound, count up to it), the last infinite.
    """
    rank = share * buckets[-1][1]
    for (lower, below), (upper, up_to) in pairwise(((0.0, 0.0), *buckets)):
        if up_to >= rank and up_to > below:
            is_last = math.isinf(upper)
            return lower if is_last else lower + (upper - lower) * (rank - below) / (up_to - below)
    return buckets[-1][0]


def _sample(at: int, seconds: float, state: Totals, grown: Totals) -> Sample:
    def count(name: str, value: str = "") -> int:
        return round(grown.get((name, value), 0.0))

    def counts(name: str) -> dict[str, int]:
        return {value: round(n) for (of, value), n in grown.items() if of == name and n}

    limit = round(state.get(("gateway_upstream_quota_limit", ""), 0.0))
    remaining = state.get(("gateway_upstream_quota_remaining", ""), math.inf)
    has_quota = limit > 0 and math.isfinite(remaining)
    outcomes = counts("gateway_upstream_requests_total")
    cache = "gateway_cache_requests_total"
    return Sample(
        at,
        round(seconds, 3),
        quota_remaining=round(remaining) if has_quota else None,
        quota_limit=limit if has_quota else None,
        circuit_open=state.get(("gateway_upstream_circuit_open", ""), 0.0) > 0,
        requests=count("graphql_server_request_duration_seconds_count"),
        seconds_of_requests=_percentiles("graphql_server_request_duration_seconds_bucket", grown),
        upstream_requests=sum(outcomes.values()),
        upstream_failures=sum(n for outcome, n in outcomes.items() if outcome != Outcome.OK),
        seconds_of_upstream=_percentiles("http_client_request_duration_seconds_bucket", grown),
        ready_answers=count("gateway_response_cache_requests_total", "hit"),
        hits=count(cache, CacheResult.HIT),
        stale=count(cache, CacheResult.STALE),
        misses=count(cache, CacheResult.MISS) + count(cache, CacheResult.COALESCED),
        errors=counts("graphql_server_response_errors_total"),
    )


def _percentiles(name: str, grown: Totals) -> Percentiles | None:
    buckets = sorted((float(bound), n) for (of, bound), n in grown.items() if of == name)
    if not buckets or not buckets[-1][1]:
        return None
    found = (percentile(share, buckets) for share in (0.5, 0.95, 0.99))
    return Percentiles(*(float(f"{seconds:.4g}") for seconds in found))
