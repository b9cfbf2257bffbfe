"""Lists of JavaScript clients after one mutation, with the snippets of docs/clients.md."""

import re
from pathlib import Path

import msgspec
import pytest
from npm_tools import answer_of, needs
from processes import TOKEN, gateway_over, serving

from gateway.emulator import create_emulator, seeded_store

ROOT = Path(__file__).parents[2]
JAVASCRIPT = Path(__file__).parent / "javascript"
SEGMENTS = 60
PROFILES = 20
PAGE = 40
CREATED = "Regulars"
# The third segment has the profiles of each third customer; customer 21 has no profile.
MEMBERS = [3, 6, 9, 12, 15, 18]
NEW_MEMBER = 21
# A list of segments is read at first and in the payloads of two mutations.
UPSTREAM_REQUESTS = {
    "list_segments": 3,
    "create_segments": 1,
    "delete_segments": 1,
    "list_segment_shopper_profiles": 2,
    "list_customers": 2,
    "create_shopper_profiles": 1,
    "add_segment_shopper_profiles": 1,
}

pytestmark = needs(JAVASCRIPT)


class Step(msgspec.Struct):
    """The operations that a client sent, and what its lists show after them."""

    sent: list[str]
    count: int | None
    rows: list[str]
    members: list[int]


class Seen(msgspec.Struct):
    """The steps of a client, and what it said on the console."""

    steps: list[Step]
    warnings: list[str]


def section(heading: str) -> str:
    """A section of docs/clients.md, without its subsections."""
    page = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    return page.partition(f"# {heading}\n")[2].partition("\n## ")[0].partition("\n### ")[0]


def snippet(heading: str, language: str) -> str:
    """The only snippet of a section in a language."""
    (code,) = re.findall(rf"^```{language}\n(.*?)^```", section(heading), re.M | re.S)
    assert isinstance(code, str)
    return code


def snippets(heading: str) -> dict[str, str]:
    """The documents and the configuration of a client, as its section shows them."""
    members = snippet("Lists after a mutation", "graphql")
    return {"documents": members + snippet(heading, "graphql"), "config": snippet(heading, "js")}


def run(script: str, asked: dict[str, str]) -> Seen:
    """What a client sees of a store of its own; checks what it cost the store."""
    emulator = create_emulator(
        seeded_store(SEGMENTS, PROFILES), token=TOKEN, rate_limit_quota=1_000_000
    )
    with serving(emulator) as upstream, gateway_over(upstream) as gateway:
        question = {
            "url": f"{gateway}/graphql",
            "schema": (ROOT / "api.graphql").read_text(encoding="utf-8"),
            "name": CREATED,
            "customer": NEW_MEMBER,
            **asked,
        }
        answer = answer_of(JAVASCRIPT / script, question)
    assert emulator.state.emulator.requests == UPSTREAM_REQUESTS
    return msgspec.json.decode(answer, type=Seen)


def right_steps() -> list[Step]:
    """One request for each page, list and mutation, and the lists of the store."""
    first = [row.name for row in seeded_store(SEGMENTS, PROFILES).segments]
    created = [*first, CREATED]
    left = [created[0], *created[2:]]
    return [
        Step(["Segments"], SEGMENTS, first[:PAGE], []),
        Step(["Segments"], SEGMENTS, first, []),
        Step(["CreateSegments"], SEGMENTS + 1, created, []),
        Step(["DeleteSegments"], SEGMENTS, left, []),
        Step(["Members"], SEGMENTS, left, MEMBERS),
        Step(["AddCustomers"], SEGMENTS, left, [*MEMBERS, NEW_MEMBER]),
    ]


@pytest.mark.parametrize("client", ["Apollo Client 4", "Apollo Client 3"])
def test_apollo_s_lists_are_right_after_one_request(client: str) -> None:
    asked = {"client": client, **snippets("Lists in Apollo Client")}
    assert run("apollo-mutations.mjs", asked) == Seen(right_steps(), [])


def test_graphcache_s_lists_are_right_after_one_request() -> None:
    assert run("urql-mutations.mjs", snippets("Lists in urql")) == Seen(right_steps(), [])


def test_relay_s_lists_are_right_after_one_request() -> None:
    seen = run("relay-mutations.mjs", snippets("Lists in Relay"))
    assert seen.steps == right_steps()
    types = [re.findall("types `(.*?)` and `(.*?)`", warning) for warning in seen.warnings]
    assert types == [[("__Root", "Query")], [("Query", "__Root")]]


def test_relay_s_count_alone_is_old_without_its_root() -> None:
    asked = snippets("Lists in Relay")
    asked["config"] = re.sub(r"^  getDataID.*\n", "", asked["config"], flags=re.M)
    steps = [msgspec.structs.replace(step, count=SEGMENTS) for step in right_steps()]
    assert run("relay-mutations.mjs", asked) == Seen(steps, [])


WHOLE_LIST = """{
  segmentsCount
  segments(first: $first) @connection(key: "Segments_segments") { edges { node { id name } } }
}"""


def test_relay_s_list_is_replaced_by_that_of_the_payload() -> None:
    asked = snippets("Lists in Relay")
    without = re.sub(r" @(appendNode|deleteEdge)\(.*?\)", "", asked["documents"])
    asked["documents"] = without.replace("$lists: [ID!]!", "$first: Int!").replace(
        "{ segmentsCount }", WHOLE_LIST
    )
    assert run("relay-mutations.mjs", asked).steps == right_steps()
