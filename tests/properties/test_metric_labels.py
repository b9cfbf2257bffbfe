"""Whatever clients send, the metrics have the labels of docs/telemetry.md alone."""

import asyncio
import json
import re
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from in_process import in_process
from samples import label_sets

from examples import examples
from gateway.emulator.operation_names import OPERATION_NAMES
from gateway.errors import ErrorCode
from gateway.instrumentation import CacheResult, Outcome

PAGE = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text("utf-8")
LABEL = re.compile(r"^\| `(\w+)` \| ([^|]*) \|$", re.MULTILINE)
LISTED = {label: re.findall("`([^`]+)`", values) for label, values in LABEL.findall(PAGE)}
LOOKUPS = ("list_segments_by_id", "list_customers_by_id", "list_customers_by_email")
TYPES = ("query", "mutation", "unknown")
TRUSTED = "query Trusted { segments(first: 1) { totalCount } }"

# Method, body, headers, and the last part of the path.
Sent = tuple[str, dict[str, object], dict[str, str], str]
ALLOWED = {
    (),
    *((("code", code),) for code in ErrorCode),
    *((("result", result),) for result in ("hit", "miss")),
    *(
        (("collection", collection), ("result", result))
        for collection, result in product(LISTED["collection"], CacheResult)
    ),
    *(
        (("operation", operation), ("outcome", outcome))
        for operation, outcome in product((*OPERATION_NAMES, *LOOKUPS), Outcome)
    ),
    *(
        (("graphql_operation_name", name), ("graphql_operation_type", operation_type))
        for name, operation_type in product(("", "Trusted"), TYPES)
    ),
}

names = st.sampled_from(["Trusted", "Page", "Ünknown", "hit", "segments"]) | st.from_regex(
    r"[_A-Za-z][_0-9A-Za-z]{0,20}", fullmatch=True
)
ids = st.text(max_size=40) | st.uuids().map(str)
fields = st.one_of(
    ids.map(lambda one: f"segment(entityId: {json.dumps(one)}) {{ name }}"),
    ids.map(lambda one: f"node(id: {json.dumps(one)}) {{ __typename }}"),
    st.lists(ids, max_size=3).map(
        lambda some: f"segmentsByEntityId(entityIds: {json.dumps(some)}) {{ name }}"
    ),
    ids.map(
        lambda one: f"customersByEmail(emails: [{json.dumps(one + '@a.example')}]) {{ email }}"
    ),
    st.text(max_size=20).map(
        lambda one: f"segments(first: 1, after: {json.dumps(one)}) {{ totalCount }}"
    ),
    st.just("segments(first: 2) { nodes { shopperProfiles(first: 1) { totalCount } } }"),
    names,
)
documents = (
    st.builds(
        lambda kind, name, field: f"{kind} {name} {{ {field} }}",
        st.sampled_from(["query", "mutation", "subscription"]),
        names,
        fields,
    )
    | st.just(TRUSTED)
    | st.text(max_size=30)
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "query": documents,
        "operationName": names | st.none(),
        "documentId": st.sampled_from(["trusted", "sha256:" + "0" * 64]) | ids,
        "variables": st.dictionaries(names, ids, max_size=2) | ids,
        "extensions": st.dictionaries(names, ids, max_size=2),
    },
)
tokens = st.text("abcdefghijklmnopqrstuvwxyz0123456789-/.;=", max_size=30)
headers = st.dictionaries(
    st.sampled_from(
        [
            "X-Request-Id",
            "Apollographql-Client-Name",
            "User-Agent",
            "Accept",
            "Traceparent",
            "X-Odd",
        ]
    ),
    tokens,
    max_size=3,
)
requests = st.tuples(
    st.sampled_from(["POST", "POST", "POST", "GET", "PUT"]), bodies, headers, tokens
)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("trusted") / "manifest.json"
    file.write_text(json.dumps({"trusted": TRUSTED}), "utf-8")
    return file


def test_the_page_lists_the_values_of_labels() -> None:
    assert LISTED["graphql_operation_type"] == [*TYPES]
    assert LISTED["outcome"] == [*Outcome]
    assert sorted(LISTED["result"][:4]) == sorted(CacheResult)


@settings(max_examples=examples(30))
@given(sent=st.lists(requests, min_size=1, max_size=8))
def test_no_label_is_what_a_client_sent(manifest: Path, sent: list[Sent]) -> None:
    async def seen() -> set[tuple[tuple[str, str], ...]]:
        gateway = in_process(3, METRICS="true", TRUSTED_DOCUMENTS_FILE=str(manifest))
        async with gateway.app.router.lifespan_context(gateway.app), gateway.http as http:
            for method, body, head, token in sent:
                path = f"/graphql/{token}" if token and "query" not in body else "/graphql"
                in_url = {name: json.dumps(body[name]) for name in body if method == "GET"}
                in_body = None if in_url else body
                await http.request(method, path, params=in_url, headers=head, json=in_body)
            return label_sets((await http.get("/metrics")).text)

    assert asyncio.run(seen()) <= ALLOWED
