"""docs/mutations.md, and the contract of the mutations, against the running graph."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    print_ast,
)
from in_process import in_process

from gateway.emulator import Store, seeded_store
from gateway.emulator.resources import Dialect
from gateway.schema import build_graph
from gateway.user_errors import UserErrorCode

PAGE = (Path(__file__).parents[2] / "docs" / "mutations.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
AGAIN = re.findall(r"^\| `([a-z]\w+)` \| (?:`([A-Z_]+)`|the \w+)([,;].+)? \|$", PAGE, re.MULTILINE)


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


async def test_the_mutation_that_is_shown_gives_the_answer_that_is_shown() -> None:
    data = await in_process(seeded_store()).data(block("graphql"))
    assert json.dumps(data, indent=2) == block("json").strip()


def test_every_code_has_its_row_in_order() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| .+ \| .+ \|$", PAGE, re.MULTILINE)
    assert rows == [code.value for code in UserErrorCode]


# --- what each costs -----------------------------------------------------------------------------


def segment_ids(store: Store, number: int) -> list[str]:
    return [row.id for row in store.segments[:number]]


def profile_ids(store: Store, number: int) -> list[str]:
    return [row.id for row in [*store.profiles][:number]]


def new_segment(store: Store) -> str:
    return store.create_segment("Without members").id


INPUTS: dict[str, Callable[[Store, int], dict[str, object]]] = {
    "createSegments": lambda _, n: {"segments": [{"name": f"New {at}"} for at in range(n)]},
    "updateSegments": lambda store, n: {
        "segments": [{"entityId": one, "description": "new"} for one in segment_ids(store, n)]
    },
    "deleteSegments": lambda store, n: {"entityIds": segment_ids(store, n)},
    "addCustomersToSegment": lambda store, n: {
        "segmentEntityId": new_segment(store),
        "customerEntityIds": [*range(1, n + 1)],
    },
    "removeCustomersFromSegment": lambda store, n: {
        "segmentEntityId": store.segments[0].id,
        "customerEntityIds": [*range(1, n + 1)],
    },
    "createShopperProfiles": lambda _, n: {"customerEntityIds": [*range(2001, 2001 + n)]},
    "deleteShopperProfiles": lambda store, n: {"entityIds": profile_ids(store, n)},
    "addShopperProfilesToSegment": lambda store, n: {
        "segmentEntityId": new_segment(store),
        "shopperProfileEntityIds": profile_ids(store, n),
    },
    "removeShopperProfilesFromSegment": lambda store, n: {
        "segmentEntityId": store.segments[0].id,
        "shopperProfileEntityIds": profile_ids(store, n),
    },
}


def document_of(name: str) -> str:
    mutation = GRAPH.api._schema.mutation_type
    assert mutation is not None
    type_ = mutation.fields[name].args["input"].type
    return f"mutation($i: {type_}) {{ {name}(input: $i) {{ userErrors {{ code }} __typename }} }}"


def test_each_mutation_has_its_costs() -> None:
    assert {name for name, *_ in ROWS} == set(INPUTS)
    assert len(ROWS) == 2 * len(INPUTS)


@pytest.mark.parametrize(("name", "items", "requests"), ROWS)
async def test_a_mutation_costs_what_the_documentation_says(
    name: str, items: str, requests: str
) -> None:
    gateway = in_process(seeded_store(250, 2000))
    i = INPUTS[name](gateway.emulator.store, int(items))
    data = await gateway.data(document_of(name), i=i)
    assert data[name]["userErrors"] == []
    assert gateway.upstream_requests == int(requests)
    assert gateway.emulator.unbounded_deletes == 0


@pytest.mark.parametrize("dialect", ["2025", "2026"])
@pytest.mark.parametrize(("name", "code", "condition"), AGAIN)
async def test_a_mutation_that_is_sent_again_has_the_answer_that_is_shown(
    name: str, code: str, condition: str, dialect: Dialect
) -> None:
    gateway = in_process(seeded_store(3, 40))
    gateway.emulator.dialect = dialect
    i = INPUTS[name](gateway.emulator.store, 1) | (
        {"customerEntityIds": [41]} if name == "createShopperProfiles" else {}
    )
    first, second = [
        (await gateway.data(document_of(name), i=i))[name]["userErrors"] for _ in range(2)
    ]
    assert first == []
    # With an answer of 2025 the store does not say that an id of a DELETE was unknown.
    is_silent = dialect == "2025" and "if the store says so" in condition
    assert second == ([{"code": code}] if code and not is_silent else [])


def test_each_mutation_has_its_row_for_the_second_time() -> None:
    assert [name for name, *_ in AGAIN] == [*INPUTS]


# --- the contract of names, arguments and nullability ---------------------------------------------

GRAPH = build_graph()
CONTRACT = """
type Query { unused: Boolean }
type Segment { unused: Boolean }
type Customer { unused: Boolean }
type ShopperProfile { unused: Boolean }

type Mutation {
  createSegments(input: CreateSegmentsInput!): CreateSegmentsPayload
  updateSegments(input: UpdateSegmentsInput!): UpdateSegmentsPayload
  deleteSegments(input: DeleteSegmentsInput!): DeleteSegmentsPayload
  addCustomersToSegment(input: SegmentCustomersInput!): SegmentCustomersPayload
  removeCustomersFromSegment(input: SegmentCustomersInput!): SegmentCustomersPayload
  createShopperProfiles(input: CreateShopperProfilesInput!): CreateShopperProfilesPayload
  deleteShopperProfiles(input: DeleteShopperProfilesInput!): DeleteShopperProfilesPayload
  addShopperProfilesToSegment(input: SegmentShopperProfilesInput!): SegmentShopperProfilesPayload
  removeShopperProfilesFromSegment(
    input: SegmentShopperProfilesInput!
  ): SegmentShopperProfilesPayload
}

input CreateSegmentsInput { segments: [NewSegment!]!, ifNameTaken: IfNameTaken = ERROR }
input NewSegment { name: String!, description: String }
enum IfNameTaken { ERROR KEEP UPDATE }
input UpdateSegmentsInput { segments: [SegmentChange!]! }
input SegmentChange { id: ID, entityId: ID, name: String, description: String }
input DeleteSegmentsInput { ids: [ID!], entityIds: [ID!] }
input SegmentCustomersInput {
  segmentId: ID
  segmentEntityId: ID
  customerEntityIds: [Int!]!
  createMissingProfiles: Boolean = true
}
input CreateShopperProfilesInput { customerEntityIds: [Int!]! }
input DeleteShopperProfilesInput { entityIds: [ID!]! }
input SegmentShopperProfilesInput {
  segmentId: ID
  segmentEntityId: ID
  shopperProfileEntityIds: [ID!]!
}

type CreateSegmentsPayload { segments: [Segment!]!, userErrors: [UserError!]!, query: Query! }
type UpdateSegmentsPayload { segments: [Segment!]!, userErrors: [UserError!]!, query: Query! }
type DeleteSegmentsPayload { deletedSegmentIds: [ID!]!, userErrors: [UserError!]!, query: Query! }
type SegmentCustomersPayload {
  segment: Segment
  customers: [Customer!]!
  createdShopperProfiles: Int!
  userErrors: [UserError!]!
  query: Query!
}
type CreateShopperProfilesPayload {
  shopperProfiles: [ShopperProfile!]!
  userErrors: [UserError!]!
  query: Query!
}
type DeleteShopperProfilesPayload {
  deletedShopperProfileEntityIds: [ID!]!
  userErrors: [UserError!]!
  query: Query!
}
type SegmentShopperProfilesPayload {
  segment: Segment
  shopperProfiles: [ShopperProfile!]!
  userErrors: [UserError!]!
  query: Query!
}

type UserError { field: [String!], message: String!, code: UserErrorCode! }
enum UserErrorCode {
  INVALID NAME_TAKEN NOT_FOUND LIMIT_REACHED ALREADY_MEMBER NOT_A_MEMBER NO_SHOPPER_PROFILE
  HAS_SHOPPER_PROFILE REFUSED NOT_ATTEMPTED OUTCOME_UNKNOWN
}
"""
READ_TYPES = {"Query", "Segment", "Customer", "ShopperProfile"}


def default_of(field: GraphQLInputField) -> str:
    """Returns the default of a field of an input as text, empty without one."""
    node = field.ast_node
    assert node is not None
    return print_ast(node.default_value) if node.default_value else ""


def shape(schema: GraphQLSchema, name: str) -> object:
    """Returns the fields of a type with their arguments, types and defaults."""
    type_: Any = schema.type_map[name]
    if isinstance(type_, GraphQLEnumType):
        return [*type_.values]
    if isinstance(type_, GraphQLInputObjectType):
        return {name: (str(field.type), default_of(field)) for name, field in type_.fields.items()}
    assert isinstance(type_, GraphQLObjectType)
    return {
        name: (str(field.type), {key: str(one.type) for key, one in field.args.items()})
        for name, field in type_.fields.items()
    }


def test_the_graph_has_the_mutations_of_the_contract_and_no_others() -> None:
    contract, ours = build_schema(CONTRACT), build_schema(GRAPH.api_sdl)
    names = {
        name
        for name, type_ in contract.type_map.items()
        if name not in READ_TYPES and not name.startswith("__") and hasattr(type_, "ast_node")
    } - {"Boolean", "ID", "Int", "String"}
    for name in names:
        assert shape(ours, name) == shape(contract, name), name
    in_the_graph = {name for name in ours.type_map if re.search(r"(Payload|Input)$", name)}
    assert in_the_graph <= names
