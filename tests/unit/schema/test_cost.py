"""The cost of an operation is known before it is executed, and is that of its answer."""

from typing import Any
from uuid import UUID

import pytest
from graphql import OperationDefinitionNode, get_introspection_query, get_operation_ast, parse
from in_process import Answer, in_process

from gateway.schema import build_graph
from gateway.schema.cost import (
    MAXIMUM_BYTES,
    MAXIMUM_VALUES,
    VALUES_OF_A_ROOT_FIELD,
    VALUES_OF_INTROSPECTION,
    Weigher,
)

GRAPH = build_graph()
SCHEMA = GRAPH.api._schema
SUBGRAPH = GRAPH.subgraph._schema


def cost(
    document: str, *, is_for_routers: bool = False, **variables: object
) -> tuple[float, float]:
    """Returns the values of the answer without those that root fields count as, and its bytes."""
    parsed = parse(document)
    operation = get_operation_ast(parsed)
    assert isinstance(operation, OperationDefinitionNode)
    weight = Weigher(SUBGRAPH if is_for_routers else SCHEMA).weigh(parsed, operation)
    values, size = weight.of(variables)
    return values % VALUES_OF_A_ROOT_FIELD if not weight.lists else values, size


def values(document: str, **variables: object) -> float:
    """Returns the values of the answer to a document of one root field."""
    parsed = parse(document)
    operation = get_operation_ast(parsed)
    assert isinstance(operation, OperationDefinitionNode)
    is_for_routers = "_entities" in document
    weight = Weigher(SUBGRAPH if is_for_routers else SCHEMA).weigh(parsed, operation)
    return weight.of(variables)[0] - VALUES_OF_A_ROOT_FIELD


IDS = 'query($i: [ID!]! = ["a", "b"], $one: ID = "a") { nodes(ids: %s) { id } }'
PAGE = "query($n: Int, $m: Int = 7) { segments(%s) { nodes { id } } }"


@pytest.mark.parametrize(
    ("arguments", "variables", "rows"),
    [
        ("", {}, 50),
        ("first: 3", {}, 3),
        ("first: 0", {}, 0),
        ("last: 4", {}, 4),
        ("first: 9, last: 4", {}, 4),
        ("first: null", {}, 50),
        ("first: $n", {"n": 20}, 20),
        ("first: $n", {"n": 20.0}, 20),
        ("first: $n", {"n": None}, 50),
        ("first: $n", {"n": "20"}, 50),
        ("first: $n", {}, 50),
        ("first: $m", {}, 7),
        ("first: $m", {"m": 8}, 8),
        ("first: $n", {"n": 10**9}, 250),
        ("first: $n", {"n": -1}, 0),
    ],
)
def test_rows_of_a_page_are_those_of_its_arguments(
    arguments: str, variables: dict[str, Any], rows: int
) -> None:
    document = PAGE % arguments if arguments else PAGE.replace("(%s)", "")
    # The connection and its list, and each row with its field.
    assert values(document, **variables) == 2 + rows * 2


@pytest.mark.parametrize(
    ("argument", "variables", "rows"),
    [
        ('["a", "b", "c"]', {}, 3),
        ("[$one, $one]", {}, 2),
        ('"a"', {}, 1),
        ("$i", {"i": ["a"] * 300}, 300),
        ("$i", {"i": "a"}, 1),
        ("$i", {}, 2),
    ],
)
def test_rows_of_a_lookup_are_its_ids(argument: str, variables: dict[str, Any], rows: int) -> None:
    assert values(IDS % argument, **variables) == 1 + rows * 2


def test_a_lookup_without_ids_has_no_rows() -> None:
    """Validation refuses it; a subgraph's own arguments may be optional one day."""
    assert values("{ nodes { id } }") == 1


def test_entities_are_counted_by_their_representations() -> None:
    document = (
        "query($r: [_Any!]!) { _entities(representations: $r)"
        " { __typename ... on Segment { id name } } }"
    )
    assert values(document, r=[{}] * 40) == 1 + 40 * 4


def test_fragments_are_written_out_and_merged() -> None:
    plain = "{ segments(first: 10) { nodes { id name } } }"
    fragments = (
        "{ ...F ... on Query { segments(first: 10) { nodes { id } } } }"
        " fragment F on Query { segments(first: 10) { ... { nodes { name ...G } } } }"
        " fragment G on Segment { id }"
    )
    assert values(fragments) == values(plain) == 2 + 10 * 3


def test_edges_and_nodes_have_the_rows_and_page_info_has_none() -> None:
    fields = "totalCount pageInfo { endCursor } edges { cursor node { id } } nodes { id }"
    document = f"{{ segments(first: 10) {{ {fields} }} }}"
    assert values(document) == 1 + 1 + 2 + (1 + 10 * 4) + (1 + 10 * 2)


def test_long_aliases_count_as_bytes() -> None:
    gateway = "{ segments(first: 250) { nodes { %s: id } } }"
    parsed = parse(gateway % ("a" * 10_000))
    operation = get_operation_ast(parsed)
    assert operation is not None
    _, size = Weigher(SCHEMA).weigh(parsed, operation).of({})
    assert size > MAXIMUM_BYTES


async def refusal_of(document: str, **variables: object) -> str:
    gateway = in_process(1)
    answer = await gateway.ask(document, **variables)
    assert "data" not in answer
    assert gateway.upstream_requests == 0
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    message: str = error["message"]
    return message


async def test_answer_of_too_many_values_is_refused_before_it_is_executed() -> None:
    fields = " ".join(f"a{n}: name" for n in range(100))
    document = f"query($n: Int) {{ segments(first: $n) {{ nodes {{ {fields} }} }} }}"
    assert await refusal_of(document, n=250) == (
        f"The answer would have more than {MAXIMUM_VALUES} values, which are its fields times "
        "their rows. Ask for less, or send several requests."
    )
    data = await in_process(2).data(document, n=2)
    assert len(data["segments"]["nodes"][0]) == 100


async def test_answer_of_too_many_bytes_is_refused_before_it_is_executed() -> None:
    document = "{ segments(first: 250) { nodes { %s: id } } }" % ("a" * 9000)
    assert (await refusal_of(document)).startswith("The answer would have more than 2000000 bytes.")


async def test_all_rows_of_a_request_can_be_had_with_all_of_their_fields() -> None:
    fields = "edges { cursor node { id entityId name description createdAt updatedAt } }"
    pages = " ".join(f"a{n}: segments(first: 250) {{ {fields} }}" for n in range(10))
    data = await in_process(250).data(f"{{ {pages} }}")
    assert [len(page["edges"]) for page in data.values()] == [250] * 10


async def test_introspection_of_tools_is_answered_and_weighed_as_what_it_is() -> None:
    query = get_introspection_query()
    answer = await in_process(1).data(query)

    def count(value: object) -> int:
        if isinstance(value, dict):
            return sum(1 + count(inner) for inner in value.values())
        return sum(1 + count(inner) for inner in value) if isinstance(value, list) else 0

    weighed = values(query) + VALUES_OF_A_ROOT_FIELD
    assert 0.5 < weighed / VALUES_OF_INTROSPECTION / count(answer) < 2


async def test_introspection_whose_lists_multiply_is_refused() -> None:
    field = "types { fields { type { fields { type { name } args { type { name } } } } } }"
    many = " ".join(f"a{n}: {field}" for n in range(20))
    assert "values" in await refusal_of(f"{{ __schema {{ {many} }} }}")


def answered(answer: Answer) -> list[str]:
    return [error["message"] for error in answer.get("errors", ())]


async def test_up_to_a_hundred_errors_stand_in_the_place_of_their_rows() -> None:
    gateway = in_process(1)
    query = "query($i: [ID!]!) { nodes(ids: $i) { id } }"
    answer = await gateway.ask(query, i=["bad"] * 100)
    assert (len(answered(answer)), len(answer["data"]["nodes"])) == (100, 100)


async def test_more_than_a_hundred_errors_are_one() -> None:
    gateway = in_process(1)
    query = "query($i: [ID!]!) { a: nodes(ids: $i) { id } b: nodes(ids: $i) { id } }"
    answer = await gateway.ask(query, i=["bad"] * 60)
    assert len(answered(answer)) == 61
    assert answer["data"] is None


async def test_failures_of_the_upstream_are_at_most_a_hundred_errors() -> None:
    gateway = in_process(1)
    gateway.refused_text = "id"
    entities = "query($r: [_Any!]!) { _entities(representations: $r) { __typename } }"
    made_up = [{"__typename": "Segment", "entityId": str(UUID(int=n))} for n in range(150)]
    answer = await gateway.ask(entities, r=made_up)
    assert len(answered(answer)) == 1


async def test_text_behind_the_longest_id_is_not_read() -> None:
    gateway = in_process(1)
    found = await gateway.data("{ segments { nodes { id entityId } } }")
    (row,) = found["segments"]["nodes"]
    query = "query($i: ID!, $e: ID!) { node(id: $i) { id } segment(entityId: $e) { id } }"
    long = await gateway.ask(query, i=row["id"] + "A" * 9000, e=row["entityId"] + " " * 9000)
    assert long["data"] == {"node": None, "segment": None}
    assert {error["extensions"]["code"] for error in long["errors"]} == {"BAD_USER_INPUT"}


async def test_one_of_is_asked_of_any_type() -> None:
    """Strawberry's resolver fails for lists and for types that must not be null."""
    query = '{ __type(name: "Query") { isOneOf fields { type { isOneOf ofType { isOneOf } } } } }'
    data = await in_process(1).data(query)
    assert data["__type"]["isOneOf"] is None
    assert data["__type"]["fields"][0] == {"type": {"isOneOf": None, "ofType": None}}


CREATED = (
    "mutation($i: CreateSegmentsInput!, $s: [NewSegment!]!) { createSegments(input: %s) { %s } }"
)


@pytest.mark.parametrize(
    ("given", "variables", "rows"),
    [
        ("$i", {"i": {"segments": [{"name": "a"}] * 7}}, 7),
        ("$i", {"i": {"segments": {"name": "a"}}}, 1),
        ("$i", {"i": None}, 0),
        ("$i", {}, 0),
        ('{segments: [{name: "a"}, {name: "b"}]}', {}, 2),
        ('{segments: {name: "a"}}', {}, 1),
        ("{segments: $s}", {"s": [{"name": "a"}] * 5}, 5),
    ],
)
def test_the_lists_of_a_payload_are_as_long_as_that_of_the_input(
    given: str, variables: dict[str, Any], rows: int
) -> None:
    both = "segments { id name } userErrors { code }"
    # The payload and its lists; each row with its fields.
    assert values(CREATED % (given, both), **variables) == 3 + rows * 3 + rows * 2


def test_ids_that_were_deleted_count_as_both_lists_of_the_input() -> None:
    document = (
        "mutation($i: DeleteSegmentsInput!) { deleteSegments(input: $i) { deletedSegmentIds } }"
    )
    i = {"ids": ["a", "b"], "entityIds": ["c"]}
    assert values(document, i=i) == 2 + 3
    assert values(document, i={**i, "ids": None}) == 2 + 1


def test_a_payload_s_query_weighs_as_the_query_root() -> None:
    page = "segments(first: 10) { nodes { id } }"
    inside = values(CREATED % ("$i", f"query {{ {page} }}"), i={"segments": []})
    # The payload and its `query` come on top, and one more field of a root.
    assert inside == values(f"{{ {page} }}") + 2 + VALUES_OF_A_ROOT_FIELD


def test_a_segment_of_a_payload_is_no_list() -> None:
    document = (
        "mutation($i: SegmentCustomersInput!) { addCustomersToSegment(input: $i)"
        " { segment { id } customers { id } } }"
    )
    i = {"segmentEntityId": "a", "customerEntityIds": [1, 2, 3]}
    assert values(document, i=i) == 1 + 2 + 1 + 3 * 2
