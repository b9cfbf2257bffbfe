"""Traces of real processes: a gateway, a store that it asks, a collector that it tells."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from otlp_receiver import OtlpReceiver, Received, otlp_receiver
from processes import serving
from running import TOKEN, Running, store_at
from starlette.types import Receive, Scope, Send

from gateway.emulator import create_emulator, seeded_store

Headers = dict[str, str]
PARENT = "b7ad6b7169203331"
NAMED = "query Named($id: ID!) { segment(entityId: $id) { name } }"
LAST = "query Last { segments(first: 1) { totalCount } }"
EMAIL = "emma@example.com"
SERVER = {"http.request.method": "POST", "http.route": "/graphql", "http.response.status_code": 200}
SENT_AT_ONCE = "50"


class Traced:
    """A gateway whose spans a receiver has, and the heads of the requests that its store got."""

    def __init__(
        self, receiver: OtlpReceiver, gateway: Running, heads: list[Headers], ids: list[str]
    ) -> None:
        self.receiver = receiver
        self.gateway = gateway
        self.heads = heads
        self._ids = ids
        self._traces = 0

    def unread(self) -> str:
        """Returns the id of a segment that the gateway has to look up."""
        return self._ids.pop()

    def ask(self, query: str, *, flags: str = "01", **variables: object) -> tuple[str, Any]:
        """Returns the trace id that a query is sent with, and the answer."""
        self._traces += 1
        trace_id = f"{self._traces:032x}"
        answer = httpx.post(
            f"{self.gateway.url}/graphql",
            json={"query": query, "variables": variables},
            headers={
                "traceparent": f"00-{trace_id}-{PARENT}-{flags}",
                "tracestate": "router=7",
                "baggage": "customer=42",
            },
        )
        return trace_id, answer.json()


@contextmanager
def traced(**environment: str) -> Iterator[Traced]:
    emulator = create_emulator(seeded_store(300), token=TOKEN)
    heads: list[Headers] = []

    async def store(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            heads.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await emulator(scope, receive, send)

    with otlp_receiver() as receiver, serving(store) as url:
        gateway = Running(
            "serve",
            **store_at(url),
            GATEWAY_ALLOW_ANONYMOUS="read",
            GATEWAY_SHUTDOWN_GRACE_SECONDS="5",
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
            OTEL_EXPORTER_OTLP_HEADERS="api-key=collectors",
            OTEL_BSP_SCHEDULE_DELAY=SENT_AT_ONCE,
            **environment,
        )
        try:
            yield Traced(receiver, gateway, heads, ids_of_the_second_page(url))
        finally:
            gateway.stop()


@pytest.fixture(scope="module")
def gateway() -> Iterator[Traced]:
    with traced(GATEWAY_LOG_FORMAT="json", GATEWAY_LOG_REQUESTS="true") as gateway:
        yield gateway


def ids_of_the_second_page(store: str) -> list[str]:
    rows = httpx.get(
        f"{store}/stores/emulator/v3/segments",
        params={"limit": 250, "page": 2},
        headers={"X-Auth-Token": TOKEN},
    ).json()["data"]
    return [row["id"] for row in rows]


def tree(spans: list[Received]) -> list[tuple[str, str, str]]:
    """Returns name, kind and the name of the parent, empty for the router's span."""
    names = {span.span_id: span.name for span in spans}
    return [(span.name, span.kind, names.get(span.parent_id, "")) for span in spans]


def test_trace_leads_from_the_router_to_the_store(gateway: Traced) -> None:
    trace_id, _ = gateway.ask(NAMED, id=gateway.unread())
    sent = gateway.heads[-1]
    spans = gateway.receiver.trace(trace_id, 6)
    assert tree(spans) == [
        ("query", "SERVER", ""),
        ("graphql.document.parsing", "INTERNAL", "query"),
        ("graphql.document.validation", "INTERNAL", "query"),
        ("graphql.operation.execution", "INTERNAL", "query"),
        ("graphql.dataloader.batch", "INTERNAL", "graphql.operation.execution"),
        ("GET list_segments_by_id", "CLIENT", "graphql.dataloader.batch"),
    ]
    server, parsing, validation, execution, batch, upstream = spans
    assert server.parent_id == PARENT
    assert {span.trace_state for span in spans} == {"router=7"}
    assert server.attributes == SERVER | {
        "graphql.operation.type": "query",
        "graphql.operation.name": "Named",
        "gateway.cache.result": "miss",
        "gateway.upstream.requests": 1,
    }
    assert [parsing.attributes, validation.attributes, execution.attributes] == [
        {"graphql.processing.type": what} for what in ("parse", "validate", "execute")
    ]
    assert batch.attributes == {
        "graphql.processing.type": "dataloader_batch",
        "graphql.dataloader.name": "segments",
        "graphql.dataloader.batch.size": 1,
    }
    quota, port = (
        upstream.attributes.pop(name)
        for name in ("gateway.upstream.quota_remaining", "server.port")
    )
    assert isinstance(quota, int)
    assert sent["host"] == f"127.0.0.1:{port}"
    assert upstream.attributes == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "gateway.upstream.operation": "list_segments_by_id",
        "http.response.status_code": 200,
    }
    assert not any(span.is_error or span.events or span.links for span in spans)
    assert server.resource["service.name"] == "bigcommerce-segments-gateway"
    assert sent["traceparent"] == f"00-{trace_id}-{upstream.span_id}-01"
    assert sent["tracestate"] == "router=7"
    assert "baggage" not in sent


def test_line_of_a_request_has_what_its_span_has(gateway: Traced) -> None:
    trace_id, _ = gateway.ask(NAMED, id=gateway.unread())
    line = json.loads(gateway.gateway.wait_for_line(trace_id))
    assert isinstance(line.pop("duration_ms"), float)
    assert len(line.pop("request")) == 32
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "gateway.requests",
        "message": "request",
        "trace": trace_id,
        "status": 200,
        "operation_type": "query",
        "operation_name": "Named",
        "cache": "miss",
        "upstream_requests": 1,
        "errors": [],
    }


def test_answer_from_memory_is_one_span_with_the_cache_result(gateway: Traced) -> None:
    query = "{ segments(first: 2) { totalCount } }"
    gateway.ask(query)
    trace_id, _ = gateway.ask(query)
    (span,) = gateway.receiver.trace(trace_id, 1)
    assert (span.name, span.kind, span.parent_id) == ("query", "SERVER", PARENT)
    assert span.attributes["gateway.cache.result"] == "hit"


def test_error_of_an_answer_is_its_code(gateway: Traced) -> None:
    trace_id, answer = gateway.ask("{ segment(id: ")
    code = answer["errors"][0]["extensions"]["code"]
    server, parsing = gateway.receiver.trace(trace_id, 2)
    assert (server.name, server.is_error) == ("GraphQL Operation", True)
    assert server.attributes == SERVER | {
        "error.type": code,
        "graphql.error.count": 1,
        "gateway.upstream.requests": 0,
    }
    assert parsing.name == "graphql.document.parsing"


def test_trace_that_the_router_does_not_sample_is_handed_on_and_not_exported(
    gateway: Traced,
) -> None:
    unsampled, _ = gateway.ask(NAMED, flags="00", id=gateway.unread())
    version, trace_id, _, flags = gateway.heads[-1]["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", unsampled, "00")
    sampled, _ = gateway.ask(NAMED, id=gateway.unread())
    gateway.receiver.root_of(sampled)
    assert unsampled not in {span.trace_id for span in gateway.receiver.spans}


def test_nothing_that_is_exported_is_a_secret_or_a_value(gateway: Traced) -> None:
    query = f'query Who {{ customer(email: "{EMAIL}") {{ email }} }}'
    trace_id, answer = gateway.ask(query)
    assert "data" in answer
    server = gateway.receiver.root_of(trace_id)
    assert server.attributes["graphql.operation.name"] == "Who"
    exported = b"".join(gateway.receiver.bodies)
    for secret in (
        TOKEN,
        EMAIL,
        "VIP",
        "segment(",
        "id:in",
        "entityId",
        "collectors",
        "customer=42",
    ):
        assert secret.encode() not in exported
    assert {headers["api-key"] for headers in gateway.receiver.headers} == {"collectors"}


def test_collector_that_is_away_is_logged_once_and_delays_no_stop() -> None:
    with traced(GATEWAY_TRACE_DOCUMENTS="true", OTEL_SERVICE_NAME="shop") as gateway:
        gateway.receiver.status = 404
        for _ in range(3):
            gateway.ask(NAMED, id="x")
            gateway.receiver.wait_until_refused(gateway.receiver.refused + 1)
        gateway.receiver.status = 200
        trace_id, _ = gateway.ask("query Later { segments(first: 3) { totalCount } }")
        gateway.receiver.trace(trace_id, 5)
        gateway.gateway.wait_for_line("the collector takes spans again")
        last, _ = gateway.ask(LAST)
    # What was left at the stop has been sent.
    spans = [span for span in gateway.receiver.spans if span.trace_id == last]
    server = next(span for span in spans if span.kind == "SERVER")
    assert (
        server.attributes["graphql.document"] == "query Last { segments(first: 1) { totalCount } }"
    )
    assert server.resource["service.name"] == "shop"
    lines = [
        line for line in gateway.gateway.lines if "collector" in line or "opentelemetry" in line
    ]
    assert len(lines) == 2, lines
    said = "traces are sent as the variables of OpenTelemetry say\n"
    assert [line.endswith(said) for line in gateway.gateway.lines].count(True) == 1


def test_each_worker_sends_its_spans() -> None:
    with otlp_receiver() as receiver, serving(create_emulator(seeded_store(3), token=TOKEN)) as url:
        gateway = Running(
            "serve",
            "--workers",
            "2",
            **store_at(url),
            GATEWAY_ALLOW_ANONYMOUS="read",
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{receiver.url}/v1/traces",
            OTEL_BSP_SCHEDULE_DELAY=SENT_AT_ONCE,
        )
        try:
            gateway.wait_for_line("serves")
            gateway.wait_for_line("serves")
            with httpx.Client(headers={"connection": "close"}) as client:
                for number in range(40):
                    query = {"query": "{ segments { totalCount } }"}
                    parent = f"00-{number + 1:032x}-{PARENT}-01"
                    client.post(
                        f"{gateway.url}/graphql", json=query, headers={"traceparent": parent}
                    )
        finally:
            gateway.stop()
    requests = [span for span in receiver.spans if span.kind == "SERVER"]
    assert len(requests) == 40
    assert len({span.resource["service.instance.id"] for span in requests}) == 2
