"""Attacks, each as a row: its source, what the gateway does about it, and a request to show it.

Sources: graphql-cop (its checks by name), OWASP's GraphQL Cheat Sheet and API Security Top 10, and
requests that once held a process ("cost", "quota"). Attacks on framing, connections, credentials,
tokens, scopes and Redis have tables of their own: SECURITY.md names them.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import httpx
from clauses import Clause, Clauses
from in_process import InProcess, in_process

from gateway.data_source import ALL_SHOPPER_PROFILES
from gateway.pagination.cursors import Cursor, encode_cursor

Check = Callable[[], Awaitable[None]]

CLAUSES: Clauses[Check] = Clauses()
COP, OWASP, COST, QUOTA = "graphql-cop", "OWASP", "cost", "quota"
JSON = "application/json"
LEAST_WORK = "{ __typename }"
REFUSED = {
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "BAD_USER_INPUT",
    "BAD_REQUEST",
}


def of_a_real_store() -> InProcess:
    """A gateway with the defaults that it has in front of a real store, for anonymous clients."""
    return in_process(UPSTREAM_URL="https://api.bigcommerce.com", ALLOW_ANONYMOUS="read")


async def post(
    gateway: InProcess, query: str, variables: Mapping[str, object] | None = None
) -> httpx.Response:
    body = {"query": query, "variables": dict(variables or {})}
    return await gateway.http.post("/graphql", json=body)


def codes_of(answer: httpx.Response) -> set[str]:
    return {error["extensions"]["code"] for error in answer.json().get("errors", ())}


async def refuses(
    query: str, variables: Mapping[str, object] | None = None, *, said: str = ""
) -> None:
    """The request is refused before the upstream is asked, with one error that says `said`."""
    gateway = in_process()
    answer = await post(gateway, query, variables)
    body = answer.json()
    assert "data" not in body, answer.text[:500]
    assert len(body["errors"]) == 1
    assert codes_of(answer) <= REFUSED, answer.text[:500]
    assert said in body["errors"][0]["message"], body["errors"][0]["message"]
    assert len(answer.content) < 2000
    assert gateway.upstream_requests == 0
    # The gateway goes on.
    assert (await post(gateway, LEAST_WORK)).json() == {"data": {"__typename": "Query"}}


def made_up(number: int) -> str:
    return str(UUID(int=number))


@CLAUSES.row(COP, "OWN", "alias overloading: more than 100 aliases are refused.")
async def _() -> None:
    await refuses(f"{{ {' '.join(f'a{n}: __typename' for n in range(101))} }}", said="ALIASES")


@CLAUSES.row(COP, "OWN", "array-based batching: an array is refused.")
async def _() -> None:
    answer = await in_process().http.post("/graphql", json=[{"query": LEAST_WORK}] * 10)
    assert (answer.status_code, codes_of(answer)) == (400, {"BAD_REQUEST"})


@CLAUSES.row(COP, "OWN", "directive overloading: repeated unknown directives are one short error.")
async def _() -> None:
    answer = await post(in_process(), "{ __typename " + "@aa" * 450 + " }")
    assert codes_of(answer) <= REFUSED
    assert len(answer.content) < 20_000


@CLAUSES.row(COP, "OWN", "field duplication: a field repeated 500 times is refused.")
async def _() -> None:
    await refuses("{ " + "__typename " * 500 + "}")


@CLAUSES.row(COP, "OWN", "circular introspection: fields of types of fields … are refused.")
async def _() -> None:
    inner = "name"
    for _step in range(5):
        inner = f"fields {{ type {{ {inner} }} }}"
    await refuses(f"{{ __schema {{ types {{ {inner} }} }} }}")


@CLAUSES.row(COP, "OWN", "introspection is off in front of a real store.")
async def _() -> None:
    answer = await post(of_a_real_store(), "{ __schema { types { name fields { name } } } }")
    assert "data" not in answer.json()
    assert "GATEWAY_INTROSPECTION" in answer.text


@CLAUSES.row(COP, "OWN", "field suggestions are off in front of a real store.")
async def _() -> None:
    for query in (
        "{ segment { nam } }",
        "{ segmentz { totalCount } }",
        '{ segment(idd: "a") { id } }',
    ):
        assert "Did you mean" not in (await post(of_a_real_store(), query)).text


@CLAUSES.row(COP, "OWN", "GraphiQL is off in front of a real store.")
async def _() -> None:
    page = await of_a_real_store().http.get("/graphql", headers={"Accept": "text/html"})
    assert "script" not in page.text


@CLAUSES.row(COP, "OWN", "queries by GET are refused in front of a real store.")
async def _() -> None:
    gateway = of_a_real_store()
    answer = await gateway.http.get("/graphql", params={"query": "{ segments { totalCount } }"})
    assert answer.status_code >= 400
    assert gateway.upstream_requests == 0


@CLAUSES.row(COP, "OWN", "mutations by GET are refused.")
async def _() -> None:
    answer = await in_process().http.get("/graphql", params={"query": "mutation { __typename }"})
    assert answer.status_code >= 400 or codes_of(answer) <= REFUSED
    assert "data" not in answer.json()


@CLAUSES.row(COP, "OWN", "a form (a request without a preflight) is refused.")
async def _() -> None:
    gateway = in_process()
    for content_type in (
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=a",
        "application/graphql",
        "",
    ):
        answer = await gateway.http.post(
            "/graphql",
            content=json.dumps({"query": LEAST_WORK}),
            headers={"Content-Type": content_type},
        )
        assert answer.status_code == 415


@CLAUSES.row(COP, "OWN", "no tracing: an answer has no extensions but those of the cache.")
async def _() -> None:
    answer = await in_process().http.post(
        "/graphql",
        json={"query": "{ segments { totalCount } }", "extensions": {"tracing": True}},
        headers={"X-Apollo-Tracing": "1", "apollo-federation-include-trace": "ftv1"},
    )
    assert set(answer.json()["extensions"]) <= {"cache"}


@CLAUSES.row(COP, "OWN", "unhandled errors: a broken document shows no stack and no Python word.")
async def _() -> None:
    for query in ("qwerty cop { abc }", "{", "{ a(b: $c) }", "fragment a on b { ...a }", "\x00"):
        answer = await post(in_process(), query)
        assert codes_of(answer) <= REFUSED
        for word in ("Traceback", "File ", ".py", "None", "graphql"):
            assert word not in answer.text


@CLAUSES.row(OWASP, "OWN", "API8, an error repeats no value in Python's own words.")
async def _() -> None:
    query = "query($n: [ID!]!) { nodes(ids: $n) { id } }"
    for value in ({"a": 1}, [{"a": None}], True):
        answer = await post(in_process(), query, {"n": value})
        assert codes_of(answer) == {"BAD_USER_INPUT"}
        for word in ("{'", "None", "True"):
            assert word not in answer.text


@CLAUSES.row(OWASP, "OWN", "API4, depth: more than 15 levels are refused.")
async def _() -> None:
    fields = "id"
    for _step in range(16):
        fields = f"nodes {{ {fields} }}"
    await refuses(f"{{ segments {{ {fields} }} }}", said="GATEWAY_MAX_QUERY_DEPTH")


@CLAUSES.row(OWASP, "OWN", "API4, amplification: a chain of fragments that doubles is refused.")
async def _() -> None:
    chain = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(60))
    await refuses(f"{{ ...f0 }} {chain} fragment f60 on Query {{ __typename }}")


@CLAUSES.row(OWASP, "OWN", "API4, pagination: `first` has a maximum.")
async def _() -> None:
    for first in (251, 2**31 - 1, -1):
        gateway = in_process()
        answer = await post(gateway, f"{{ segments(first: {first}) {{ nodes {{ id }} }} }}")
        assert codes_of(answer) == {"BAD_USER_INPUT"}
        assert gateway.upstream_requests == 0


@CLAUSES.row(OWASP, "OWN", "API8, a failure shows neither the upstream's URL nor the token.")
async def _() -> None:
    gateway = in_process()
    gateway.refused_text = "limit"
    answer = await post(gateway, "{ segments { totalCount } }")
    for secret in ("test-token", "teststore", "http", "localhost", "X-Auth-Token"):
        assert secret not in answer.text


@CLAUSES.row(OWASP, "OWN", "API8, injection: an id or a cursor never reaches the upstream's URL.")
async def _() -> None:
    for text in (
        "' OR 1=1--",
        "../../customers",
        "a,b",
        "%2e%2e",
        "x\r\nX-Auth-Token: y",
        "\u2028",
    ):
        gateway = in_process()
        query = (
            "query($t: ID!, $c: String!) { a: segment(entityId: $t) { id }"
            " b: segment(id: $t) { id } c: node(id: $t) { id }"
            " d: segments(after: $c) { totalCount } }"
        )
        answer = await post(gateway, query, {"t": text, "c": text})
        assert codes_of(answer) <= {"BAD_USER_INPUT", "BAD_CURSOR"}
        assert len(answer.json()["errors"]) >= 3
        assert all("customers" not in url for url in gateway.emulator.requests)


@CLAUSES.row(OWASP, "OWN", "logs: a client cannot write a line of its own into the log.")
async def _() -> None:
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler = Keep()
    logging.getLogger().addHandler(handler)
    try:
        forged = "a\nINFO forged line"
        gateway = in_process()
        await gateway.http.post(
            "/graphql",
            json={"query": LEAST_WORK, "operationName": forged},
            headers={"X-Request-Id": "a b"},
        )
        await post(gateway, "query($a: ID!) { node(id: $a) { id } }", {"a": forged})
    finally:
        logging.getLogger().removeHandler(handler)
    assert not any("\n" in line for line in lines)


NO_IDS: tuple[object, ...] = (
    *("", ",", ",,", " ", "\uff0c", "\u060c", "\u3001", "\ufe50", "%2c", "\x00", "*", "null", "0"),
    *("id:in=", "&id:in=", "a,b", "../segments", f"{made_up(1)},", f",{made_up(1)}"),
    f"{made_up(1)},{made_up(2)}",
    f"{made_up(1)}\uff0c{made_up(2)}",
)


@CLAUSES.row(OWASP, "OWN", "API1, a delete without ids cannot be reached, by none of 100 inputs.")
async def _() -> None:
    gateway, tried = in_process(5), 0
    segment = gateway.emulator.store.segments[0].id
    deletes: dict[str, tuple[str, tuple[str, ...], dict[str, object]]] = {
        "deleteSegments": ("DeleteSegmentsInput", ("ids", "entityIds"), {}),
        "deleteShopperProfiles": ("DeleteShopperProfilesInput", ("entityIds",), {}),
        "removeShopperProfilesFromSegment": (
            "SegmentShopperProfilesInput",
            ("shopperProfileEntityIds",),
            {"segmentEntityId": segment},
        ),
        "removeCustomersFromSegment": (
            "SegmentCustomersInput",
            ("customerEntityIds",),
            {"segmentEntityId": segment},
        ),
    }
    for name, (type_, lists, others) in deletes.items():
        document = f"mutation($i: {type_}!) {{ {name}(input: $i) {{ userErrors {{ code }} }} }}"
        inputs: list[object] = [None, {}, others, "", []]
        no_ids: tuple[object, ...] = ([], None, [None], "", [[]], {})
        for field in lists:
            inputs += [{**others, field: ids} for ids in no_ids]
            if name != "removeCustomersFromSegment":
                inputs += [{**others, field: [text]} for text in NO_IDS]
        for i in inputs:
            await post(gateway, document, {"i": i})
            tried += 1
    assert tried > 100
    assert gateway.emulator.unbounded_deletes == 0
    assert len(gateway.emulator.store.segments) == 5
    assert not any(name.startswith(("delete", "remove")) for name in gateway.emulator.requests)


@CLAUSES.row(COST, "OWN", "aliased mutations share the limits of one.")
async def _() -> None:
    fields = " ".join(f"a{n}: createSegments(input: $i) {{ __typename }}" for n in range(50))
    gateway = in_process(5)
    segments = [{"name": f"n{at}"} for at in range(250)]
    document = f"mutation($i: CreateSegmentsInput!) {{ {fields} }}"
    answer = await post(gateway, document, {"i": {"segments": segments}})
    assert codes_of(answer) == {"BAD_USER_INPUT"}
    assert len(answer.json()["errors"]) == 49
    assert gateway.upstream_requests == 25


@CLAUSES.row(COST, "OWN", "a mutation whose answer costs too much changes nothing.")
async def _() -> None:
    await refuses(
        "mutation($i: CreateSegmentsInput!) { createSegments(input: $i) { segments {"
        " shopperProfiles(first: 50) { nodes { entityId } } } } }",
        {"i": {"segments": [{"name": f"n{at}"} for at in range(250)]}},
        said="values",
    )


@CLAUSES.row(COST, "OWN", "380 connections in 4 inline fragments are refused.")
async def _() -> None:
    part = "segments { totalCount } " * 95
    await refuses("{ " + f"... on Query {{ {part} }} " * 4 + "}")


@CLAUSES.row(COST, "OWN", "introspection whose lists multiply is refused.")
async def _() -> None:
    of_type = "ofType { ofType { ofType { name kind } name } name }"
    field = f"types {{ name fields {{ name type {{ name {of_type} }} args {{ name }} }} }}"
    await refuses(f"{{ __schema {{ {' '.join(f'a{n}: {field}' for n in range(25))} }} }}")


@CLAUSES.row(COST, "OWN", "the introspection of clients' tools is answered.")
async def _() -> None:
    from graphql import get_introspection_query

    for with_more in (True, False):
        query = get_introspection_query(
            descriptions=True,
            specified_by_url=with_more,
            directive_is_repeatable=with_more,
            schema_description=with_more,
            input_value_deprecation=with_more,
        )
        answer = await post(in_process(), query)
        assert "errors" not in answer.json(), answer.text[:500]


@CLAUSES.row(COST, "OWN", "100 aliases of 250 bad ids are counted before an id is read.")
async def _() -> None:
    aliases = " ".join(f"a{n}: nodes(ids: $i) {{ id }}" for n in range(100))
    gateway = in_process()
    answer = await post(gateway, f"query($i: [ID!]!) {{ {aliases} }}", {"i": ["bad"] * 250})
    assert codes_of(answer) <= REFUSED
    assert len(answer.json()["errors"]) <= 101
    assert len(answer.content) < 100_000
    assert gateway.upstream_requests == 0


@CLAUSES.row(COST, "OWN", "bad ids make at most about 100 errors.")
async def _() -> None:
    query = "query($i: [ID!]!) { nodes(ids: $i) { id } segmentsByEntityId(entityIds: $i) { id } }"
    answer = await post(in_process(), query, {"i": ["bad"] * 250})
    assert codes_of(answer) == {"BAD_USER_INPUT"}
    assert len(answer.json()["errors"]) <= 101


@CLAUSES.row(COST, "OWN", "1000 entities of 106 fields each are refused.")
async def _() -> None:
    fields = "id name description createdAt updatedAt entityId " + " ".join(
        f"a{n}: description" for n in range(100)
    )
    entities = f"_entities(representations: $r) {{ ... on Segment {{ {fields} }} }}"
    query = f"query($r: [_Any!]!) {{ {entities} }}"
    representations = [{"__typename": "Segment", "entityId": made_up(n)} for n in range(1000)]
    await refuses(query, {"r": representations})


@CLAUSES.row(COST, "OWN", "a variable of hundreds of thousands of values is refused unread.")
async def _() -> None:
    aliases = " ".join(f"a{n}: nodes(ids: $i) {{ id }}" for n in range(100))
    for number in (520_000, 128_000, 10_001):
        answer = await post(in_process(), f"query($i: [ID!]!) {{ {aliases} }}", {"i": [1] * number})
        assert answer.status_code == 400
        assert codes_of(answer) <= REFUSED


@CLAUSES.row(COST, "OWN", "a cursor or an id of a megabyte is refused, and not repeated.")
async def _() -> None:
    long = "A" * 1_000_000
    for field in ("segments(after: $t) { totalCount }", "node(id: $t) { id }"):
        kind = "String" if "after" in field else "ID!"
        aliases = " ".join(f"a{n}: {field}" for n in range(100))
        answer = await post(in_process(), f"query($t: {kind}) {{ {aliases} }}", {"t": long})
        assert codes_of(answer) <= REFUSED | {"BAD_CURSOR"}
        assert len(answer.content) < 100_000


@CLAUSES.row(COST, "OWN", "JSON that is nested too deeply is an error of the client.")
async def _() -> None:
    nested = "[" * 975 + "]" * 975
    for body in (
        f'{{"query": "{LEAST_WORK}", "query": "{LEAST_WORK}", "variables": {nested}}}',
        f'{{"query": "{LEAST_WORK}", "variables": {{"a": {nested}}}}}',
        "[" * 100_000,
        '{"a":' * 100_000,
    ):
        answer = await in_process().http.post(
            "/graphql", content=body, headers={"Content-Type": JSON}
        )
        assert answer.status_code == 400
        assert codes_of(answer) <= REFUSED


@CLAUSES.row(COST, "OWN", "introspection of what the schema does not have is no bug.")
async def _() -> None:
    answer = await post(in_process(), '{ __type(name: "Query") { fields { type { isOneOf } } } }')
    assert "INTERNAL_SERVER_ERROR" not in codes_of(answer)


@CLAUSES.row(COST, "OWN", "a document of many empty lines is refused: each error counts them.")
async def _() -> None:
    for line in ("\n", "\r"):
        fields = " ".join(f"a{n}: segmentz" for n in range(30))
        await refuses(f"{{ {line * 2000} {fields} }}", said="lines")


@CLAUSES.row(COST, "OWN", "a long part of a name is refused unread, and a short one costs little.")
async def _() -> None:
    gateway = in_process(1000)
    fields = " ".join(f"a{n}: segmentsCount(filter: {{ nameContains: $n }})" for n in range(70))
    query = f"query($n: String!) {{ {fields} }}"
    for letter in "a\u0301\ufdfa":
        answer = await post(gateway, query, {"n": letter * 256})
        assert codes_of(answer) == {"BAD_USER_INPUT"}
        assert gateway.upstream_requests == 0
    for letter in "a\u0301\ufdfa":
        answer = await post(gateway, query, {"n": letter * 255})
        assert codes_of(answer) == set()
    assert gateway.upstream_requests == 4


@CLAUSES.row(QUOTA, "OWN", "made-up ids cost at most what the list costs, twice.")
async def _() -> None:
    gateway = in_process(1000)
    query = (
        "query($r: [_Any!]!, $i: [ID!]!) { _entities(representations: $r) { __typename }"
        " a: segmentsByEntityId(entityIds: $i) { id } }"
    )
    for turn in range(14):
        ids = [made_up(turn * 10_000 + n) for n in range(250)]
        answer = await post(
            gateway,
            query,
            {
                "r": [
                    {"__typename": "Segment", "entityId": made_up(turn * 10_000 + 5000 + n)}
                    for n in range(700)
                ],
                "i": ids,
            },
        )
        assert answer.status_code == 200
    assert gateway.upstream_requests <= 8


@CLAUSES.row(QUOTA, "OWN", "many requests at once for made-up ids cost no more.")
async def _() -> None:
    gateway = in_process(1000)
    query = "query($i: [ID!]!) { segmentsByEntityId(entityIds: $i) { id } }"
    await asyncio.gather(
        *(
            post(gateway, query, {"i": [made_up(turn * 1000 + n) for n in range(250)]})
            for turn in range(60)
        )
    )
    assert gateway.upstream_requests <= 12


@CLAUSES.row(QUOTA, "OWN", "long e-mail addresses cost a few requests, or are refused.")
async def _() -> None:
    gateway = in_process(5)
    query = "query($e: [String!]!) { customersByEmail(emails: $e) { id } }"
    for letter in "a\u03c9\U0001f600":
        for number, requests in ((25, 7), (250, 0)):
            before = gateway.upstream_requests
            long = letter * (230 // len(letter.encode()))
            emails = [f"{at:03}{long}@example.com" for at in range(number)]
            answer = await post(gateway, query, {"e": emails})
            assert codes_of(answer) == (set() if requests else {"BAD_USER_INPUT"})
            assert gateway.upstream_requests - before <= requests


@CLAUSES.row(
    QUOTA, "OWN", "invented cursors of a long list cost 3 requests each, and 3 more searches."
)
async def _() -> None:
    gateway = in_process(5, profiles=100_000)
    name = gateway.services.lists.of(ALL_SHOPPER_PROFILES).name
    cursors = [encode_cursor(Cursor(at * 5000 + 2500, made_up(1)), name) for at in range(20)]
    fields = [
        f'a{at}: shopperProfiles(first: 1, after: "{cursor}") {{ totalCount nodes {{ entityId }} }}'
        for at, cursor in enumerate(cursors)
    ]
    answer = await post(gateway, f"{{ {' '.join(fields)} }}")
    assert codes_of(answer) == set()
    assert gateway.upstream_requests == 20 * 3 + 3 * 14


@CLAUSES.row(QUOTA, "OWN", "the customers of many small pages cost one request more at most.")
async def _() -> None:
    gateway = in_process(5, profiles=10_000)
    name = gateway.services.lists.of(ALL_SHOPPER_PROFILES).name
    rows = gateway.emulator.store.profiles
    cursors = [encode_cursor(Cursor(at, rows[at].id), name) for at in range(99, 10_000, 500)]
    fields = [
        f'a{at}: shopperProfiles(first: 1, after: "{cursor}") {{ nodes {{ customer {{ id }} }} }}'
        for at, cursor in enumerate(cursors)
    ]
    answer = await post(gateway, f"{{ {' '.join(fields)} }}")
    assert codes_of(answer) == set()
    assert len(fields) == 20
    assert gateway.emulator.requests["list_customers"] <= 2


@CLAUSES.row(QUOTA, "OWN", "an image on another site costs no upstream request.")
async def _() -> None:
    gateway = in_process()
    for site in ("cross-site", "same-site"):
        answer = await gateway.http.get(
            "/graphql",
            params={"query": "{ segments { nodes { id } } }"},
            headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"},
        )
        assert (answer.status_code, codes_of(answer)) == (403, {"FORBIDDEN"})
    assert gateway.upstream_requests == 0


@CLAUSES.row(OWASP, "OWN", "CSRF: a request with another site's Origin is refused.")
async def _() -> None:
    gateway = in_process()
    for origin in ("https://evil.example", "null", "http://localhost.evil.example"):
        answer = await gateway.http.post(
            "/graphql", json={"query": "{ segments { totalCount } }"}, headers={"Origin": origin}
        )
        assert (answer.status_code, codes_of(answer)) == (403, {"FORBIDDEN"})
    assert gateway.upstream_requests == 0


@CLAUSES.row(OWASP, "OWN", "DNS rebinding: an unknown Host is refused, except for health checks.")
async def _() -> None:
    gateway = in_process()
    for path, status in (("/graphql?query={__typename}", 421), ("/", 421), ("/health/live", 200)):
        answer = await gateway.http.get(path, headers={"Host": "rebind.evil.example"})
        assert answer.status_code == status


@CLAUSES.each()
async def test_attack_fails(clause: Clause[Check]) -> None:
    await clause.check()
