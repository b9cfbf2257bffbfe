"""Values of every kind: cursors, ids, entities, variables, hashes, whole bodies and credentials."""

import json
from base64 import b64encode
from urllib.parse import quote

import msgspec
import pytest
from fuzz_target import Target, fuzz
from hypothesis import given
from hypothesis import strategies as st

JSON_HEAD = b"POST /graphql HTTP/1.1\r\nContent-Type: application/json\r\n"
VIP = "1a466884-f3f4-4249-9c28-ff90a5aec797"
VIP_ID = b64encode(f"Segment:{VIP}".encode()).decode()
CLOSING = bytes.maketrans(b"[{", b"]}")
ODD = [
    "",
    "\x00",
    "\ud800",
    "\ufeff",
    "\U0001f600",
    "a" * 5000,
    "null",
    "[]",
    "%s%n",
    "../..",
    "'--",
]
TEXTS = st.text(max_size=30) | st.sampled_from(ODD)
NUMBERS = (
    st.integers(-300, 300)
    | st.integers()
    | st.floats()
    | st.sampled_from([2**31, -(2**31), 2**53 + 1, 2**64, 10**400, 1e308, -0.0])
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def encoded(value: object) -> bytes:
    """JSON as a careless client sends it: NaN, and halves of surrogate pairs."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


@st.composite
def near(draw: st.DrawFn, text: str) -> str:
    """A text like this one, with some characters changed."""
    characters = list(text)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(characters)))
        new = draw(st.sampled_from(["", "A", "=", "-", "_", "/", "+", " ", "\x00", "é", "0" * 300]))
        characters[at : at + draw(st.integers(0, 3))] = new
    return "".join(characters)


def ids() -> st.SearchStrategy[object]:
    forged = st.builds(
        lambda kind, key: b64encode(f"{kind}:{key}".encode("utf-8", "surrogatepass")).decode(),
        st.sampled_from(["Segment", "Customer", "", "Node", "__proto__"]) | TEXTS,
        st.sampled_from([VIP, VIP.upper(), f" {VIP}", f"{VIP},{VIP}", "{" + VIP + "}"]) | TEXTS,
    )
    return near(VIP) | near(VIP_ID) | forged | ANY_JSON


def ask(target: Target, query: str, **variables: object) -> object:
    return target.ask(JSON_HEAD, encoded({"query": query, "variables": variables}))[1]


@pytest.fixture(scope="module")
def cursors(target: Target) -> list[str]:
    answer = ask(target, "{ segments(first: 20) { edges { cursor } } }")
    edges = msgspec.json.decode(msgspec.json.encode(answer))["data"]["segments"]["edges"]
    assert len(edges) == 20
    return [edge["cursor"] for edge in edges]


LIST = """
query ($first: Int, $after: String, $last: Int, $before: String) {
  segments(first: $first, after: $after, last: $last, before: $before) {
    totalCount pageInfo { startCursor endCursor hasNextPage hasPreviousPage }
    edges { cursor node { id name createdAt } }
  }
}
"""


@fuzz(0.1)
@given(draw=st.data())
def test_a_cursor_is_answered(target: Target, cursors: list[str], draw: st.DataObject) -> None:
    cursor = st.sampled_from(cursors).flatmap(near) | ANY_JSON
    count = st.none() | st.integers(-2, 260) | ANY_JSON
    names = {"first": count, "after": cursor, "last": count, "before": cursor}
    ask(target, LIST, **draw.draw(st.fixed_dictionaries({}, optional=names)))


LOOKUPS = """
query ($id: ID, $ids: [ID!]!, $representations: [_Any!]!) {
  segment(id: $id) { name } byEntityId: segment(entityId: $id) { name }
  segmentsByEntityId(entityIds: $ids) { name } nodes(ids: $ids) { id ... on Segment { name } }
  _entities(representations: $representations) { __typename ... on Segment { entityId } }
}
"""


@fuzz(0.1)
@given(
    one=ids(),
    some=st.lists(ids(), max_size=8) | ANY_JSON,
    entities=ANY_JSON
    | st.lists(
        ANY_JSON
        | st.fixed_dictionaries(
            {"__typename": st.just("Segment") | ANY_JSON},
            optional={"id": ids(), "entityId": ids(), "x": ANY_JSON},
        ),
        max_size=6,
    ),
)
def test_ids_and_entities_are_answered(
    target: Target, one: object, some: object, entities: object
) -> None:
    ask(target, LOOKUPS, id=one, ids=some, representations=entities)


@fuzz(0.1)
@given(
    body=ANY_JSON
    | st.fixed_dictionaries(
        {},
        optional={
            "query": st.sampled_from([LIST, LOOKUPS, "{ __typename }", "query A { a: __typename }"])
            | ANY_JSON,
            "operationName": st.sampled_from(["A", ""]) | ANY_JSON,
            "variables": ANY_JSON,
            "documentId": st.sampled_from(["sha256:" + "a" * 64]) | ANY_JSON,
            "extensions": ANY_JSON
            | st.fixed_dictionaries(
                {
                    "persistedQuery": ANY_JSON
                    | st.fixed_dictionaries(
                        {}, optional={"version": st.just(1) | ANY_JSON, "sha256Hash": ANY_JSON}
                    )
                }
            ),
        },
    ),
    more=st.sampled_from(
        [b"", b',"query":"{a}"', b',"variables":{}', b"\xef\xbb\xbf", b"}", b"\\u0071"]
    ),
)
def test_a_body_is_answered(target: Target, body: object, more: bytes) -> None:
    text = encoded(body)
    target.ask(JSON_HEAD, text[:-1] + more + text[-1:])


@fuzz(0.04)
@given(
    name=st.sampled_from([b"variables", b"extensions", b"query", b"x"]),
    repeated=st.sampled_from([b"", b',"query":"{a}"', b',"\\u0071":1']),
    # Around the depth at which Python's parser of JSON gives up, and any.
    depth=st.integers(930, 1010) | st.integers(0, 20_000),
    opening=st.sampled_from([b"[", b'{"a":', b'[{"a":']),
)
def test_a_nested_body_is_answered(
    target: Target, name: bytes, repeated: bytes, depth: int, opening: bytes
) -> None:
    closing = opening[::-1].translate(CLOSING, b':"a')
    nested = opening * depth + b"1" + closing * depth
    target.ask(JSON_HEAD, b'{"query":"{__typename}","%b":%b%b}' % (name, nested, repeated))


@fuzz(0.04)
@given(
    names=st.lists(
        st.sampled_from(
            ["query", "variables", "extensions", "operationName", "documentId", "id", "x"]
        )
        | TEXTS,
        max_size=5,
    ),
    values=st.lists(
        st.sampled_from(["{__typename}", "{}", '{"persistedQuery":{"sha256Hash":"a","version":1}}'])
        | ANY_JSON.map(lambda value: encoded(value).decode("utf-8", "surrogatepass"))
        | TEXTS,
        min_size=5,
        max_size=5,
    ),
    path=st.sampled_from(["/graphql", "/graphql/", "/graphql/abc", "/graphql/%00", "/"]),
)
def test_a_url_is_answered(target: Target, names: list[str], values: list[str], path: str) -> None:
    pairs = "&".join(
        f"{quote(name, errors='surrogatepass')}={quote(value, errors='surrogatepass')}"
        for name, value in zip(names, values, strict=False)
    )
    target.ask(f"GET {path}?{pairs} HTTP/1.1\r\nAccept: application/json\r\n".encode())


TOKENS = st.builds(
    lambda parts: b".".join(b64encode(encoded(part)).rstrip(b"=") for part in parts),
    st.lists(
        st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                ("alg", "kid", "jku", "exp", "scope", "sub", "aud", "x"), ANY_JSON
            ),
        ),
        max_size=4,
    ),
)


@fuzz(0.06)
@given(
    name=st.sampled_from(
        [b"Authorization", b"Cookie", b"X-Forwarded-For", b"Origin", b"Sec-Fetch-Site"]
    ),
    scheme=st.sampled_from([b"Bearer ", b"bearer  ", b"Basic ", b"", b"Bearer"]),
    credentials=TOKENS
    | st.binary(max_size=60)
    | st.sampled_from([b"A" * 5000, b"127.0.0.1, ::1", b"null", b"a.b.c", b"\xff\xfe", b"none"]),
)
def test_credentials_are_answered(
    target: Target, name: bytes, scheme: bytes, credentials: bytes
) -> None:
    # Control characters are for the tests of HTTP by the byte.
    value = bytes(byte for byte in credentials if byte >= 32 and byte != 127)
    head = JSON_HEAD + name + b": " + scheme + value + b"\r\n"
    target.ask(head, b'{"query":"{ segments { totalCount } }"}')
