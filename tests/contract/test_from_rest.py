"""docs/from-rest.md: its commands and its queries do the same, for as many requests as it says."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from in_process import InProcess, in_process
from rest_commands import RestClient

from gateway.emulator import Emulator, Store, create_emulator, seeded_store

PAGE = (Path(__file__).parents[2] / "docs" / "from-rest.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| \[(.+)\]\(.+\) \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
QUERY_IN_ROW = re.compile(r"^\| .+ \| `(\{.+?\})`", re.MULTILINE)
# The fields that both halves have, with the name in the graph.
SHARED_FIELDS = {
    "name": "name",
    "description": "description",
    "email": "email",
    "firstName": "firstName",
    "first_name": "firstName",
}
IDS = {"entityId": "entityId", "id": "entityId"}  # new for each new row
# Reads the customers and the segments that the mutations of the page name.
WARM_UP = """{
  segments(first: 250) { nodes { name } }
  customersByEntityId(entityIds: [12, 20001, 20002]) { email segments { nodes { name } } }
}"""


@dataclass(frozen=True)
class Example:
    """What is below one heading: a script, a query, and the data of its answer if it is shown."""

    title: str
    script: str
    query: str
    shown: str | None

    @property
    def is_mutation(self) -> bool:
        return self.query.startswith("mutation")


def section(title: str) -> str:
    """What is between a heading of the second level and the next one."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def examples(text: str) -> Iterator[Example]:
    for part in text.split("\n### ")[1:]:
        blocks = dict(BLOCK.findall(part))
        title = part.partition("\n")[0]
        yield Example(title, blocks["sh"], blocks["graphql"], blocks.get("json"))


OPERATIONS = [*examples(section("The eleven operations"))]
WORKFLOWS = [*examples(section("Workflows"))]
WORKFLOW = {example.title: example for example in WORKFLOWS}


class Rest:
    """The store of the page's commands, and a client that runs them."""

    def __init__(self, segments: int = 120) -> None:
        app = create_emulator(seeded_store(segments))
        self.emulator: Emulator = app.state.emulator
        self.client = RestClient(app)

    async def run(self, script: str) -> None:
        begin = dict(BLOCK.findall(section("Before you begin")))["sh"]
        start, _, variables = begin.partition("\n")
        assert start == "gateway emulator --port 8001  # in a terminal of its own"
        await self.client.run(variables + script)


def gateway_over_a_store(segments: int = 120) -> InProcess:
    return in_process(seeded_store(segments))


def contents(store: Store) -> dict[str, object]:
    """What a store has, without ids and dates, which are new for each new row."""
    return {
        "segments": [(row.name, row.description) for row in store.segments],
        "profiles": [row.customer_id for row in store.profiles],
        "members": {
            row.name: sorted(profile.customer_id for profile in store.members.of_segment(row.id))
            for row in store.segments
        },
    }


def values(answer: object, names: dict[str, str]) -> set[tuple[str, object]]:
    """The values of these fields in an answer, each with its name in the graph."""
    if isinstance(answer, list):
        return {found for one in answer for found in values(one, names)}
    if not isinstance(answer, dict):
        return set()
    found = {(names[key], value) for key, value in answer.items() if key in names}
    return found | {inner for one in answer.values() for inner in values(one, names)}


def of(found: list[Example]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("example", found, ids=lambda example: example.title)


def test_the_table_lists_the_workflows_in_their_order() -> None:
    assert [title for title, *_ in ROW.findall(PAGE)] == [example.title for example in WORKFLOWS]


async def test_each_operation_of_segmentation_is_shown_once() -> None:
    shown: list[str] = []
    for example in OPERATIONS:
        rest = Rest()
        await rest.run(example.script)
        shown += rest.emulator.requests.elements()
    assert len(set(shown)) == len(shown) == 11
    assert "list_customers" not in shown


@of(OPERATIONS + WORKFLOWS)
async def test_commands_and_query_have_the_same_effect_and_the_same_answer(
    example: Example,
) -> None:
    rest, gateway = Rest(), gateway_over_a_store()
    await rest.run(example.script)
    data = await gateway.data(example.query)
    assert [payload["userErrors"] for payload in data.values() if "userErrors" in payload] == (
        [[]] if example.is_mutation else []
    )
    after = contents(rest.emulator.store)
    assert contents(gateway.emulator.store) == after
    assert (after != contents(seeded_store())) is example.is_mutation
    names = SHARED_FIELDS if example.is_mutation else SHARED_FIELDS | IDS
    assert values(data, names) <= values(rest.client.answers, names)


async def test_the_page_can_be_followed_from_top_to_bottom_on_one_store() -> None:
    rest, gateway = Rest(), gateway_over_a_store()
    for example in OPERATIONS + WORKFLOWS:
        await rest.run(example.script)
        data = await gateway.data(example.query)
        assert example.shown is None or data == json.loads(example.shown)
        assert contents(gateway.emulator.store) == contents(rest.emulator.store)


@of(WORKFLOWS)
async def test_a_workflow_has_the_answer_and_the_cost_that_are_shown(example: Example) -> None:
    rest, cold, warm = Rest(), gateway_over_a_store(), gateway_over_a_store()
    await rest.run(example.script)
    assert await cold.data(example.query) == json.loads(example.shown or "")
    await warm.data(WARM_UP if example.is_mutation else example.query)
    before = warm.upstream_requests
    await warm.data(example.query)
    counted = [rest.emulator.requests.total(), cold.upstream_requests]
    shown = {title: [int(number) for number in numbers] for title, *numbers in ROW.findall(PAGE)}
    assert [*counted, warm.upstream_requests - before] == shown[example.title]


async def test_a_customer_is_put_back_and_doing_it_twice_is_no_error() -> None:
    gateway = gateway_over_a_store()
    before = contents(gateway.emulator.store)
    remove = WORKFLOW["Toggle a membership"].query
    add = remove.replace("removeCustomersFromSegment", "addCustomersToSegment")
    first, second = [await gateway.data(remove) for _ in range(2)]
    assert first == second
    for _ in range(2):
        payload = (await gateway.data(add))["addCustomersToSegment"]
        assert payload["userErrors"] == []
        assert {"name": "App users"} in payload["customers"][0]["segments"]["nodes"]
    assert contents(gateway.emulator.store) == before


@pytest.mark.parametrize(("first", "requests"), [(3, 3), (100, 3), (150, 4)])
async def test_a_page_of_members_costs_a_request_for_each_hundred(
    first: int, requests: int
) -> None:
    query = WORKFLOW["Who is in a segment, with e-mails"].query.replace("3)", f"{first})")
    gateway = gateway_over_a_store()
    found = (await gateway.data(query))["segment"]["shopperProfiles"]["nodes"]
    assert len({member["customer"]["email"] for member in found}) == first
    assert gateway.upstream_requests == requests


async def test_a_name_among_a_thousand_takes_four_requests() -> None:
    gateway = gateway_over_a_store(1000)
    await gateway.data(WORKFLOW["Find a segment by name"].query)
    assert gateway.upstream_requests == 4


async def test_what_rest_does_not_have_is_answered() -> None:
    gateway = gateway_over_a_store()
    queries = QUERY_IN_ROW.findall(section("What REST does not have"))
    assert len(queries) == 6
    for query in queries:
        (found,) = (await gateway.data(query)).values()
        assert found


async def test_a_delete_without_ids_empties_the_store_and_the_gateway_sends_none() -> None:
    text = section("What cannot be said any more")
    blocks = dict(BLOCK.findall(text))
    rest, gateway = Rest(), gateway_over_a_store()
    await rest.run(blocks["sh"])
    assert rest.emulator.store.segments == []
    (error,) = (await gateway.ask(blocks["graphql"]))["errors"]
    assert f"`{error['message']}`" in text
    assert gateway.upstream_requests == 0
    assert gateway.emulator.store == seeded_store()
