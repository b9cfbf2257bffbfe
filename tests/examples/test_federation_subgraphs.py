"""The subgraphs of the larger graph: their SDL, their references, their pages."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import customers
import promotions
import pytest

from gateway.emulator import seeded_store

EXAMPLE = Path(__file__).parents[2] / "examples" / "federation"
SUBGRAPHS = {"promotions": promotions.schema, "customers": customers.schema}
NAMES = {row.id: row.name for row in seeded_store().select(None)}


def data(subgraph: str, query: str) -> dict[str, Any]:
    answer = SUBGRAPHS[subgraph].execute_sync(query)
    assert answer.errors is None
    assert answer.data is not None
    return answer.data


def entities(subgraph: str, entity_ids: list[str], selection: str) -> list[dict[str, Any]]:
    """What a router gets for references to segments."""
    references = ", ".join(f'{{__typename: "Segment", entityId: "{uuid}"}}' for uuid in entity_ids)
    query = f"{{ _entities(representations: [{references}]) {{ ... on Segment {selection} }} }}"
    found: list[dict[str, Any]] = data(subgraph, query)["_entities"]
    return found


@pytest.mark.parametrize("subgraph", SUBGRAPHS)
def test_the_sdl_is_the_program_s(subgraph: str) -> None:
    printed = subprocess.run(
        [sys.executable, EXAMPLE / f"{subgraph}.py", "--sdl"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout == (EXAMPLE / f"{subgraph}.graphql").read_text(encoding="utf-8")
    assert data(subgraph, "{ _service { sdl } }")["_service"]["sdl"] == printed.stdout.strip()


@pytest.mark.parametrize("script", sorted(EXAMPLE.glob("*.py")), ids=lambda path: path.name)
def test_nothing_imports_the_gateway(script: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert "gateway" not in imported


def test_promotions_name_segments_of_the_emulated_store_and_one_that_is_gone() -> None:
    query = "{ promotions { edges { node { entityId name segments { entityId } } } } }"
    rows = [edge["node"] for edge in data("promotions", query)["promotions"]["edges"]]
    assert [
        (row["name"], [NAMES.get(segment["entityId"]) for segment in row["segments"]])
        for row in rows
    ] == [
        ("Free shipping", ["VIP customers", "Loyalty gold"]),
        ("Private sale", ["VIP customers"]),
        ("Welcome back", ["Lapsed customers", None]),
    ]
    assert promotions.DELETED not in {row.id for row in seeded_store(1000).select(None)}


def test_customers_have_the_ids_of_the_emulated_store_and_names_of_their_own() -> None:
    query = "{ customersByIds(entityIds: [20001, 1, 2]) { entityId email firstName lastName } }"
    alan, unknown, ada = data("customers", query)["customersByIds"]
    assert (alan["entityId"], alan["email"], unknown) == (20001, "alan@example.com", None)
    assert ada == {
        "entityId": 2,
        "email": "ada@example.com",
        "firstName": "Ada",
        "lastName": "Lovelace",
    }
    assert {row.id for row in seeded_store().customers} >= customers.CUSTOMERS.keys()


def test_customers_that_are_referred_to_come_in_their_order() -> None:
    references = ", ".join(f'{{__typename: "Customer", entityId: {n}}}' for n in (3, 1, 2))
    query = (
        f"{{ _entities(representations: [{references}]) {{ ... on Customer {{ firstName }} }} }}"
    )
    found = data("customers", query)["_entities"]
    assert found == [{"firstName": "Grace"}, None, {"firstName": "Ada"}]


def test_promotions_of_referenced_segments_come_in_their_order() -> None:
    first_time_buyers = seeded_store().segments[1].id
    asked = [promotions.LOYALTY_GOLD, promotions.VIP_CUSTOMERS, first_time_buyers]
    found = entities("promotions", asked, "{ entityId promotions { name } }")
    assert [(row["entityId"], [p["name"] for p in row["promotions"]]) for row in found] == [
        (promotions.LOYALTY_GOLD, ["Free shipping"]),
        (promotions.VIP_CUSTOMERS, ["Free shipping", "Private sale"]),
        (first_time_buyers, []),
    ]


def test_promotions_are_paged_and_found_by_their_global_ids() -> None:
    page = "promotions(first: 2) { edges { node { id name } } pageInfo { hasNextPage endCursor } }"
    first = data("promotions", f"{{ {page} }}")["promotions"]
    assert [edge["node"]["name"] for edge in first["edges"]] == ["Free shipping", "Private sale"]
    assert first["pageInfo"]["hasNextPage"] is True
    after = page.replace("first: 2", f'first: 2, after: "{first["pageInfo"]["endCursor"]}"')
    second = data("promotions", f"{{ {after} }}")["promotions"]
    assert [edge["node"]["name"] for edge in second["edges"]] == ["Welcome back"]
    assert second["pageInfo"]["hasNextPage"] is False
    node = 'node(id: "{}") {{ id ... on Promotion {{ name }} }}'
    row = first["edges"][1]["node"]
    assert data("promotions", f"{{ {node.format(row['id'])} }}")["node"] == row
    unknown = "UHJvbW90aW9uOjk="  # Promotion:9
    assert data("promotions", f"{{ {node.format(unknown)} }}")["node"] is None
