"""JavaScript clients against a running gateway, and graphql-eslint on its schema."""

import re
from collections.abc import Iterator
from hashlib import md5, sha256
from pathlib import Path

import msgspec
import pytest
from npm_tools import answer_of, needs
from processes import emulator_on_a_port, gateway_over

ROOT = Path(__file__).parents[2]
JAVASCRIPT = Path(__file__).parent / "javascript"
ROWS = 120

pytestmark = needs(JAVASCRIPT)


class Asked(msgspec.Struct):
    """The requests that a client sent for two queries, and the `totalCount` that each gave."""

    sent: list[str]
    totals: list[int | None]


class Walked(msgspec.Struct):
    """What Apollo's cache has of a list after its last page."""

    pages: int
    nodes: int | None
    edges: int | None


class Batched(msgspec.Struct):
    """The requests that a client sent for a batch, and what its callers saw."""

    sent: list[str]
    errors: list[str | None]


class Merged(msgspec.Struct):
    """The number of documents sent and of queries answered, and what the others failed with."""

    documents: int
    answered: int
    errors: list[str]


class Merge(msgspec.Struct):
    """A query, how many times it is asked at once, and how many of them go into one document."""

    text: str
    times: int
    most: int = 1000


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with emulator_on_a_port(ROWS) as (upstream, _), gateway_over(upstream) as gateway:
        yield f"{gateway}/graphql"


def clients_page() -> str:
    return (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("accept", [None, "application/json"])
def test_documents_are_sent_once_and_then_by_their_hash(url: str, accept: str | None) -> None:
    answer = answer_of(JAVASCRIPT / "persisted.mjs", {"url": url, "accept": accept})
    totals: list[int | None] = [ROWS] * 4
    by_post = Asked(["POST hash 200", "POST document 200", "POST hash 200"] * 2, totals)
    apollo_by_get = Asked(["GET hash 200", "POST document 200", "GET hash 200"] * 2, totals)
    urql_by_get = Asked(["GET hash 200", "GET document 200", "GET hash 200"] * 2, totals)
    assert msgspec.json.decode(answer, type=dict[str, Asked]) == {
        "Apollo Client 4, POST": by_post,
        "Apollo Client 3, POST": by_post,
        "urql, POST": by_post,
        "Apollo Client 4, GET": apollo_by_get,
        "Apollo Client 3, GET": apollo_by_get,
        "urql, GET": urql_by_get,
    }


TOTAL = "query Total { segments { totalCount } }"


def test_trusted_documents_are_executed_by_the_ids_that_clients_send(tmp_path: Path) -> None:
    # The ids of Relay's compiler, and of Apollo's manifest.
    ids = [md5(TOTAL.encode()).hexdigest(), sha256(TOTAL.encode()).hexdigest()]
    file = tmp_path / "manifest.json"
    file.write_bytes(msgspec.json.encode(dict.fromkeys(ids, TOTAL)))
    with (
        emulator_on_a_port(ROWS) as (upstream, _),
        gateway_over(
            upstream, TRUSTED_DOCUMENTS_FILE=str(file), TRUSTED_DOCUMENTS_ONLY="true"
        ) as gateway,
    ):
        question = {"url": f"{gateway}/graphql", "ids": [*ids, "unknown"]}
        answer = answer_of(JAVASCRIPT / "trusted.mjs", question)
    seen = msgspec.json.decode(answer, type=dict[str, list[int | str]])
    relay = {"Relay, in the body", "Relay, in the path"}
    assert set(seen) == relay | {"Apollo Client 4", "Apollo Client 3", "urql"}
    for client, (*known, unknown) in seen.items():
        assert known == [ROWS, ROWS]
        if client in relay:
            assert str(unknown).startswith("There is no document with this `documentId`")
        else:
            assert str(unknown).endswith("PersistedQueryNotFound")


def test_apollo_joins_pages_of_edges_and_forgets_those_of_nodes(url: str) -> None:
    rows = ["nodes { id }", "edges { node { id } }", "edges { cursor node { id } } nodes { id }"]
    answer = answer_of(JAVASCRIPT / "pages.mjs", {"url": url, "rows": rows})
    walked = [Walked(18, 1, None), Walked(18, None, ROWS), Walked(18, 1, ROWS)]
    assert msgspec.json.decode(answer, type=dict[str, list[Walked]]) == {
        "Apollo Client 4": walked,
        "Apollo Client 3": walked,
    }
    assert "1 row of 120 after 18 pages of 7" in clients_page()


def test_batches_are_refused_in_the_words_that_are_documented(url: str) -> None:
    answer = answer_of(JAVASCRIPT / "batches.mjs", {"url": url})
    batched = msgspec.json.decode(answer, type=dict[str, Batched])
    assert {client: seen.sent for client, seen in batched.items()} == {
        "Apollo Client 4": ["POST batch 400"],
        "Apollo Client 3": ["POST batch 400"],
        "graphql-request": ["POST batch 400"],
    }
    for client, seen in batched.items():
        (words,) = re.findall(rf"^\| {client}, `\w+` \| `(.+?)(?: …)?` \|$", clients_page(), re.M)
        assert [error and error.startswith(words) for error in seen.errors] == [
            True for _ in seen.errors
        ]


SHORT = "{ segments { totalCount } }"
THREE = "{ segments { totalCount } segmentsByEntityId(entityIds: []) { id } nodes(ids: []) { id } }"
TOO_MANY = (
    "The document has more than 100 aliases (GATEWAY_MAX_QUERY_ALIASES). Ask for less, or send "
    "several requests."
)
TOO_LONG = (
    "The document has more than 1000 tokens (GATEWAY_MAX_QUERY_TOKENS). Ask for less, or send "
    "several requests."
)
MERGES = (
    (Merge(SHORT, 100), Merged(1, 100, [])),
    (Merge(SHORT, 101), Merged(1, 0, [TOO_MANY])),
    (Merge(SHORT, 500), Merged(1, 0, [TOO_LONG])),
    (Merge(THREE, 33), Merged(1, 33, [])),
    (Merge(THREE, 34), Merged(1, 0, [TOO_LONG])),
    (Merge(THREE, 90, 30), Merged(3, 90, [])),
)


def test_merged_queries_fit_up_to_the_limits_together(url: str) -> None:
    question = {"url": url, "queries": [msgspec.to_builtins(merge) for merge, _ in MERGES]}
    answer = answer_of(JAVASCRIPT / "merged.mjs", question)
    assert msgspec.json.decode(answer, type=list[Merged]) == [merged for _, merged in MERGES]


def lint(config: str) -> set[str]:
    """The rules of an `eslint.config.mjs` that the schema for clients breaks."""
    question = {"config": config, "folder": str(ROOT), "file": "api.graphql"}
    messages = answer_of(JAVASCRIPT / "lint.mjs", question)
    return {rule for rule, _ in msgspec.json.decode(messages, type=list[tuple[str, str]])}


def test_two_rules_of_graphql_eslint_need_the_options_that_are_documented() -> None:
    (config,) = re.findall(r"^```js\n(// eslint.config.mjs\n.*?)^```", clients_page(), re.M | re.S)
    assert lint(config) == set()
    options = re.compile(r'^      "(@graphql-eslint/[\w-]+)": \[$.*?^      \],$\n', re.M | re.S)
    assert lint(options.sub("", config)) == set(options.findall(config))
    assert len(options.findall(config)) == 2
