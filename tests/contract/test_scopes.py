"""Field by scope: what each client gets through HTTP, whatever is in the caches.

The test names the client of a request by a header, so this holds for any credentials.
"""

import asyncio
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from clock import Clock
from directives import coordinates_of, uses_of
from graphql import GraphQLObjectType
from in_process import Answer, InProcess, in_process
from redis_server import RedisServer, redis_server
from starlette.requests import Request

from gateway.emulator import Fault
from gateway.identity import ALL_SCOPES, AccessScope, Client
from gateway.schema import Federation, build_graph

PAGE = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
VIP = "1a466884-f3f4-4249-9c28-ff90a5aec797"
ABSENT = "ffffffff-0000-4000-8000-ffffffffffff"
VIP_ID = b64encode(f"Segment:{VIP}".encode()).decode()
ABSENT_ID = b64encode(f"Segment:{ABSENT}".encode()).decode()
NAME: Final = {"name": "VIP customers"}
CUSTOMER_ID = b64encode(b"Customer:7").decode()
ABSENT_CUSTOMER = b64encode(b"Customer:999999").decode()
EMAIL: Final = "leila.dubois.7@example.com"
NAMED: Final = {"firstName": "Leila"}
READ, FEDERATION = AccessScope.SEGMENTS_READ, AccessScope.FEDERATION
PROFILES = AccessScope.PROFILES_READ


@dataclass(frozen=True)
class Need:
    """A scope, the value without it, and the places in that value that have an error."""

    scope: AccessScope
    value: object = None
    places: tuple[tuple[int, ...], ...] = ((),)


@dataclass(frozen=True)
class Row:
    """A field, its answer, and what it needs, in the order of the checks."""

    field: str
    answer: object
    needs: tuple[Need, ...]

    @property
    def name(self) -> str:
        return re.split(r"\W", self.field)[0]


WHOLE = (Need(READ),)
EACH = (Need(READ, [None, None], ((0,), (1,))),)
OF_PROFILES = (Need(PROFILES),)
EACH_OF_PROFILES = (Need(PROFILES, [None, None], ((0,), (1,))),)
OF_EACH_CUSTOMER = (Need(FEDERATION, [None, None], ((0,), (1,))), *EACH_OF_PROFILES)
BOTH_NODES = f'nodes(ids: ["{VIP_ID}", "{CUSTOMER_ID}"]) {{ __typename }}'
OF_EACH_ENTITY = (Need(FEDERATION, [None, None], ((0,), (1,))), *EACH)
ENTITIES = (
    f'_entities(representations: [{{__typename: "Segment", entityId: "{VIP}"}}, '
    f'{{__typename: "Segment", id: "{ABSENT_ID}"}}])'
)
CUSTOMERS = (
    '_entities(representations: [{__typename: "Customer", entityId: 7}, '
    '{__typename: "Customer", entityId: 999999}])'
)
ROWS = [
    Row("segments(first: 1) { nodes { name } }", {"nodes": [NAME]}, WHOLE),
    Row("segments(last: 3) { edges { node { name } } }", {"edges": [{"node": NAME}]}, WHOLE),
    Row("segments { totalCount }", {"totalCount": 1}, WHOLE),
    Row("segmentsCount", 1, WHOLE),
    Row("segments { __typename }", {"__typename": "SegmentConnection"}, WHOLE),
    Row("segments(sortKey: NAME, reverse: true) { nodes { name } }", {"nodes": [NAME]}, WHOLE),
    Row("segmentsCount", 1, WHOLE),
    Row('segmentsCount(filter: { nameContains: "vip" })', 1, WHOLE),
    Row(f'segment(entityId: "{VIP}") {{ name }}', NAME, WHOLE),
    Row(f'segment(id: "{VIP_ID}") {{ name }}', NAME, WHOLE),
    Row(f'segment(id: "{ABSENT_ID}") {{ name }}', None, WHOLE),
    Row(f'segmentsByEntityId(entityIds: ["{VIP}", "{ABSENT}"]) {{ name }}', [NAME, None], EACH),
    Row(f'node(id: "{VIP_ID}") {{ ... on Segment {{ name }} }}', NAME, WHOLE),
    Row(f'node(id: "{VIP_ID}") {{ id }}', {"id": VIP_ID}, WHOLE),
    Row(f'nodes(ids: ["{VIP_ID}", "{ABSENT_ID}"]) {{ id }}', [{"id": VIP_ID}, None], EACH),
    Row("_service { __typename }", {"__typename": "_Service"}, (Need(FEDERATION),)),
    Row(f"{ENTITIES} {{ __typename }}", [{"__typename": "Segment"}, None], OF_EACH_ENTITY),
    Row(f"{ENTITIES} {{ ... on Segment {{ name }} }}", [NAME, None], OF_EACH_ENTITY),
    Row(f"{CUSTOMERS} {{ ... on Customer {{ firstName }} }}", [NAMED, None], OF_EACH_CUSTOMER),
    Row("customer(entityId: 7) { firstName }", NAMED, OF_PROFILES),
    Row(f'customer(id: "{CUSTOMER_ID}") {{ firstName }}', NAMED, OF_PROFILES),
    Row(f'customer(email: "{EMAIL}") {{ firstName }}', NAMED, OF_PROFILES),
    Row(
        "customersByEntityId(entityIds: [7, 999999]) { firstName }", [NAMED, None], EACH_OF_PROFILES
    ),
    Row(
        f'customersByEmail(emails: ["{EMAIL}", "a@b.example"]) {{ firstName }}',
        [NAMED, None],
        EACH_OF_PROFILES,
    ),
    Row(f'node(id: "{CUSTOMER_ID}") {{ ... on Customer {{ firstName }} }}', NAMED, OF_PROFILES),
    Row(
        f'nodes(ids: ["{CUSTOMER_ID}", "{ABSENT_CUSTOMER}"]) {{ id }}',
        [{"id": CUSTOMER_ID}, None],
        EACH_OF_PROFILES,
    ),
    Row("shopperProfiles(first: 1) { totalCount }", {"totalCount": 400}, OF_PROFILES),
    Row(
        "shopperProfiles(first: 1) { nodes { customer { entityId } } }",
        {"nodes": [{"customer": {"entityId": 1}}]},
        OF_PROFILES,
    ),
]
CLIENTS = {
    "none": frozenset[AccessScope](),
    **{str(scope): frozenset({scope}) for scope in AccessScope},
    "all but segments:read": ALL_SCOPES - {READ},
    "all but federation": ALL_SCOPES - {FEDERATION},
    "all": ALL_SCOPES,
}


async def named_by_a_header(request: Request) -> Client:
    name = request.headers["x-client"]
    return Client(name, CLIENTS[name])


async def ask(gateway: InProcess, client: str, *fields: str) -> Answer:
    """Returns the answer to these fields beside one that needs no scope."""
    selected = " ".join(f"a{at}: {field}" for at, field in enumerate(fields))
    response = await gateway.http.post(
        "/graphql",
        json={"query": f"{{ beside: __typename {selected} }}"},
        headers={"X-Client": client},
    )
    answer: Answer = response.json()
    # Nothing in front of the gateway may show one client's answer to another.
    assert response.headers["Cache-Control"].partition(",")[0] in ("private", "no-store")
    return answer


def expected(client: str, *rows: Row) -> Answer:
    """Returns the answer that a client gets, without freshness: data, and errors by their paths."""
    data: dict[str, object] = {"beside": "Query"}
    errors: dict[tuple[object, ...], str] = {}
    for at, row in enumerate(rows):
        missing = [need for need in row.needs if need.scope not in CLIENTS[client]]
        data[f"a{at}"] = missing[0].value if missing else row.answer
        for need in missing[:1]:
            errors |= {(f"a{at}", *place): sentence(need.scope) for place in need.places}
    return {"data": data, "errors": errors}


def sentence(scope: AccessScope) -> str:
    return (
        f"This needs the scope `{scope}`, which the client does not have. Send a key or a token "
        "that has it."
    )


def seen(answer: Answer) -> Answer:
    errors = answer.get("errors", [])
    assert {error["extensions"]["code"] for error in errors} <= {"FORBIDDEN"}
    return {
        "data": answer["data"],
        "errors": {tuple(error["path"]): error["message"] for error in errors},
    }


gateway_of = partial(in_process, 1, authenticate=named_by_a_header)


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_client_gets_the_fields_of_its_scopes_from_an_empty_cache(client: str) -> None:
    for row in ROWS:
        gateway = gateway_of()
        assert seen(await ask(gateway, client, row.field)) == expected(client, row), row.field
        if any(need.scope not in CLIENTS[client] for need in row.needs):
            assert gateway.upstream_requests == 0


@pytest.mark.parametrize("client", CLIENTS)
async def test_what_another_client_read_changes_nothing(client: str) -> None:
    gateway = gateway_of()
    for row in ROWS:
        assert seen(await ask(gateway, "all", row.field)) == expected("all", row)
        before = gateway.upstream_requests
        answer = await ask(gateway, client, row.field)
        assert seen(answer) == expected(client, row), row.field
        assert gateway.upstream_requests == before
        if any(need.scope not in CLIENTS[client] for need in row.needs):
            assert "extensions" not in answer  # not even the age of what is in the cache


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_refused_field_leaves_all_others_alone(client: str) -> None:
    answer = await ask(gateway_of(), client, *(row.field for row in ROWS))
    assert seen(answer) == expected(client, *ROWS)


async def test_clients_who_share_a_batch_and_a_flight_share_no_scope() -> None:
    for row in ROWS:
        gateway = gateway_of()
        answers = await asyncio.gather(*(ask(gateway, client, row.field) for client in CLIENTS))
        for client, answer in zip(CLIENTS, answers, strict=True):
            assert seen(answer) == expected(client, row), (client, row.field)


async def test_a_failing_store_does_not_open_what_is_stale() -> None:
    clock = Clock()
    gateway = gateway_of(clock=clock)
    for row in ROWS:
        await ask(gateway, "all", row.field)
    clock.advance(100)
    gateway.emulator.faults.add(Fault.SERVER_ERROR, times=None)
    for client in CLIENTS:
        answer = await ask(gateway, client, *(row.field for row in ROWS))
        assert seen(answer) == expected(client, *ROWS)
    assert answer["extensions"]["cache"]["stale"] is True


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


async def test_a_value_of_another_process_is_not_open_either(redis: RedisServer) -> None:
    writer, reader = gateway_of(REDIS_URL=redis.url), gateway_of(REDIS_URL=redis.url)
    async with writer.services.running(), reader.services.running():
        for row in ROWS:
            await ask(writer, "all", row.field)
        for client in CLIENTS:
            answer = await ask(reader, client, *(row.field for row in ROWS))
            assert seen(answer) == expected(client, *ROWS)
        assert reader.upstream_requests == 0


@pytest.mark.parametrize("client", CLIENTS)
async def test_nodes_of_two_types_need_the_scope_of_each(client: str) -> None:
    answer = seen(await ask(gateway_of(), client, BOTH_NODES))
    has_segments, has_profiles = (scope in CLIENTS[client] for scope in (READ, PROFILES))
    assert answer["data"]["a0"] == [
        {"__typename": "Segment"} if has_segments else None,
        {"__typename": "Customer"} if has_profiles else None,
    ]
    assert answer["errors"] == {
        **({} if has_segments else {("a0", 0): sentence(READ)}),
        **({} if has_profiles else {("a0", 1): sentence(PROFILES)}),
    }


async def test_fields_of_rows_need_the_scope_of_what_they_lead_to() -> None:
    gateway = gateway_of()
    segments_alone, profiles_alone = str(READ), str(PROFILES)
    members = f'segment(entityId: "{VIP}") {{ name shopperProfiles {{ totalCount }} }}'
    assert seen(await ask(gateway, segments_alone, members)) == {
        "data": {"beside": "Query", "a0": {**NAME, "shopperProfiles": None}},
        "errors": {("a0", "shopperProfiles"): sentence(PROFILES)},
    }
    memberships = "customer(entityId: 7) { firstName segments { totalCount } }"
    for _ in range(2):
        assert seen(await ask(gateway, profiles_alone, memberships)) == {
            "data": {"beside": "Query", "a0": {**NAMED, "segments": None}},
            "errors": {("a0", "segments"): sentence(READ)},
        }
        await ask(gateway, "all", members, memberships)


async def test_a_malformed_id_is_reported_beside_those_that_are_refused() -> None:
    field = f'segmentsByEntityId(entityIds: ["{VIP}", "?"]) {{ name }}'
    answer = await ask(gateway_of(), "none", field)
    codes = [error["extensions"]["code"] for error in answer["errors"]]
    assert codes == ["FORBIDDEN", "BAD_USER_INPUT"]
    assert answer["data"]["a0"] == [None, None]


# --- what the schema and the documentation say ---------------------------------------------------


def root_fields() -> dict[str, str]:
    """Returns the description of each root field, those of routers included."""
    query = build_graph().subgraph._schema.query_type
    assert isinstance(query, GraphQLObjectType)
    return {name: field.description or "" for name, field in query.fields.items()}


def mutations() -> dict[str, str]:
    """Returns the description of each mutation."""
    mutation = build_graph().subgraph._schema.mutation_type
    assert isinstance(mutation, GraphQLObjectType)
    return {name: field.description or "" for name, field in mutation.fields.items()}


def mutations_of(scope: AccessScope) -> set[str]:
    sentence_of_scope = f"Needs the scope `{scope}`."
    return {name for name, text in mutations().items() if text.endswith(sentence_of_scope)}


def test_each_root_field_is_in_the_table_and_names_its_scopes() -> None:
    assert {row.name for row in ROWS} == set(root_fields())
    for row in ROWS:
        own = row.needs[0].scope
        assert f"`{own}`" in root_fields()[row.name], row.name


def test_routers_are_asked_for_the_scopes_where_the_settings_say_so() -> None:
    assert uses_of(build_graph().sdl, "requiresScopes") == {}
    assert "requiresScopes" not in build_graph().sdl
    asking = build_graph(federation=Federation(node=True, scopes=True)).sdl
    fields = {
        name
        for name in coordinates_of(asking)
        if re.match(r"(Query|Segment|Customer|ShopperProfile)\.\w+$", name)
    }
    # Other types and subgraphs share them.
    of_node = {"Query.node", "Query.nodes", "Segment.id", "Customer.id"}
    of_segments = re.compile(r"Query\.segment|Segment\.(?!shopperProfiles)|Customer\.segments")
    assert uses_of(asking, "requiresScopes") == {
        name: {f'@requiresScopes(scopes: [["{READ if of_segments.match(name) else PROFILES}"]])'}
        for name in fields - of_node
    } | {
        f"Mutation.{name}": {f'@requiresScopes(scopes: [["{scope}"]])'}
        for scope in (AccessScope.SEGMENTS_WRITE, AccessScope.PROFILES_WRITE)
        for name in mutations_of(scope)
    }
    assert '"@requiresScopes"' in asking
    of_scopes = [mutations_of(scope) for scope in AccessScope]
    assert sorted(name for names in of_scopes for name in names) == sorted(mutations())


def test_the_documentation_has_the_fields_of_each_scope() -> None:
    table = dict(re.findall(r"^\| `([a-z:]+)` \| (.+) \|$", PAGE, re.MULTILINE))
    assert set(table) == set(AccessScope)
    for scope in AccessScope:
        fields = {row.name for row in ROWS if any(need.scope is scope for need in row.needs)}
        fields |= mutations_of(scope)
        assert set(re.findall(r"`(\w+)`", table[scope])) == fields, scope
