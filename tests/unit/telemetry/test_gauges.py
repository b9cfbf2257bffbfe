"""The state of a process becomes metrics: gauges as they are, counters by what was added."""

import asyncio
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from samples import Samples, samples_of

from gateway.instrumentation import CacheResult
from gateway.telemetry.gauges import Gauges, State, resident_bytes
from gateway.telemetry.metrics import Metrics

BEFORE_ALL = State(
    quota_remaining=inf,
    quota_limit=0,
    is_circuit_open=False,
    is_redis_up=True,
    cache_bytes=0,
    cache_reads={},
    response_cache_hits=0,
    response_cache_misses=0,
)
LATER = State(
    quota_remaining=149,
    quota_limit=150,
    is_circuit_open=True,
    is_redis_up=False,
    cache_bytes=1000,
    cache_reads={("segments", CacheResult.HIT): 3, ("customers", CacheResult.MISS): 1},
    response_cache_hits=5,
    response_cache_misses=2,
)
GAUGES = ("quota_remaining", "quota_limit", "circuit_open")


class Process:
    """The metrics of a process whose state a test sets."""

    def __init__(self) -> None:
        self.state = BEFORE_ALL
        self.metrics = Metrics()
        self.gauges = Gauges(self.metrics, lambda: self.state)

    def samples(self, name: str) -> Samples:
        self.gauges.read()
        return samples_of(self.metrics.exposition("text/plain")[0].decode(), f"gateway_{name}")

    def gauge_values(self) -> list[float]:
        names = [*(f"upstream_{name}" for name in GAUGES), "redis_up", "cache_bytes"]
        return [self.samples(name).get((), 0) for name in names]


def test_gauges_are_those_of_the_reading() -> None:
    process = Process()
    assert process.gauge_values() == [inf, 0, 0, 1, 0]
    process.state = LATER
    assert process.gauge_values() == [149, 150, 1, 0, 1000]
    process.state = replace(LATER, is_circuit_open=False, is_redis_up=True, cache_bytes=10)
    assert process.gauge_values() == [149, 150, 0, 1, 10]


def test_what_a_process_has_counted_is_added_once() -> None:
    process = Process()
    process.state = LATER
    for _ in range(2):
        assert process.samples("cache_requests_total") == {
            ("segments", "hit"): 3,
            ("customers", "miss"): 1,
        }
        assert process.samples("response_cache_requests_total") == {("hit",): 5, ("miss",): 2}
    process.state = replace(
        LATER,
        cache_reads={**LATER.cache_reads, ("segments", CacheResult.HIT): 10},
        response_cache_hits=6,
    )
    assert process.samples("cache_requests_total") == {
        ("segments", "hit"): 10,
        ("customers", "miss"): 1,
    }
    assert process.samples("response_cache_requests_total") == {("hit",): 6, ("miss",): 2}


def test_metrics_are_told_before_the_first_reading_as_those_of_a_process_without_faults() -> None:
    metrics = Metrics()
    text = metrics.exposition("text/plain")[0].decode()
    assert samples_of(text, "gateway_upstream_quota_remaining") == {(): inf}
    assert samples_of(text, "gateway_redis_up") == {(): 1}


def test_memory_is_left_out_where_the_system_does_not_tell_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (resident_bytes() or 0) > 2**20

    def unreadable(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", unreadable)
    assert resident_bytes() is None
    process = Process()
    assert process.gauge_values() == [inf, 0, 0, 1, 0]
    text = process.metrics.exposition("text/plain")[0].decode()
    assert samples_of(text, "process_resident_memory_bytes") == {}


async def test_a_state_that_cannot_be_read_is_logged_and_read_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gateway.telemetry.gauges.SECONDS_BETWEEN_READINGS", 0)
    states = iter([None, LATER])
    was_read_again = asyncio.Event()

    def state() -> State:
        found = next(states, LATER)
        if found is None:
            raise LookupError("no state")
        was_read_again.set()
        return found

    reading = asyncio.create_task(Gauges(Metrics(), state).read_forever())
    async with asyncio.timeout(10):
        await was_read_again.wait()
    reading.cancel()
    assert [record.message for record in caplog.records] == [
        "the metrics have no news: the state cannot be read"
    ]
