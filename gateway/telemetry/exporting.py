"""Sends spans to a collector, as the variables of OpenTelemetry say.

Only a thread sends: a collector that is away or slow delays no request. What it does not take is
dropped.
"""

import logging
import os
from collections.abc import Sequence
from threading import Thread
from typing import Final

from opentelemetry.environment_variables import OTEL_TRACES_EXPORTER
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SpanExporter,
    SpanExportResult,
)

from gateway.telemetry.sampling import TraceIds

SERVICE: Final = "bigcommerce-segments-gateway"
# How OpenTelemetry names a service without a name.
NAMELESS: Final = "unknown_service"
QUIET_LOGGERS: Final = {
    # They repeat the same line for each batch that is lost; `Delivery` says it once.
    "opentelemetry.exporter.otlp.proto.http.trace_exporter": logging.CRITICAL,
    "opentelemetry.sdk._shared_internal": logging.ERROR,
    # It quotes each `tracestate` that is not valid, which is text of a client.
    "opentelemetry.trace.span": logging.ERROR,
}
# It quotes a header for the collector that it cannot read, such as one with a key.
HEADERS_LOGGER: Final = "opentelemetry.util.re"

log = logging.getLogger(__name__)


class Delivery(SpanExporter):
    """Exports by another exporter, and logs once when that begins to fail, and when it ends."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._is_failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Exports spans."""
        result = self._exporter.export(spans)
        is_failing = result is not SpanExportResult.SUCCESS
        if is_failing and not self._is_failing:
            log.warning(
                "the collector of OTEL_EXPORTER_OTLP_ENDPOINT does not take spans: they are "
                "dropped until it does; requests are answered as before"
            )
        elif self._is_failing and not is_failing:
            log.info("the collector takes spans again")
        self._is_failing = is_failing
        return result

    def shutdown(self) -> None:
        """Ends the other exporter."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Has nothing to flush."""
        return self._exporter.force_flush(timeout_millis)


def create_provider(ids: TraceIds) -> TracerProvider:
    """Returns the provider of this process's spans, with a thread that sends them.

    Endpoint, headers, sampler, resource and limits are those of the environment. Raises
    `ValueError` if one of these cannot be used.
    """
    for name, level in QUIET_LOGGERS.items():
        logging.getLogger(name).setLevel(level)
    logging.getLogger(HEADERS_LOGGER).addFilter(_without_headers)
    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, NAMELESS)).startswith(NAMELESS):
        resource = resource.merge(Resource({SERVICE_NAME: SERVICE}))
    provider = TracerProvider(resource=resource, id_generator=ids, shutdown_on_exit=False)
    for name in os.environ.get(OTEL_TRACES_EXPORTER, "otlp").lower().split(","):
        if name.strip() == "none":
            continue
        exporter = ConsoleSpanExporter() if name.strip() == "console" else OTLPSpanExporter()
        provider.add_span_processor(BatchSpanProcessor(Delivery(exporter)))
    return provider


def flush(provider: TracerProvider, seconds: float) -> None:
    """Sends what is left, and ends; waits for at most some seconds."""
    # A thread of its own: the provider itself waits for up to 30 seconds.
    ending = Thread(target=provider.shutdown, daemon=True)
    ending.start()
    ending.join(seconds)


def _without_headers(record: logging.LogRecord) -> bool:
    """Replaces the text of a warning of headers, which may have a secret."""
    record.msg = (
        "OTEL_EXPORTER_OTLP_HEADERS, or that of traces, has a header that is left out: write "
        "name=value, with %20 for a space, and commas between headers"
    )
    record.args = None
    return True
