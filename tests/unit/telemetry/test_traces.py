"""Spans in one process: their parents, their links, and which are made at all."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from dataclasses import dataclass

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_OFF,
    DEFAULT_ON,
    ParentBased,
    ParentBasedTraceIdRatio,
    Sampler,
    TraceIdRatioBased,
)

from gateway.data_source.batcher import Batcher
from gateway.errors import ErrorCode
from gateway.instrumentation import (
    Instrumentation,
    NamedOperation,
    OperationRecord,
    Outcome,
    Step,
    UpstreamRecord,
)
from gateway.telemetry.recording import recording
from gateway.telemetry.sampling import TraceIds, sampled_below
from gateway.telemetry.traces import Tracing
from gateway.trace_context import parse_traceparent, trace_headers, trace_id_in_progress

TRACE, ROUTER = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
HALF = 1 << 63


class Spans:
    def __init__(self, sampler: Sampler = DEFAULT_ON, *, documents: bool = False) -> None:
        self._memory, ids = InMemorySpanExporter(), TraceIds()
        provider = TracerProvider(sampler=sampler, id_generator=ids, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._memory))
        self.tracing = Tracing(provider, ids, documents=documents)

    @property
    def made(self) -> Sequence[ReadableSpan]:
        return self._memory.get_finished_spans()


PAGE = NamedOperation("Page")


@dataclass(frozen=True)
class Ready:
    status_code: int = 200
    is_stale: bool = False
    operation: NamedOperation = PAGE


@pytest.fixture(autouse=True)
def no_trace() -> Iterator[None]:
    token = trace_headers.set(None)
    yield
    trace_headers.reset(token)


def sent(flags: int) -> None:
    trace_headers.set((b"00-%032x-%016x-%02x" % (TRACE, ROUTER, flags), b"router=7"))


@pytest.mark.parametrize(
    ("sampler", "below"),
    [
        (DEFAULT_ON, 1 << 64),
        (DEFAULT_OFF, 0),
        (ParentBasedTraceIdRatio(0.5), HALF),
        (ParentBasedTraceIdRatio(1e-6), round(1e-6 * (1 << 64))),
        (ALWAYS_ON, None),
        (ALWAYS_OFF, None),
        (TraceIdRatioBased(0.5), None),
        (ParentBased(ALWAYS_ON, remote_parent_not_sampled=ALWAYS_ON), None),
    ],
)
def test_usual_samplers_are_known(sampler: Sampler, below: int | None) -> None:
    assert sampled_below(sampler) == below


@pytest.mark.parametrize("flags", [0, 1])
def test_answer_at_once_is_sampled_as_its_parent(flags: int) -> None:
    sent(flags)
    spans = Spans(ParentBasedTraceIdRatio(0.0 if flags else 1.0))
    spans.tracing.answered_at_once(Ready(is_stale=True), "POST", 0.0)
    assert [span.context.trace_id for span in spans.made] == [TRACE] * flags


def test_new_traces_are_sampled_by_their_share() -> None:
    spans = Spans(ParentBasedTraceIdRatio(0.5))
    for _ in range(400):
        copy_context().run(spans.tracing.answered_at_once, Ready(), "POST", 0.0)
    assert 120 < len(spans.made) < 280
    assert {span.context.trace_id & ((1 << 64) - 1) < HALF for span in spans.made} == {True}


def test_only_names_of_trusted_documents_are_names_of_spans() -> None:
    spans = Spans()
    for is_trusted in (False, True):
        answer = Ready(operation=NamedOperation("Page", is_trusted))
        spans.tracing.answered_at_once(answer, "BREW", 0.0)
    assert [span.name for span in spans.made] == ["query", "query Page"]
    assert {(span.attributes or {})["graphql.operation.name"] for span in spans.made} == {"Page"}
    assert {(span.attributes or {})["http.request.method"] for span in spans.made} == {"_OTHER"}


def executed(tracing: Tracing) -> None:
    with tracing.operation(OperationRecord("POST")):
        pass


def answered_at_once(tracing: Tracing) -> None:
    tracing.answered_at_once(Ready(), "POST", 0.0)


@pytest.mark.parametrize("begin", [executed, answered_at_once])
def test_request_without_a_trace_begins_one_that_its_log_lines_name(
    begin: Callable[[Tracing], None],
) -> None:
    spans = Spans()
    begin(spans.tracing)
    headers = trace_headers.get()
    (span,) = spans.made
    assert span.parent is None
    assert headers is not None
    parent = parse_traceparent(headers[0])
    assert parent is not None
    assert (int(parent.trace_id, 16), int(parent.span_id, 16), parent.flags & 1) == (
        span.context.trace_id,
        span.context.span_id,
        1,
    )


def test_answer_at_once_without_a_trace_begins_one_that_its_log_line_names() -> None:
    spans = Spans()
    spans.tracing.answered_at_once(Ready(), "POST", 0.0)
    assert trace_id_in_progress() == f"{spans.made[0].context.trace_id:032x}"


def test_request_that_is_no_operation_has_no_span() -> None:
    spans = Spans()
    with spans.tracing.operation(record := OperationRecord("GET")):
        record.is_operation = False
    assert spans.made == ()


@pytest.mark.parametrize(("documents", "text"), [(False, None), (True, "{" * 10_000)])
def test_document_is_in_a_span_where_it_is_asked_for(documents: bool, text: str | None) -> None:
    spans = Spans(documents=documents)
    with spans.tracing.operation(OperationRecord("POST", document="{" * 10_001)):
        pass
    assert (spans.made[0].attributes or {}).get("graphql.document") == text


def test_errors_of_an_answer_are_their_number_and_the_first_code() -> None:
    spans = Spans()
    with spans.tracing.operation(record := OperationRecord("POST")):
        record.error_codes = [ErrorCode.RATE_LIMITED, ErrorCode.BAD_CURSOR]
    attributes = spans.made[0].attributes or {}
    assert (attributes["error.type"], attributes["graphql.error.count"]) == ("RATE_LIMITED", 2)


def test_refresh_that_no_request_waits_for_is_in_the_trace_of_the_one_that_began_it() -> None:
    sent(1)
    spans = Spans()
    record = UpstreamRecord("list_segments", "GET", "api.bigcommerce.com", None)
    with spans.tracing.upstream_request(record):
        record.outcome = Outcome.TIMEOUT
    (span,) = spans.made
    assert span.parent is not None
    assert (span.parent.trace_id, span.parent.span_id) == (TRACE, ROUTER)
    assert span.attributes == {
        "http.request.method": "GET",
        "server.address": "api.bigcommerce.com",
        "gateway.upstream.operation": "list_segments",
        "error.type": "timeout",
    }
    assert record.headers == {
        "traceparent": f"00-{TRACE:032x}-{span.context.span_id:016x}-01",
        "tracestate": "router=7",
    }


@pytest.mark.parametrize(("length", "is_handed_on"), [(512, True), (513, False)])
def test_tracestate_is_handed_on_up_to_its_limit(length: int, is_handed_on: bool) -> None:
    # Two members: one value has at most 256 characters.
    state = f"a={'x' * 252},b=".ljust(length, "x")
    trace_headers.set((b"00-%032x-%016x-01" % (TRACE, ROUTER), state.encode()))
    record = UpstreamRecord("list_segments", "GET", "api.bigcommerce.com", None)
    with Spans().tracing.upstream_request(record):
        pass
    assert record.headers.get("tracestate") == (state if is_handed_on else None)


def test_text_of_an_exception_is_not_exported() -> None:
    spans = Spans()
    with (
        pytest.raises(ValueError, match="secret"),
        spans.tracing.operation(OperationRecord("POST")),
        spans.tracing.step(Step.EXECUTION),
    ):
        raise ValueError("secret")
    assert [(span.name, span.events, span.status.description) for span in spans.made] == [
        ("graphql.operation.execution", (), None),
        ("GraphQL Operation", (), None),
    ]


def test_place_of_all_parts_is_that_of_the_spans() -> None:
    tracing = Spans().tracing
    with tracing.operation(OperationRecord("POST")):
        place = recording([Instrumentation(), tracing]).place()
        assert place is not None
        assert place == tracing.place()


async def test_batch_is_below_a_request_that_is_sampled() -> None:
    spans = Spans()

    async def ask(ids: Sequence[str]) -> dict[str, str | Exception]:
        return {row_id: row_id for row_id in ids}

    batcher = Batcher(ask, min, name="segments", window_seconds=0, instrumentation=spans.tracing)
    waiting: list[asyncio.Future[str]] = []
    for flags in (0, 1):
        sent(flags)
        with spans.tracing.operation(OperationRecord("POST")):
            waiting += batcher.load([f"a{flags}"]).values()
    for future in waiting:
        await future
    request, batch = spans.made
    assert batch.parent is not None
    assert batch.parent.span_id == request.context.span_id


async def test_batch_of_several_requests_is_below_the_first_with_links_to_the_others() -> None:
    spans = Spans()

    async def ask(ids: Sequence[str]) -> dict[str, str | Exception]:
        return {row_id: row_id for row_id in ids}

    batcher = Batcher(ask, min, name="segments", window_seconds=0, instrumentation=spans.tracing)
    waiting: list[asyncio.Future[str]] = []
    for number in range(3):
        trace_headers.set((b"00-%032x-%016x-01" % (number + 1, ROUTER), b""))
        with spans.tracing.operation(OperationRecord("POST")):
            waiting += batcher.load([f"a{number}", f"b{number}"]).values()
    for future in waiting:
        await future
    *requests, batch = spans.made
    assert batch.parent is not None
    assert batch.parent.span_id == requests[0].context.span_id
    assert [link.context.span_id for link in batch.links] == [
        request.context.span_id for request in requests[1:]
    ]
    assert (batch.attributes or {})["graphql.dataloader.batch.size"] == 6
