"""Which variables have a plan: those that coercion leaves as they are. All others are executed."""

from itertools import product

import pytest
from in_process import in_process
from twins import counts_of
from ways import Warm, way_of

from gateway.emulator import seeded_store

IDS = [row.id for row in seeded_store(12).segments]
PAGE = "query ($of: {}) {{ segments(first: $of) {{ nodes {{ id }} }} }}"
ROW = "query ($of: {}) {{ segment(entityId: $of) {{ name }} }}"
ROWS = "query ($of: {}) {{ segmentsByEntityId(entityIds: $of) {{ name }} }}"
ANY = "query ($of: {}) {{ _entities(representations: $of) {{ __typename }} }}"
ON = "query ($of: {}) {{ segments {{ totalCount @include(if: $of) nodes {{ id }} }} }}"
AFTER = "query ($of: {}) {{ segments(after: $of) {{ totalCount nodes {{ id }} }} }}"
NOTHING = object()
ENTITY = {"__typename": "Segment", "entityId": IDS[0]}


def usual(kind: str) -> tuple[str, str, object]:
    """Returns a document of which a variable has this type, and a value of it that has a plan."""
    return {
        "Int": ("Int", PAGE, 2),
        "ID": ("ID", ROW, IDS[0]),
        "String": ("String", AFTER, None),
        "Boolean": ("Boolean!", ON, True),
        "[ID!]!": ("[ID!]!", ROWS, [IDS[0]]),
        "[_Any!]!": ("[_Any!]!", ANY, [ENTITY]),
    }[kind]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("Int", [True, 2.0, "2", 2**31, -(2**31) - 1, [2]]),
        ("ID", [5, 5.0, True, [IDS[0]], {"a": 1}]),
        ("String", [5, True, ["x"]]),
        ("Boolean", [1, 0, "true", None, [True], {"a": 1}, NOTHING]),
        ("[ID!]!", [IDS[0], [None], [5], [IDS[0], True], None, NOTHING, [[IDS[0]]]]),
        ("[_Any!]!", [ENTITY, [None], None, NOTHING]),
    ],
)
async def test_other_values_of_a_type_are_executed(kind: str, values: list[object]) -> None:
    declared, document, value = usual(kind)
    document = document.format(declared)
    warm = Warm()
    assert await warm.way(document, {"of": value}) == "planned"
    for other in values:
        before = counts_of(warm.gateway)
        sent = {} if other is NOTHING else {"of": other}
        answer = await warm.gateway.ask(document, **sent)
        executed = await warm.executing.ask(document, **sent)
        assert counts_of(warm.gateway) - before == {"executed": 1}, other
        assert answer.get("data") == executed.get("data"), other
        assert [e["message"] for e in answer.get("errors", ())] == [
            e["message"] for e in executed.get("errors", ())
        ]


async def test_values_of_each_type_that_have_a_plan() -> None:
    ways = await Warm().ways(
        {
            "largest number": (PAGE.format("Int!"), {"of": 250}),
            "no number": (PAGE.format("Int"), {}),
            "null in place of a number": (PAGE.format("Int"), {"of": None}),
            "default": (PAGE.format("Int = 2"), {}),
            "another value than the default": (PAGE.format("Int = 2"), {"of": 3}),
            "null in place of the default": (PAGE.format("Int! = 2"), {}),
            "text": (ROW.format("ID!"), {"of": IDS[0]}),
            "a list": (ROWS.format("[ID!]!"), {"of": IDS}),
            "an empty list": (ROWS.format("[ID!]!"), {"of": []}),
            "a list by default": (ROWS.format(f'[ID!]! = ["{IDS[0]}"]'), {}),
            "one id by default": (ROWS.format(f'[ID!]! = "{IDS[0]}"'), {}),
            "entities": (ANY.format("[_Any!]!"), {"of": [ENTITY]}),
            "a condition": (ON.format("Boolean!"), {"of": False}),
            "a condition by default": (ON.format("Boolean! = false"), {}),
            "a variable that the operation has not": (ON.format("Boolean! = true"), {"x": [1]}),
        }
    )
    assert set(ways.values()) == {"planned"}, ways


async def test_largest_numbers_are_read_as_graphql_core_does() -> None:
    """Both are executed: the first for its number of rows, the second for its type."""
    ways = await Warm().ways(
        {
            "2**31 - 1": (PAGE.format("Int"), {"of": 2**31 - 1}),
            "2**31": (PAGE.format("Int"), {"of": 2**31}),
            "smallest": (PAGE.format("Int"), {"of": -(2**31)}),
        }
    )
    assert ways == {"2**31 - 1": "executed", "2**31": "executed", "smallest": "executed"}


async def test_null_for_a_nullable_variable_of_a_required_argument_is_executed() -> None:
    """The variable may be null in its place because it has a default."""
    document = ROWS.format(f'[ID!] = ["{IDS[0]}"]')
    ways = await Warm().ways(
        {
            "the default": (document, {}),
            "a list": (document, {"of": [IDS[1]]}),
            "null": (document, {"of": None}),
            "null in the list": (document, {"of": [None]}),
            "one id": (document, {"of": IDS[0]}),
        }
    )
    assert ways == {
        "the default": "planned",
        "a list": "planned",
        "null": "executed",
        "null in the list": "executed",
        "one id": "executed",
    }


CONDITIONS = (
    "query ($a: Boolean! = true, $b: Boolean! = true, $c: Boolean! = true) { segments(first: 1) "
    "{ ... @include(if: $a) { totalCount } ... @skip(if: $b) { nodes { id } } "
    "nodes { name @include(if: $c) entityId } } }"
)


async def test_each_combination_of_conditions_has_a_plan() -> None:
    warm = Warm()
    values = [dict(zip("abc", given, strict=True)) for given in product([True, False], repeat=3)]
    assert [await warm.way(CONDITIONS, given) for given in values] == ["planned"] * 8
    # What is not given has the plan of its default.
    assert await warm.way(CONDITIONS) == "planned"
    assert [await warm.way(CONDITIONS, given) for given in values] == ["planned"] * 8


async def test_wrong_variables_leave_the_plan_to_the_next_request() -> None:
    """What one client sends wrongly does not take the plan from all others."""
    warm = Warm()
    await warm.way("{ segments { totalCount } }")
    document = PAGE.format("Int")
    assert await warm.way(document, {"of": "x"}) == "executed"
    assert await warm.way(document, {"of": 2}) == "planned"


@pytest.mark.parametrize("value", [[], {}, [True]])
async def test_condition_that_is_no_boolean_is_refused_by_graphql_core(value: object) -> None:
    gateway = in_process(2, RESPONSE_CACHE_MAX_BYTES="0")
    document = ON.format("Boolean!")
    await gateway.data(document, of=True)
    await gateway.data(document, of=True)
    way, answer = await way_of(gateway, document, of=value)
    assert way == "executed"
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]


async def test_condition_of_another_operation_in_the_document_may_be_of_any_type() -> None:
    gateway = in_process(2, RESPONSE_CACHE_MAX_BYTES="0")
    document = (
        "query A($x: [ID!]!) { segmentsByEntityId(entityIds: $x) { id } } "
        "query B($x: Boolean!) { segments { totalCount @include(if: $x) } }"
    )
    for _ in range(3):
        asked = {"query": document, "operationName": "A", "variables": {"x": [IDS[0]]}}
        answer = (await gateway.http.post("/graphql", json=asked)).json()
        assert len(answer["data"]["segmentsByEntityId"]) == 1
    assert counts_of(gateway) == {"executed": 3, "planned": 0, "cached": 0}
