"""The state of a process: what it has, and what its parts have counted in plain numbers."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prometheus_client import Counter

from gateway.instrumentation import CacheResult
from gateway.telemetry.metrics import Metrics

# How old the values of other workers may be.
SECONDS_BETWEEN_READINGS: Final = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class State:
    """The state of a process. What it has counted only grows.

    `quota_remaining` is infinite before the first answer of the store. `cache_reads` is by
    collection and result.
    """

    quota_remaining: float
    quota_limit: int
    is_circuit_open: bool
    is_redis_up: bool
    cache_bytes: int
    cache_reads: Mapping[tuple[str, CacheResult], int]
    response_cache_hits: int
    response_cache_misses: int


class Gauges:
    """Copies the state of a process to its metrics, and what was counted in plain numbers."""

    def __init__(self, metrics: Metrics, state: Callable[[], State]) -> None:
        self._metrics = metrics
        self._state = state
        self._copied: dict[tuple[str, ...], int] = {}

    def read(self) -> None:
        """Copies the state of now."""
        metrics, state = self._metrics, self._state()
        metrics.answers_at_once.move()
        metrics.quota_remaining.set(state.quota_remaining)
        metrics.quota_limit.set(state.quota_limit)
        metrics.circuit_open.set(state.is_circuit_open)
        metrics.redis_up.set(state.is_redis_up)
        metrics.cache_bytes.set(state.cache_bytes)
        if (resident := resident_bytes()) is not None:
            metrics.memory_bytes.set(resident)
        for labels, count in state.cache_reads.items():
            self._add(metrics.cache_requests, labels, count)
        self._add(metrics.response_cache_requests, ("hit",), state.response_cache_hits)
        self._add(metrics.response_cache_requests, ("miss",), state.response_cache_misses)

    async def read_forever(self) -> None:
        """Copies the state again and again: another worker may answer the next scrape."""
        while True:
            try:
                self.read()
            except Exception:
                log.exception("the metrics have no news: the state cannot be read")
            await asyncio.sleep(SECONDS_BETWEEN_READINGS)

    def _add(self, counter: Counter, labels: tuple[str, ...], count: int) -> None:
        """Adds what has been counted since the last time."""
        counter.labels(*labels).inc(count - self._copied.get(labels, 0))
        self._copied[labels] = count


def resident_bytes() -> int | None:
    """Returns the resident memory of this process; None where the system does not tell it."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
