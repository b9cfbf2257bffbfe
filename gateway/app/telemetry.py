"""Creates the telemetry that the settings ask for."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from math import inf
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from gateway.app.composition import Services
from gateway.instrumentation import OFF, CacheResult, Instrumentation
from gateway.settings import Settings, SettingsError
from gateway.telemetry.recording import recording
from gateway.web import ReadyAnswers

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from gateway.telemetry.gauges import State
    from gateway.telemetry.history import History
    from gateway.telemetry.metrics import Metrics


INSTALL: Final = "pip install --require-hashes -r requirements/otel.txt"
EXPORTERS: Final = ("", "otlp", "console", "none")
PROTOCOL: Final = "http/protobuf"
# A stop waits no longer for a collector.
FLUSH_SECONDS: Final = 3.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What the parts report to; metrics, their last hour, and spans where something shows them."""

    instrumentation: Instrumentation = OFF
    metrics: "Metrics | None" = None
    history: "History | None" = None
    provider: "TracerProvider | None" = None

    @asynccontextmanager
    async def exporting(self) -> AsyncIterator[None]:
        """Sends the spans that are left at the end, for at most `FLUSH_SECONDS`."""
        try:
            yield
        finally:
            if self.provider is not None:
                from gateway.telemetry.exporting import flush

                await asyncio.to_thread(flush, self.provider, FLUSH_SECONDS)

    @asynccontextmanager
    async def running(self, services: Services, ready: ReadyAnswers) -> AsyncIterator[None]:
        """Keeps the metrics of the services' state up to date."""
        if self.metrics is None:
            yield
            return
        from gateway.telemetry.gauges import Gauges

        gauges = Gauges(self.metrics, lambda: state_of(services, ready))
        self.metrics.before_reading = gauges.read
        tasks = [asyncio.create_task(gauges.read_forever())]
        if self.history is not None:
            tasks.append(asyncio.create_task(self.history.sample_forever()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            gauges.read()  # the counts of a worker outlive it


def create_telemetry(settings: Settings, address: str | None) -> Telemetry:
    """Returns the telemetry of a gateway that listens on an address."""
    parts: list[Instrumentation] = []
    metrics = history = provider = None
    # Here, because only a gateway with telemetry pays for the import of its libraries.
    if has_traces(os.environ) and why_no_traces(os.environ) is None:
        from gateway.telemetry.exporting import create_provider
        from gateway.telemetry.sampling import TraceIds
        from gateway.telemetry.traces import Tracing

        ids = TraceIds()
        try:
            provider = create_provider(ids)
        except ValueError as error:
            log.warning("no traces are sent: a variable of OpenTelemetry has %s", error)
        else:
            parts.append(Tracing(provider, ids, documents=settings.trace_documents))
            log.info("traces are sent as the variables of OpenTelemetry say")
    if needs_metrics(settings, address):
        from gateway.telemetry.counting import Counting
        from gateway.telemetry.metrics import Metrics

        metrics = Metrics()
        if settings.shows_status(address):
            from gateway.telemetry.history import History

            history = History(metrics)
        parts.append(Counting(metrics))
    if settings.log_requests:
        from gateway.telemetry.request_log import RequestLog

        parts.append(RequestLog(settings.log_format))
    return Telemetry(recording(parts), metrics, history, provider)


def has_traces(environment: Mapping[str, str]) -> bool:
    """Whether the variables of OpenTelemetry ask for traces."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return exporter != "none" and bool(exporter or any(map(environment.get, endpoints)))


def why_no_traces(environment: Mapping[str, str]) -> str | None:
    """Returns why traces that are asked for cannot be sent, and what to do; None if they can.

    None of it stops the start: a platform may set the variables for all programs that it runs.
    """
    exporters = environment.get("OTEL_TRACES_EXPORTER", "").lower().split(",")
    if any(exporter.strip() not in EXPORTERS for exporter in exporters):
        return "OTEL_TRACES_EXPORTER has to be otlp, console or none."
    for variable in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        if protocol := environment.get(variable, "").strip():
            if protocol == PROTOCOL:
                break
            return (
                f"{variable} is another protocol than {PROTOCOL}, the one that the gateway "
                f"speaks: set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL={PROTOCOL}, and the endpoint "
                "that takes it, on port 4318 as a rule."
            )
    try:
        is_installed = find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        is_installed = False
    return None if is_installed else f"OpenTelemetry is not installed: {INSTALL}"


def warn_of_missing_traces() -> None:
    """Logs why traces that are asked for are not sent."""
    if has_traces(os.environ) and (why := why_no_traces(os.environ)) is not None:
        log.warning("no traces are sent: %s", why)


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
