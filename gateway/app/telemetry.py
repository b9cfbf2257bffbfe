"""Creates the telemetry that the settings ask for."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from math import inf
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gateway.app.composition import Services
from gateway.instrumentation import OFF, CacheResult, Instrumentation
from gateway.settings import Settings, SettingsError
from gateway.web import ReadyAnswers

if TYPE_CHECKING:
    from gateway.telemetry.gauges import State
    from gateway.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What the parts report to, and the metrics; None where nothing shows them."""

    instrumentation: Instrumentation = OFF
    metrics: "Metrics | None" = None

    @asynccontextmanager
    async def running(self, services: Services, ready: ReadyAnswers) -> AsyncIterator[None]:
        """Keeps the metrics of the services' state up to date."""
        if self.metrics is None:
            yield
            return
        from gateway.telemetry.gauges import Gauges

        gauges = Gauges(self.metrics, lambda: state_of(services, ready))
        self.metrics.before_reading = gauges.read
        reading = asyncio.create_task(gauges.read_forever())
        try:
            yield
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
            gauges.read()  # the counts of a worker outlive it


def create_telemetry(settings: Settings, address: str | None) -> Telemetry:
    """Returns the telemetry of a gateway that listens on an address."""
    if not needs_metrics(settings, address):
        return Telemetry()
    # Here, because only a gateway with metrics pays for the import of their library.
    from gateway.telemetry.metrics import Metrics
    from gateway.telemetry.recording import Recording

    metrics = Metrics()
    return Telemetry(Recording(metrics), metrics)


def needs_metrics(settings: Settings, address: str | None) -> bool:
    """Whether something shows the metrics of a gateway that listens on an address."""
    return settings.metrics or settings.shows_status(address)


def state_of(services: Services, ready: ReadyAnswers) -> "State":
    """Returns the state of a process for its metrics."""
    from gateway.telemetry.gauges import State

    quota = services.upstream.quota
    return State(
        # After the end of a window, all of the next one is left.
        quota_remaining=(quota.limit or inf) if quota.remaining is None else quota.remaining,
        quota_limit=quota.limit,
        is_circuit_open=services.upstream.is_circuit_open,
        is_redis_up=services.redis is None or services.redis.is_up,
        cache_bytes=services.cache.memory.bytes + ready.responses.bytes,
        cache_reads={
            (collection, result): getattr(counts, result)
            for collection, counts in services.cache.counts.items()
            for result in CacheResult
        },
        response_cache_hits=ready.counts.cached,
        response_cache_misses=ready.counts.planned + ready.counts.executed,
    )


@contextmanager
def shared_metrics(
    settings: Settings, address: str | None
) -> Iterator[Callable[[int], None] | None]:
    """Makes the folder in which workers add up their metrics, if they have any, for the block.

    Yields what is called with the process id of each worker that has ended. Raises `SettingsError`
    if no folder can be made.
    """
    if not needs_metrics(settings, address):
        yield None
        return
    from gateway.telemetry.metrics import SHARED_FOLDER_VARIABLE

    try:
        folder = TemporaryDirectory(prefix="gateway-metrics-", ignore_cleanup_errors=True)
    except OSError as error:
        raise SettingsError(
            "GATEWAY_METRICS and GATEWAY_STATUS need a folder in which workers add up their "
            f"metrics ({error.strerror}): set TMPDIR to one that can be written, or both to false."
        ) from error
    with folder as name:
        os.environ[SHARED_FOLDER_VARIABLE] = name
        try:
            yield forget_worker
        finally:
            del os.environ[SHARED_FOLDER_VARIABLE]


def forget_worker(process_id: int) -> None:
    """Removes the gauges of a worker that has ended; what it counted stays."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(process_id)  # type: ignore[no-untyped-call]
