"""The npm project of GraphiQL: what it depends on, and the examples that a newcomer finds."""

import json
import re
from base64 import b64decode
from pathlib import Path

import httpx
import msgspec
import pytest

from gateway.app import create_app
from gateway.emulator import seeded_store
from gateway.settings import load_settings

PROJECT = Path(__file__).parents[3] / "graphiql"
TAB = re.compile(r"query: `(?P<query>[^`]+)`,\s+variables: `(?P<variables>[^`]+)`")
SEGMENTS = list(seeded_store().segments)


class Package(msgspec.Struct):
    """The part of package.json that says what the build consists of."""

    dev_dependencies: dict[str, str] = msgspec.field(name="devDependencies")


class Example(msgspec.Struct):
    """One tab of src/examples.js."""

    query: str
    variables: dict[str, object]


def examples() -> list[Example]:
    source = (PROJECT / "src" / "examples.js").read_text(encoding="utf-8")
    return [Example(tab["query"], json.loads(tab["variables"])) for tab in TAB.finditer(source)]


async def answer_to(example: Example, **variables: object) -> dict[str, object]:
    app = create_app(load_settings({}))
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
    ):
        answer = await http.post(
            "/graphql",
            json={"query": example.query, "variables": {**example.variables, **variables}},
        )
    assert answer.status_code == 200
    body = msgspec.json.decode(answer.content, type=dict[str, dict[str, object]])
    assert body.keys() <= {"data", "extensions"}  # a mutation has no age
    return body["data"]


def test_every_dependency_is_pinned_exactly() -> None:
    package = msgspec.json.decode((PROJECT / "package.json").read_bytes(), type=Package)
    unpinned = [
        name
        for name, version in package.dev_dependencies.items()
        if not re.fullmatch(r"\d+\.\d+\.\d+", version)
    ]
    assert unpinned == []


def test_lockfile_has_hashes_and_names_no_registry() -> None:
    lockfile = (PROJECT / "package-lock.json").read_text(encoding="utf-8")
    assert '"integrity": "sha512-' in lockfile
    assert '"resolved"' not in lockfile
    assert "registry" not in lockfile


def test_the_first_tab_pages_forward_and_the_others_show_one_of_each() -> None:
    names = [
        re.findall(r"^(?:query|mutation) (\w+)", example.query, re.MULTILINE)
        for example in examples()
    ]
    assert [name for (name,) in names] == [
        *("Forward", "Backward", "Sorted", "ById", "Customers", "Members", "CreateSegments")
    ]


def test_examples_fit_beside_the_toolbar_of_a_small_screen() -> None:
    lines = [line for example in examples() for line in example.query.splitlines()]
    assert max(map(len, lines)) <= 48


async def test_first_example_pages_forward() -> None:
    forward = examples()[0]
    first = await answer_to(forward)
    match first:
        case {"segments": {"totalCount": total, "pageInfo": {"endCursor": cursor}}}:
            assert total == len(SEGMENTS)
        case _:
            pytest.fail(f"not a page: {first}")
    second = await answer_to(forward, after=cursor)
    assert entity_ids(first, "nodes") == [segment.id for segment in SEGMENTS[:5]]
    assert entity_ids(second, "nodes") == [segment.id for segment in SEGMENTS[5:10]]


async def test_second_example_pages_backward() -> None:
    backward = examples()[1]
    last = await answer_to(backward)
    match last:
        case {"segments": {"pageInfo": {"startCursor": cursor, "hasPreviousPage": True}}}:
            before = await answer_to(backward, before=cursor)
        case _:
            pytest.fail(f"not a page: {last}")
    assert entity_ids(last, "edges") == [segment.id for segment in SEGMENTS[-5:]]
    assert entity_ids(before, "edges") == [segment.id for segment in SEGMENTS[-10:-5]]


async def test_third_example_sorts_and_filters() -> None:
    names = sorted(segment.name for segment in SEGMENTS if "VIP" in segment.name)
    match await answer_to(examples()[2]):
        case {"segmentsCount": count, "segments": {"nodes": nodes}}:
            assert count == len(names) == 6
            assert [name_of(node) for node in nodes] == names
        case other:
            pytest.fail(f"not what the variables select: {other}")


async def test_fourth_example_finds_segments_of_the_emulator() -> None:
    found = await answer_to(examples()[3])
    vip, first_time, repeat = SEGMENTS[:3]
    match found:
        case {"segment": {"name": one}, "segmentsByEntityId": [three, None, two], "node": node}:
            assert one == vip.name
        case _:
            pytest.fail(f"not what the variables name: {found}")
    assert name_of(three) == repeat.name
    assert name_of(two) == first_time.name
    assert name_of(node) == first_time.name


async def test_fifth_example_finds_customers_with_their_segments() -> None:
    match await answer_to(examples()[4]):
        case {
            "customersByEntityId": [
                {"entityId": 2, "segments": {"totalCount": 2}},
                {"entityId": 6, "segments": {"totalCount": 4}},
                {"entityId": 20001, "shopperProfile": None, "segments": {"totalCount": 0}},
            ],
            "customer": {"entityId": 12, "segments": {"totalCount": 6, "nodes": nodes}},
        }:
            assert "VIP customers" in [name_of(node) for node in nodes]
        case other:
            pytest.fail(f"not the customers that the variables name: {other}")


async def test_sixth_example_pages_through_the_members_of_a_segment() -> None:
    match await answer_to(examples()[5]):
        case {"segment": {"name": name, "shopperProfiles": {"totalCount": total, "nodes": nodes}}}:
            assert (name, total) == ("Loyalty gold", 2500)
            ids = [b64decode(node["customer"]["id"]).decode() for node in nodes]
            assert ids == [f"Customer:{8 * n}" for n in range(1, 6)]
        case other:
            pytest.fail(f"not the members of a segment: {other}")


async def test_the_mutation_changes_nothing_in_the_emulated_store() -> None:
    vip = SEGMENTS[0]
    match await answer_to(examples()[6]):
        case {"createSegments": {"segments": kept, "userErrors": []}}:
            assert [(row["entityId"], row["name"], row["description"]) for row in kept] == [
                (vip.id, vip.name, vip.description)
            ]
        case other:
            pytest.fail(f"not the segment that the store has: {other}")


def name_of(node: object) -> object:
    assert isinstance(node, dict)
    return node["name"]


def entity_ids(data: dict[str, object], rows: str) -> list[object]:
    connection = data["segments"]
    assert isinstance(connection, dict)
    return [row.get("node", row)["entityId"] for row in connection[rows]]
