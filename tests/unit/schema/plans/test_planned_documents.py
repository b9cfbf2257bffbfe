"""Which documents have plans: asked again, they are answered from memory or executed, alike."""

from base64 import b64encode

import pytest
from clock import Clock
from in_process import in_process
from twins import counts_of
from ways import Warm, way_of

from gateway.emulator import seeded_store

ROWS = [row.id for row in seeded_store(12).segments]
FIRST = ROWS[0]


def global_id(uuid: str) -> str:
    return b64encode(f"Segment:{uuid}".encode()).decode()


ENTITIES = (
    "query ($all: [_Any!]!) { _entities(representations: $all) { ... on Segment { id name } } }"
)
PLANNED: dict[str, str] = {
    "every field of a row": "{ segments { nodes { id entityId name description createdAt } } }",
    "edges, nodes, page and total": (
        "{ segments(first: 2) { totalCount edges { cursor node { id } } nodes { name } "
        "pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"
    ),
    "names of types at each level": (
        "{ __typename segments(first: 1) { __typename edges { __typename node { __typename } } "
        "nodes { __typename } pageInfo { __typename } } }"
    ),
    "fragments, of which one has a condition on its type": (
        "{ ...Page ... on Query { segments(first: 1) { nodes { ...Row } } } } "
        "fragment Page on Query { segments(first: 1) { nodes { ... { name } } } } "
        "fragment Row on Node { id ... on Segment { entityId } }"
    ),
    "aliases of one field": "{ a: segments(first: 1) { b: totalCount c: nodes { d: id e: id } } }",
    "merged fields": "{ segments { nodes { id } } segments { nodes { name } totalCount } }",
    "an empty page": "{ segments(first: 0) { nodes { id } pageInfo { startCursor endCursor } } }",
    "the total alone": "{ segments { totalCount } }",
    "nothing of the list": "{ segments { __typename } }",
    "nothing of an edge but its type": "{ segments(first: 1) { edges { __typename } } }",
    "a page backward": "{ segments(last: 2) { edges { cursor } } }",
    "null in place of a number": "{ segments(first: null, last: 1) { nodes { id } } }",
    "segment by id": f'{{ segment(id: "{global_id(FIRST)}") {{ name }} }}',
    "segment by entityId": f'{{ segment(entityId: "{FIRST.upper()}") {{ name }} }}',
    "segment by entityId, and a null": f'{{ segment(id: null, entityId: "{FIRST}") {{ name }} }}',
    "segments, one of them twice": (
        f'{{ segmentsByEntityId(entityIds: ["{FIRST}", "{ROWS[1]}", "{FIRST}"]) {{ name }} }}'
    ),
    "one id in place of a list": f'{{ segmentsByEntityId(entityIds: "{FIRST}") {{ name }} }}',
    "no ids": "{ segmentsByEntityId(entityIds: []) { name } }",
    "node": f'{{ node(id: "{global_id(FIRST)}") {{ __typename id ... on Segment {{ name }} }} }}',
    "nodes": f'{{ nodes(ids: ["{global_id(FIRST)}"]) {{ ... on Segment {{ name }} }} }}',
    "lookups and a page": (
        f'{{ a: segment(entityId: "{FIRST}") {{ id }} segments {{ totalCount }} '
        f'b: nodes(ids: ["{global_id(ROWS[1])}"]) {{ id }} '
        f'c: node(id: "{global_id(ROWS[2])}") {{ id }} }}'
    ),
    "entities whose keys are written out": (
        f'{{ _entities(representations: [{{__typename: "Segment", entityId: "{FIRST}"}}]) '
        "{ ... on Segment { name } } }"
    ),
    "all fields skipped": "{ segments @skip(if: true) { totalCount } }",
    "all fields of an edge skipped": (
        "{ segments(first: 1) { edges { cursor @include(if: false) } } }"
    ),
}
EXECUTED: dict[str, str] = {
    "the schema": "{ __schema { queryType { name } } }",
    "a type beside a page": '{ __type(name: "Segment") { name } segments { totalCount } }',
    "the subgraph": "{ _service { sdl } }",
    "a negative number of rows": "{ segments(first: -1) { totalCount } }",
    "more than 250 rows": "{ segments(first: 251) { totalCount } }",
    "an invalid cursor": '{ segments(after: "x") { totalCount } }',
    "neither id": "{ segment { name } }",
    "both ids": f'{{ segment(id: "{global_id(FIRST)}", entityId: "{FIRST}") {{ name }} }}',
    "an invalid id": '{ segment(entityId: "x") { name } }',
    "an id of another type": f'{{ node(id: "{b64encode(b"Order:1").decode()}") {{ id }} }}',
    "one invalid id of several": (
        f'{{ segmentsByEntityId(entityIds: ["{FIRST}", "x"]) {{ name }} }}'
    ),
    "entities of another type": (
        '{ _entities(representations: [{__typename: "Order", id: "1"}]) { __typename } }'
    ),
    "a document that is not valid": "{ segments { unknown } }",
    "a document that does not parse": "{",
    "a mutation": "mutation { segments { totalCount } }",
}


async def test_what_has_a_plan() -> None:
    warm = Warm()
    ways = {fact: await warm.way(document) for fact, document in PLANNED.items()}
    assert ways == dict.fromkeys(PLANNED, "planned")


async def test_what_is_executed_each_time() -> None:
    warm = Warm()
    await warm.way("{ segments { totalCount } }")
    ways: dict[str, str] = {}
    for fact, document in EXECUTED.items():
        await warm.gateway.http.post("/graphql", json={"query": document})
        before = counts_of(warm.gateway)
        await warm.gateway.http.post("/graphql", json={"query": document})
        (ways[fact],) = (counts_of(warm.gateway) - before).elements()
    assert ways == dict.fromkeys(EXECUTED, "executed")


async def test_document_has_a_plan_from_its_second_request_on() -> None:
    gateway = in_process(2, RESPONSE_CACHE_MAX_BYTES="0")
    await gateway.data("{ segments { totalCount } }")
    ways = [(await way_of(gateway, "{ segments { nodes { id } } }"))[0] for _ in range(3)]
    assert ways == ["executed", "planned", "planned"]


async def test_several_operations_have_a_plan_each_by_their_names() -> None:
    gateway = in_process(2, RESPONSE_CACHE_MAX_BYTES="0")
    document = "query A { segments { totalCount } } query B { segments { nodes { name } } }"

    async def data_of(name: str) -> object:
        asked = {"query": document, "operationName": name}
        return (await gateway.http.post("/graphql", json=asked)).json()["data"]["segments"]

    names = [row.name for row in seeded_store(2).segments]
    for _ in range(2):
        assert await data_of("A") == {"totalCount": 2}
        assert await data_of("B") == {"nodes": [{"name": name} for name in names]}
    assert counts_of(gateway) == {"executed": 2, "planned": 2, "cached": 0}


@pytest.mark.parametrize(
    ("document", "data"),
    [
        ("{ segments @skip(if: true) { totalCount } }", {}),
        (
            "{ segments(first: 1) { edges { cursor @skip(if: true) } } }",
            {"segments": {"edges": [{}]}},
        ),
        ("{ segments { totalCount @skip(if: true) } }", {"segments": {}}),
        (f'{{ segment(entityId: "{FIRST}") {{ id @skip(if: true) }} }}', {"segment": {}}),
    ],
    ids=["of the operation", "of edges", "of a connection", "of a row"],
)
async def test_object_whose_fields_are_all_skipped_is_empty(document: str, data: object) -> None:
    gateway = in_process(12, RESPONSE_CACHE_MAX_BYTES="0")
    answers = [await way_of(gateway, document) for _ in range(3)]
    assert answers[-1][0] == "planned"
    assert [answer["data"] for _, answer in answers] == [data] * 3


async def test_entities_have_a_plan_by_both_keys() -> None:
    def of(**keys: object) -> tuple[str, dict[str, object]]:
        return ENTITIES, {"all": [{"__typename": "Segment", **keys}]}

    ways = await Warm().ways(
        {
            "id": of(id=global_id(FIRST)),
            "entityId": of(entityId=FIRST),
            "both": of(id=global_id(FIRST), entityId=FIRST, name="not a key"),
            "a null key": of(id=None, entityId=FIRST),
            "different rows": of(id=global_id(FIRST), entityId=ROWS[1]),
            "no key": of(name="VIP"),
            "a number": of(id=5),
            "no representation": (ENTITIES, {"all": ["Segment"]}),
            "null": (ENTITIES, {"all": [None]}),
        }
    )
    assert ways == {
        "id": "planned",
        "entityId": "planned",
        "both": "planned",
        "a null key": "planned",
        "different rows": "executed",
        "no key": "executed",
        "a number": "executed",
        "no representation": "executed",
        "null": "executed",
    }


async def test_absence_that_takes_the_place_of_a_row_has_a_plan() -> None:
    clock = Clock()
    gateway = in_process(3, clock=clock, RESPONSE_CACHE_MAX_BYTES="0")
    one = f'{{ segment(entityId: "{FIRST}") {{ name }} }}'
    two = f'{{ segmentsByEntityId(entityIds: ["{FIRST}", "{ROWS[1]}"]) {{ __typename }} }}'
    assert (await gateway.data(one)) == {"segment": {"name": seeded_store(1).segments[0].name}}
    await gateway.data(two)
    gateway.emulator.store.delete([FIRST])
    clock.advance(700)
    await gateway.data(one)
    assert await way_of(gateway, one) == ("planned", answer_of({"segment": None}))
    rows = {"segmentsByEntityId": [None, {"__typename": "Segment"}]}
    await gateway.data(two)
    assert await way_of(gateway, two) == ("planned", answer_of(rows))


def answer_of(data: object) -> dict[str, object]:
    return {"data": data, "extensions": {"cache": {"age": 0, "stale": False}}}


async def test_key_inside_of_a_literal_that_is_a_variable_is_executed() -> None:
    document = (
        "query ($key: ID!) { _entities(representations: "
        '[{__typename: "Segment", entityId: $key}]) { ... on Segment { name } } }'
    )
    by_ids = "query ($key: ID!) { segmentsByEntityId(entityIds: [$key]) { name } }"
    ways = await Warm().ways(
        {"of an object": (document, {"key": FIRST}), "of a list": (by_ids, {"key": FIRST})}
    )
    assert ways == {"of an object": "executed", "of a list": "executed"}


async def test_at_most_250_ids_have_a_plan() -> None:
    warm = Warm(260)
    ids = [row.id for row in seeded_store(260).segments]
    by_entity_id = "query ($ids: [ID!]!) { segmentsByEntityId(entityIds: $ids) { id } }"
    by_id = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    ways = await warm.ways(
        {
            "250 entity ids": (by_entity_id, {"ids": ids[:250]}),
            "251 entity ids": (by_entity_id, {"ids": ids[:251]}),
            "250 ids": (by_id, {"ids": [*map(global_id, ids[:250])]}),
            "251 ids": (by_id, {"ids": [*map(global_id, ids[:251])]}),
        }
    )
    assert ways == {
        "250 entity ids": "planned",
        "251 entity ids": "executed",
        "250 ids": "planned",
        "251 ids": "executed",
    }


async def test_long_operation_is_executed_in_pieces() -> None:
    page = "segments(first: 250) { nodes { id name description createdAt } }"
    warm = Warm(250)
    ways = {
        number: await warm.way(
            "{ " + " ".join(f"a{at}: {page}" for at in range(number)) + " }",
        )
        for number in (3, 4)
    }
    assert ways == {3: "planned", 4: "executed"}


async def test_operation_that_is_refused_for_its_bytes_has_no_plan() -> None:
    """250 rows of a key of 9000 bytes are more than the answer may have."""
    gateway = in_process(250, RESPONSE_CACHE_MAX_BYTES="0")
    await gateway.data("{ segments(first: 250) { nodes { id } } }")
    document = f"{{ segments(first: 250) {{ nodes {{ {'a' * 9000}: id }} }} }}"
    for _ in range(3):
        way, answer = await way_of(gateway, document)
        assert way == "executed"
        assert answer["errors"][0]["message"].startswith("The answer would have more than 2000000")
