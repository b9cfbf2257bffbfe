"""The history of the metrics: what a sample counts, what it leaves out, and its bounds."""

import asyncio
import math

import msgspec
import pytest
from clock import Clock

from gateway.telemetry.history import History, Percentiles, Recent, Sample, percentile, totals
from gateway.telemetry.metrics import Metrics

CLOCK_STARTS_AT = 1_800_000_000


class Sampled:
    """Metrics, and their history on a clock that stands still."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.clock = Clock(CLOCK_STARTS_AT)
        self.history = History(self.metrics, self.clock)

    def next(self, seconds: float = 5.0) -> Sample:
        """Returns the sample after some seconds."""
        self.clock.advance(seconds)
        self.history.add(totals(self.metrics))
        return self.recent().samples[-1]

    def recent(self, at: float = 0.0) -> Recent:
        return self.history.since(at)


def test_sample_counts_what_happened_since_the_last() -> None:
    sampled = Sampled()
    metrics = sampled.metrics
    metrics.answer_seconds.labels("query", "").observe(0.0007)
    metrics.answer_seconds.labels("mutation", "Create").observe(0.0007)
    metrics.upstream_requests.labels("list_segments", "ok").inc(3)
    metrics.upstream_requests.labels("list_segments", "timeout").inc()
    metrics.upstream_requests.labels("list_customers", "failed").inc()
    metrics.upstream_seconds.labels("list_segments", "ok").observe(0.07)
    metrics.cache_requests.labels("segments", "hit").inc(5)
    metrics.cache_requests.labels("customers", "hit").inc(2)
    metrics.cache_requests.labels("segments", "stale").inc(4)
    metrics.cache_requests.labels("segments", "miss").inc(2)
    metrics.cache_requests.labels("segments", "coalesced").inc()
    metrics.response_cache_requests.labels("hit").inc(6)
    metrics.response_cache_requests.labels("miss").inc(9)
    metrics.errors.labels("UPSTREAM_TIMEOUT").inc(2)
    metrics.quota_remaining.set(140)
    metrics.quota_limit.set(150)
    metrics.circuit_open.set(1)
    first = sampled.next()
    assert first == Sample(
        CLOCK_STARTS_AT + 5,
        5.0,
        quota_remaining=140,
        quota_limit=150,
        circuit_open=True,
        requests=2,
        seconds_of_requests=Percentiles(0.00075, 0.000975, 0.000995),
        upstream_requests=5,
        upstream_failures=2,
        seconds_of_upstream=Percentiles(0.075, 0.0975, 0.0995),
        ready_answers=6,
        hits=7,
        stale=4,
        misses=3,
        errors={"UPSTREAM_TIMEOUT": 2},
    )
    metrics.errors.labels("RATE_LIMITED").inc()
    metrics.circuit_open.set(0)
    assert sampled.next() == Sample(
        CLOCK_STARTS_AT + 10,
        5.0,
        quota_remaining=140,
        quota_limit=150,
        errors={"RATE_LIMITED": 1},
    )


@pytest.mark.parametrize("remaining", [0.0, math.inf])
def test_quota_is_absent_before_the_first_upstream_answer(remaining: float) -> None:
    sampled = Sampled()
    sampled.metrics.quota_remaining.set(remaining)
    sample = sampled.next()
    assert (sample.quota_remaining, sample.quota_limit) == (None, None)
    assert msgspec.to_builtins(sample) == {"at": CLOCK_STARTS_AT + 5, "seconds": 5.0}


def test_what_was_counted_before_the_start_is_in_no_sample() -> None:
    metrics, clock = Metrics(), Clock(CLOCK_STARTS_AT)
    metrics.answer_seconds.labels("query", "").observe(0.1)
    metrics.errors.labels("RATE_LIMITED").inc(7)
    history = History(metrics, clock)
    assert history.since(0).samples == []
    metrics.errors.labels("RATE_LIMITED").inc()
    clock.advance(5)
    history.add(totals(metrics))
    (sample,) = history.since(0).samples
    assert (sample.requests, sample.errors) == (0, {"RATE_LIMITED": 1})


def test_counter_that_was_reset_counts_nothing_in_its_interval() -> None:
    sampled = Sampled()
    sampled.metrics.upstream_requests.labels("list_segments", "ok").inc(100)
    assert sampled.next().upstream_requests == 100
    sampled.metrics.upstream_requests.clear()
    sampled.metrics.upstream_requests.labels("list_segments", "ok").inc(30)
    assert sampled.next().upstream_requests == 0
    sampled.metrics.upstream_requests.labels("list_segments", "ok").inc(2)
    assert sampled.next().upstream_requests == 2


def test_times_are_multiples_of_five_seconds_and_each_stands_once() -> None:
    sampled = Sampled()
    sampled.metrics.errors.labels("RATE_LIMITED").inc()
    assert sampled.next(4.99).at == CLOCK_STARTS_AT + 5
    sampled.metrics.errors.labels("RATE_LIMITED").inc()
    sampled.next(0.01)
    late = sampled.next(10.2)
    assert [sample.at - CLOCK_STARTS_AT for sample in sampled.recent().samples] == [5, 15]
    assert (late.seconds, late.errors) == (10.21, {"RATE_LIMITED": 1})


def test_hour_is_kept_and_no_more() -> None:
    sampled = Sampled()
    for _ in range(800):
        sampled.next()
    samples = sampled.recent().samples
    assert len(samples) == 720
    assert samples[-1].at - samples[0].at == 3595
    sampled.clock.advance(1800)  # as a machine that slept
    assert len(sampled.recent().samples) == 360


def test_only_newer_samples_are_returned() -> None:
    sampled = Sampled()
    for _ in range(3):
        sampled.next()
    recent = sampled.recent(CLOCK_STARTS_AT + 10)
    assert [sample.at for sample in recent.samples] == [CLOCK_STARTS_AT + 15]
    assert (recent.now, recent.every_seconds, recent.window_seconds) == (
        CLOCK_STARTS_AT + 15,
        5,
        3600,
    )
    assert sampled.recent(CLOCK_STARTS_AT + 15).samples == []


BUCKETS = ((0.1, 10.0), (0.5, 10.0), (1.0, 30.0), (math.inf, 40.0))


@pytest.mark.parametrize(
    ("share", "seconds"),
    [(0.0, 0.0), (0.125, 0.05), (0.25, 0.1), (0.5, 0.75), (0.75, 1.0), (0.95, 1.0)],
)
def test_percentile_is_that_of_prometheus(share: float, seconds: float) -> None:
    assert percentile(share, BUCKETS) == pytest.approx(seconds)


async def test_sampling_goes_on_after_a_reading_that_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = Metrics()
    readings = 0
    sampled = asyncio.Event()

    def before_reading() -> None:
        nonlocal readings
        readings += 1
        if readings == 1:
            raise OSError("no such folder")
        if readings == 3:  # the sample of the second is there
            sampled.set()

    metrics.before_reading = before_reading
    # A millisecond before each multiple of 5 seconds.
    history = History(metrics, lambda: CLOCK_STARTS_AT + 4.999)
    task = asyncio.create_task(history.sample_forever())
    async with asyncio.timeout(5):
        await sampled.wait()
    task.cancel()
    assert [record.message for record in caplog.records] == [
        "the status page has no sample: the metrics cannot be read"
    ]
    assert [sample.at for sample in history.since(0).samples] == [CLOCK_STARTS_AT + 5]
