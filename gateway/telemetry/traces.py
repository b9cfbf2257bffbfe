"""Spans of what the parts of a gateway report.

Names and attributes are those of the GraphQL working group's draft (github.com/graphql/otel-wg)
and of OpenTelemetry's semantic conventions for HTTP; what these have no word for begins with
`gateway.`. Of what a client sends, a span has the name of the operation, and the document where
that is asked for. It has nothing of the values that are read.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import getrandbits
from time import perf_counter, time_ns
from typing import Final, cast

from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
    use_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from gateway.instrumentation import (
    QUERY,
    CacheResult,
    Instrumentation,
    NamedOperation,
    OperationRecord,
    Outcome,
    ReadyAnswer,
    Step,
    UpstreamRecord,
)
from gateway.telemetry.sampling import TraceIds, sampled_below
from gateway.trace_context import (
    LONGEST_TRACESTATE,
    TraceParent,
    parse_traceparent,
    trace_headers,
)

# The name of the span of a request that was refused before its document was parsed.
UNKNOWN: Final = "GraphQL Operation"
BATCH: Final = "graphql.dataloader.batch"
# The working group's second name for each step, as an attribute.
PROCESSING: Final = "graphql.processing.type"
PROCESSINGS: Final = {Step.PARSING: "parse", Step.VALIDATION: "validate", Step.EXECUTION: "execute"}
ROUTE: Final = "/graphql"
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT")
LONGEST_DOCUMENT: Final = 10_000
NO_CONTEXT: Final = Context()
# `baggage` is none of it: it is not for the store.
TRACE_CONTEXT: Final = TraceContextTextMapPropagator()

Attributes = Mapping[str, AttributeValue]


class Tracing(Instrumentation):
    """Makes spans by a provider, whose ids of traces are `ids`.

    With `documents`, the span of an operation that is executed has the text of its document.
    """

    def __init__(self, provider: TracerProvider, ids: TraceIds, *, documents: bool) -> None:
        self._tracer = provider.get_tracer("gateway")
        self._ids = ids
        self._documents = documents
        self._sampled_below = sampled_below(provider.sampler)

    @contextmanager
    def operation(self, record: OperationRecord) -> Iterator[None]:
        """Makes the span of an operation, below that of the client or router."""
        context = _remote_parent()
        span = self._tracer.start_span(UNKNOWN, context, SpanKind.SERVER)
        if context is NO_CONTEXT:
            here = span.get_span_context()
            trace_headers.set((_traceparent(here), b""))
        with use_span(span, record_exception=False, set_status_on_exception=False):
            try:
                yield
            finally:
                if span.is_recording() and record.is_operation:
                    self._describe(span, record)
                    span.end()

    def _describe(self, span: Span, record: OperationRecord) -> None:
        operation_type = record.operation_type
        span.update_name(_span_name(operation_type, record.operation))
        span.set_attributes(
            _attributes(
                record.method, record.status, operation_type, record.operation, record.cache_result
            )
        )
        span.set_attribute("gateway.upstream.requests", record.upstream_requests)
        if self._documents and record.document:
            span.set_attribute("graphql.document", record.document[:LONGEST_DOCUMENT])
        if record.error_codes:
            span.set_attribute("error.type", str(record.error_codes[0]))
            span.set_attribute("graphql.error.count", len(record.error_codes))
            span.set_status(StatusCode.ERROR)

    def answered_at_once(self, answer: ReadyAnswer, method: str, began_at: float) -> None:
        """Makes the span of a query that was answered without a wait, unless it is not sampled."""
        headers = trace_headers.get()
        parent = None if headers is None else parse_traceparent(headers[0])
        if self._sampled_below is not None:
            if parent is not None:
                if not parent.flags & TraceFlags.SAMPLED:
                    return
            else:
                # As the sampler will: it sees the same id.
                trace_id = getrandbits(128) or 1
                if trace_id & TraceIdRatioBased.TRACE_ID_LIMIT >= self._sampled_below:
                    return
                self._ids.drawn = trace_id
        result = CacheResult.STALE if answer.is_stale else CacheResult.HIT
        now = time_ns()
        span = self._tracer.start_span(
            _span_name(QUERY, answer.operation),
            _context_of(parent, headers),
            SpanKind.SERVER,
            _attributes(method, answer.status_code, QUERY, answer.operation, result),
            start_time=now - int((perf_counter() - began_at) * 1e9),
        )
        if parent is None:
            trace_headers.set((_traceparent(span.get_span_context()), b""))
        span.end(now)

    @contextmanager
    def step(self, step: Step) -> Iterator[None]:
        """Makes the span of a step of an operation."""
        with self._span(step.value, attributes={PROCESSING: PROCESSINGS[step]}):
            yield

    @contextmanager
    def upstream_request(self, record: UpstreamRecord) -> Iterator[None]:
        """Makes the span of an upstream request, which the store is sent as its parent.

        One that no request waits for, such as a refresh, is below the client's or router's span, if
        there is one, else in a trace of its own.
        """
        attributes: dict[str, AttributeValue] = {
            "http.request.method": record.method,
            "server.address": record.server,
            "gateway.upstream.operation": record.operation,
        }
        if record.port is not None:
            attributes["server.port"] = record.port
        has_parent = get_current_span().get_span_context().is_valid
        name = f"{record.method} {record.operation}"
        with self._span(
            name, None if has_parent else _remote_parent(), SpanKind.CLIENT, attributes
        ) as span:
            TRACE_CONTEXT.inject(record.headers)
            try:
                yield
            finally:
                if record.status is not None:
                    span.set_attribute("http.response.status_code", record.status)
                if record.quota_remaining is not None:
                    span.set_attribute("gateway.upstream.quota_remaining", record.quota_remaining)
                if record.outcome is not Outcome.OK:
                    span.set_attribute("error.type", record.outcome.value)
                    span.set_status(StatusCode.ERROR)

    def place(self) -> object:
        """Returns the context of the current span, None without one."""
        here = get_current_span().get_span_context()
        return here if here.is_valid else None

    @contextmanager
    def batch(self, collection: str, size: int, places: Sequence[object]) -> Iterator[None]:
        """Makes the span of a batch, below the first request for it that is sampled.

        It has a link to each other one.
        """
        asked = {
            place.span_id: place for place in cast("Sequence[SpanContext | None]", places) if place
        }
        waiting = sorted(asked.values(), key=lambda place: not place.trace_flags.sampled)
        with self._span(
            BATCH,
            _context(waiting[0]) if waiting else _remote_parent(),
            attributes={
                PROCESSING: "dataloader_batch",
                "graphql.dataloader.name": collection,
                "graphql.dataloader.batch.size": size,
            },
            links=[Link(other) for other in waiting[1:]],
        ):
            yield

    @contextmanager
    def _span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes | None = None,
        links: Sequence[Link] = (),
    ) -> Iterator[Span]:
        """Makes a span, by default below the current one, and the current one for the block."""
        span = self._tracer.start_span(name, context, kind, attributes, links)
        # An exception may quote what a client sent: neither its text nor its stack is exported.
        with use_span(
            span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        ):
            yield span


def _span_name(operation_type: str, operation: NamedOperation) -> str:
    if operation.is_trusted and operation.name:
        return f"{operation_type} {operation.name}"
    return operation_type or UNKNOWN


def _attributes(
    method: str,
    status: int,
    operation_type: str,
    operation: NamedOperation,
    result: CacheResult | None,
) -> Attributes:
    attributes: dict[str, AttributeValue] = {
        "http.request.method": method if method in METHODS else "_OTHER",
        "http.route": ROUTE,
        "http.response.status_code": status,
    }
    if operation_type:
        attributes["graphql.operation.type"] = operation_type
    if operation.name:
        attributes["graphql.operation.name"] = operation.name
    if result is not None:
        attributes["gateway.cache.result"] = result.value
    return attributes


def _remote_parent() -> Context:
    """Returns the context that the client or router sent, `NO_CONTEXT` without one."""
    headers = trace_headers.get()
    return _context_of(None if headers is None else parse_traceparent(headers[0]), headers)


def _context_of(parent: TraceParent | None, headers: tuple[bytes, bytes] | None) -> Context:
    if parent is None or headers is None:
        return NO_CONTEXT
    state = headers[1] if len(headers[1]) <= LONGEST_TRACESTATE else b""
    return _context(
        SpanContext(
            int(parent.trace_id, 16),
            int(parent.span_id, 16),
            is_remote=True,
            trace_flags=TraceFlags(parent.flags),
            trace_state=TraceState.from_header([state.decode("latin-1")]) if state else None,
        )
    )


def _context(parent: SpanContext) -> Context:
    return set_span_in_context(NonRecordingSpan(parent), NO_CONTEXT)


def _traceparent(span: SpanContext) -> bytes:
    return b"00-%032x-%016x-%02x" % (span.trace_id, span.span_id, span.trace_flags)
