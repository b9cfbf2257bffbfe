"""GraphQL over HTTP, clause by clause.

Sources: the GraphQL over HTTP specification and RFC 9110. Where the newest draft and the audits of
graphql-http disagree on a status, the row follows the audits, and says so.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from urllib.parse import quote, urlencode

import httpx
import pytest
import strawberry
from bare_endpoint import bare_endpoint
from clauses import Clause, Clauses
from documents_in_memory import always
from starlette.applications import Starlette

from gateway.errors import UpstreamUnavailable
from gateway.lifecycle import Lifecycle
from gateway.schema import Limits
from gateway.schema.documents import KnownDocuments, document_extensions
from gateway.web import Readiness, Web

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
UTF8 = "; charset=utf-8"
MAX_BODY_BYTES = 2000

Check = Callable[[httpx.AsyncClient], Awaitable[None]]


@strawberry.type
class Query:
    @strawberry.field
    def echo(self, text: str = "hello") -> str:
        return text

    @strawberry.field
    def failing(self) -> str | None:
        raise UpstreamUnavailable("The store does not answer.")

    @strawberry.field
    def failing_hard(self) -> str:
        raise UpstreamUnavailable("The store does not answer.")


@strawberry.type
class Mutation:
    @strawberry.mutation
    def write(self) -> str:
        return "written"


SCHEMA = strawberry.Schema(
    Query, Mutation, extensions=document_extensions(KnownDocuments(Limits()))
)


CLAUSES: Clauses[Check] = Clauses()


async def post(
    http: httpx.AsyncClient, parameters: object, accept: str = GRAPHQL_RESPONSE
) -> httpx.Response:
    return await http.post("/graphql", json=parameters, headers={"Accept": accept})


async def post_body(
    http: httpx.AsyncClient, body: bytes, content_type: str | None = JSON
) -> httpx.Response:
    headers = {"Accept": GRAPHQL_RESPONSE}
    if content_type is not None:
        headers["Content-Type"] = content_type
    return await http.post("/graphql", content=body, headers=headers)


async def get(
    http: httpx.AsyncClient, accept: str = GRAPHQL_RESPONSE, **parameters: str
) -> httpx.Response:
    return await http.get("/graphql?" + urlencode(parameters), headers={"Accept": accept})


def is_answer(answer: httpx.Response, data: object, media_type: str = GRAPHQL_RESPONSE) -> None:
    assert (answer.status_code, answer.json()) == (200, {"data": data})
    assert answer.headers["Content-Type"] == media_type + UTF8


def is_refused(
    answer: httpx.Response, status: int, code: str, media_type: str = GRAPHQL_RESPONSE
) -> None:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == media_type + UTF8
    assert list(answer.json()) == ["errors"]
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": code}
    assert error["message"]


HELLO = {"echo": "hello"}


@CLAUSES.row("1.1", "MUST", "accept POST requests")
async def _(http: httpx.AsyncClient) -> None:
    is_answer(await post(http, {"query": "{ echo }"}), HELLO)


@CLAUSES.row("1.2", "MAY", "accept GET requests, with form-encoded parameters in the URL")
async def _(http: httpx.AsyncClient) -> None:
    is_answer(await get(http, query="{ echo }"), HELLO)


@CLAUSES.row("1.3", "MUST", "read `variables` and `extensions` in a URL as JSON text")
async def _(http: httpx.AsyncClient) -> None:
    document = "query($t: String!) { echo(text: $t) }"
    is_answer(
        await get(http, query=document, variables='{"t":"ü"}', extensions='{"x":1}'), {"echo": "ü"}
    )
    is_refused(await get(http, query=document, variables="t=1"), 400, "BAD_REQUEST")


@CLAUSES.row("1.4", "SHOULD", "take an empty parameter in a URL as not given")
async def _(http: httpx.AsyncClient) -> None:
    is_answer(
        await get(http, query="{ echo }", operationName="", variables="", extensions=""), HELLO
    )


@CLAUSES.row("1.5", "MUST", "execute no mutation by GET; 405 with Allow is RECOMMENDED")
async def _(http: httpx.AsyncClient) -> None:
    for answer in (
        await get(http, query="mutation { write }"),
        await get(http, query="query Q { echo } mutation M { write }", operationName="M"),
        await http.head("/graphql?query=" + quote("mutation { write }")),
    ):
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    is_refused(await get(http, query="mutation { write }"), 405, "BAD_REQUEST")


@CLAUSES.row("1.6", "SHOULD", "execute mutations by POST")
async def _(http: httpx.AsyncClient) -> None:
    is_answer(await post(http, {"query": "mutation { write }"}), {"write": "written"})


@CLAUSES.row("1.7", "SHOULD", "answer another method with 405; RFC 9110: with Allow")
async def _(http: httpx.AsyncClient) -> None:
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
        answer = await http.request(method, "/graphql", headers={"Accept": GRAPHQL_RESPONSE})
        is_refused(answer, 405, "BAD_REQUEST")
        assert answer.headers["Allow"] == "GET, HEAD, POST"


@CLAUSES.row("1.8", "MUST", "answer HEAD like GET, without the body (RFC 9110)")
async def _(http: httpx.AsyncClient) -> None:
    url = "/graphql?query=" + quote("{ echo }")
    got, headed = await http.get(url), await http.head(url)
    assert headed.status_code == 200
    assert headed.headers["Content-Length"] == got.headers["Content-Length"]


@CLAUSES.row("2.1", "MUST", "read application/json in UTF-8, also without a charset")
async def _(http: httpx.AsyncClient) -> None:
    body = json.dumps({"query": '{ echo(text: "🏃 ü") }'}, ensure_ascii=False).encode()
    for content_type in (JSON, JSON + UTF8, "Application/JSON;charset=UTF-8"):
        is_answer(await post_body(http, body, content_type), {"echo": "🏃 ü"})


@CLAUSES.row("2.2", "SHOULD", "refuse a POST without Content-Type with a 4xx")
async def _(http: httpx.AsyncClient) -> None:
    is_refused(await post_body(http, b'{"query":"{ echo }"}', None), 415, "BAD_REQUEST")


@CLAUSES.row("2.3", "SHOULD", "refuse other content types with 415, those of HTML forms above all")
async def _(http: httpx.AsyncClient) -> None:
    for content_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=utf-16",
    ):
        answer = await post_body(http, b'{"query":"{ echo }"}', content_type)
        is_refused(answer, 415, "BAD_REQUEST")


@CLAUSES.row("2.4", "SHOULD", "refuse a body that is too large with 413")
async def _(http: httpx.AsyncClient) -> None:
    fits = b'{"query":"{ echo }"}'.ljust(MAX_BODY_BYTES)
    is_answer(await post_body(http, fits), HELLO)
    is_refused(await post_body(http, fits + b" "), 413, "BAD_REQUEST")
    is_refused(await post_body(http, b"x" * 2_000_000), 413, "BAD_REQUEST")


@CLAUSES.row("2.5", "SHOULD", "refuse a body that is not JSON with 400")
async def _(http: httpx.AsyncClient) -> None:
    for body in (b"", b"NONSENSE", b'{"query":', b'{"query":"\xe9"}', b'{"query":"{echo}"}}'):
        is_refused(await post_body(http, body), 400, "BAD_REQUEST")


@CLAUSES.row(
    "2.6",
    "SHOULD",
    "refuse a body that is no GraphQL request with 400 (audits; the newest draft: 422)",
)
async def _(http: httpx.AsyncClient) -> None:
    for body in (
        b"null",
        b"5",
        b'"x"',
        b"[]",
        b'[{"query":"{ echo }"}]',
        b"{}",
        b'{"qeury":"{ echo }"}',
        b'{"query":7}',
        b'{"query":"{ echo }","operationName":7}',
        b'{"query":"{ echo }","variables":[7]}',
        b'{"query":"{ echo }","extensions":"x"}',
        b'{"query":"{ echo }","query":"{ failing }"}',
    ):
        is_refused(await post_body(http, body), 400, "BAD_REQUEST")


@CLAUSES.row("2.7", "MUST", "take null for an optional parameter as not given")
async def _(http: httpx.AsyncClient) -> None:
    parameters = {"operationName": None, "variables": None, "extensions": None}
    is_answer(await post(http, {"query": "{ echo }", **parameters}), HELLO)


@CLAUSES.row("2.8", "MUST", "ignore unknown properties")
async def _(http: httpx.AsyncClient) -> None:
    is_answer(await post(http, {"query": "{ echo }", "id": 1, "mode": ["x"]}), HELLO)


@CLAUSES.row("2.9", "MUST", "execute the operation that `operationName` names")
async def _(http: httpx.AsyncClient) -> None:
    document = 'query A { echo(text: "a") } query B { echo(text: "b") }'
    for name in ("A", "B"):
        answer = await post(http, {"query": document, "operationName": name})
        is_answer(answer, {"echo": name.lower()})


def by_hash(document: str) -> dict[str, object]:
    """The `extensions` of Apollo's automatic persisted queries."""
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256_of(document)}}


def sha256_of(document: str) -> str:
    return sha256(document.encode()).hexdigest()


HTML_FIRST = f"text/html, {JSON};q=0.9"


@CLAUSES.row("2.10", "OWN", "answer the hash of an unknown document with 200, as Apollo does")
async def _(http: httpx.AsyncClient) -> None:
    hashed = by_hash("{ echo }")
    for media_type in (GRAPHQL_RESPONSE, JSON):
        for answer in (
            await post(http, {"extensions": hashed}, media_type),
            await post(http, {"query": "", "variables": {}, "extensions": hashed}, media_type),
            await get(http, media_type, extensions=json.dumps(hashed)),
        ):
            is_refused(answer, 200, "PERSISTED_QUERY_NOT_FOUND", media_type)
            assert answer.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    answer = await get(http, HTML_FIRST, extensions=json.dumps(hashed))
    is_refused(answer, 200, "PERSISTED_QUERY_NOT_FOUND", JSON)


@CLAUSES.row("2.11", "OWN", "execute a document that came with its hash by the hash alone")
async def _(http: httpx.AsyncClient) -> None:
    document = "query ($text: String!) { echo(text: $text) }"
    hashed = by_hash(document)
    variables = {"text": "x"}
    sent = await post(http, {"query": document, "variables": variables, "extensions": hashed})
    is_answer(sent, {"echo": "x"})
    for _ in range(2):
        is_answer(await post(http, {"variables": variables, "extensions": hashed}), {"echo": "x"})
        is_answer(
            await get(http, variables=json.dumps(variables), extensions=json.dumps(hashed)),
            {"echo": "x"},
        )


@CLAUSES.row("2.12", "OWN", "refuse a request that has neither a document nor a hash")
async def _(http: httpx.AsyncClient) -> None:
    for extensions in (
        {"persistedQuery": "ecf4edb46db40b51"},
        {"persistedQuery": {"version": 1}},
        {"persistedQuery": {"version": 1, "sha256Hash": None}},
        {"persistedQuery": None},
        {},
    ):
        is_refused(await post(http, {"extensions": extensions}), 400, "BAD_REQUEST")
        for accept, media_type in ((GRAPHQL_RESPONSE, GRAPHQL_RESPONSE), (HTML_FIRST, JSON)):
            answer = await get(http, accept, extensions=json.dumps(extensions))
            is_refused(answer, 400, "BAD_REQUEST", media_type)
    is_refused(
        await post(http, {"query": 7, "extensions": by_hash("{ echo }")}), 400, "BAD_REQUEST"
    )


@CLAUSES.row("2.13", "OWN", "refuse a hash that is not of the document, as Apollo does")
async def _(http: httpx.AsyncClient) -> None:
    hashed = by_hash("{ __typename }")
    answer = await post(http, {"query": "{ echo }", "extensions": hashed})
    is_refused(answer, 400, "BAD_REQUEST")
    assert answer.json()["errors"][0]["message"] == "provided sha does not match query"
    for persisted, message in (
        ({"version": 2, "sha256Hash": "0" * 64}, "Unsupported persisted query version"),
        ({"sha256Hash": "0" * 64}, "Unsupported persisted query version"),
        ({"version": 1, "sha256Hash": 7}, "`sha256Hash` has to be a string."),
    ):
        answer = await post(http, {"extensions": {"persistedQuery": persisted}})
        is_refused(answer, 400, "BAD_REQUEST")
        assert answer.json()["errors"][0]["message"] == message
    is_refused(await post(http, {"extensions": hashed}), 200, "PERSISTED_QUERY_NOT_FOUND")


@CLAUSES.row("2.14", "OWN", "keep no document that is not valid")
async def _(http: httpx.AsyncClient) -> None:
    for document, code in (
        ("{ echo", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { echo } query B { echo }", "BAD_REQUEST"),
    ):
        hashed = by_hash(document)
        answer = await post(http, {"query": document, "extensions": hashed})
        is_refused(answer, 400, code)
        answer = await post(http, {"extensions": hashed})
        is_refused(answer, 200, "PERSISTED_QUERY_NOT_FOUND")


# The appendix "Persisted Documents" of the draft, not merged yet:
# https://github.com/graphql/graphql-over-http/pull/264


@CLAUSES.row("2.15", "SHOULD", "support the SHA256 hex document identifier (Persisted Documents)")
async def _(http: httpx.AsyncClient) -> None:
    await post(http, {"query": "{ echo }", "extensions": by_hash("{ echo }")})
    document_id = f"sha256:{sha256_of('{ echo }')}"
    is_answer(await post(http, {"documentId": document_id}), HELLO)
    is_answer(await post(http, {"documentId": document_id, "query": None}), HELLO)
    is_answer(await get(http, documentId=document_id), HELLO)
    path = f"/graphql/{document_id}"
    headers = {"Accept": GRAPHQL_RESPONSE}
    is_answer(await http.post(path, json={}, headers=headers), HELLO)
    is_answer(await http.get(path, headers=headers), HELLO)
    is_answer(await http.get(path.replace(":", "%3A"), headers=headers), HELLO)
    head = await http.head(path, headers=headers)
    assert (head.status_code, head.headers["Content-Type"]) == (200, GRAPHQL_RESPONSE + UTF8)


@CLAUSES.row("2.16", "MUST", "answer an unknown document identifier with a single error")
async def _(http: httpx.AsyncClient) -> None:
    for document_id in (f"sha256:{'0' * 64}", "sha256:0", "x-own:1", "ecf4edb46db40b51"):
        for media_type in (GRAPHQL_RESPONSE, JSON):
            path = await http.get(f"/graphql/{document_id}", headers={"Accept": media_type})
            for answer in (
                await post(http, {"documentId": document_id}, media_type),
                await get(http, media_type, documentId=document_id),
                path,
            ):
                is_refused(answer, 404, "PERSISTED_QUERY_NOT_FOUND", media_type)
    answer = await get(http, HTML_FIRST, documentId="1")
    is_refused(answer, 404, "PERSISTED_QUERY_NOT_FOUND", JSON)


@CLAUSES.row("2.17", "MUST", "take `documentId` as a string, and in place of the document")
async def _(http: httpx.AsyncClient) -> None:
    for parameters in (
        {"documentId": 7},
        {"documentId": "1", "query": "{ echo }"},
        {"documentId": "1", "extensions": by_hash("{ echo }")},
        {"documentId": ""},
    ):
        is_refused(await post(http, parameters), 400, "BAD_REQUEST")
    is_refused(await get(http, documentId="1", query="{ echo }"), 400, "BAD_REQUEST")
    headers = {"Accept": GRAPHQL_RESPONSE}
    for answer in (
        await http.post("/graphql/1", json={"query": "{ echo }"}, headers=headers),
        await http.post("/graphql/1", json={"documentId": "1"}, headers=headers),
        await http.get("/graphql/1?documentId=1", headers=headers),
    ):
        is_refused(answer, 400, "BAD_REQUEST")


@CLAUSES.row("2.18", "MUST", "answer a mutation that a GET names with 405 (Persisted Documents)")
async def _(http: httpx.AsyncClient) -> None:
    document = "mutation { write }"
    hashed = by_hash(document)
    is_answer(await post(http, {"query": document, "extensions": hashed}), {"write": "written"})
    is_refused(await get(http, extensions=json.dumps(hashed)), 405, "BAD_REQUEST")
    is_refused(await get(http, documentId=f"sha256:{sha256_of(document)}"), 405, "BAD_REQUEST")
    is_answer(await post(http, {"extensions": hashed}), {"write": "written"})


@CLAUSES.row(
    "3.1", "MUST", "support application/graphql-response+json, and application/json as well"
)
async def _(http: httpx.AsyncClient) -> None:
    for media_type in (GRAPHQL_RESPONSE, JSON):
        is_answer(await post(http, {"query": "{ echo }"}, media_type), HELLO, media_type)


@CLAUSES.row("3.2", "SHOULD", "answer */* and no Accept in application/json (audits)")
async def _(http: httpx.AsyncClient) -> None:
    is_answer(await post(http, {"query": "{ echo }"}, "*/*"), HELLO, JSON)
    del http.headers["Accept"]
    is_answer(await http.post("/graphql", json={"query": "{ echo }"}), HELLO, JSON)


@CLAUSES.row("3.3", "MUST", "answer in the media type of the highest priority in Accept")
async def _(http: httpx.AsyncClient) -> None:
    for accept, media_type in (
        (f"{GRAPHQL_RESPONSE}, {JSON};q=0.9", GRAPHQL_RESPONSE),
        (f"{JSON};q=0.9, {GRAPHQL_RESPONSE}", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE};q=0.1, {JSON};q=0.2", JSON),
        (f"text/html, {GRAPHQL_RESPONSE};q=0.1", GRAPHQL_RESPONSE),
        (f"*/*;q=0.1, {JSON};q=0", GRAPHQL_RESPONSE),
    ):
        is_answer(await post(http, {"query": "{ echo }"}, accept), HELLO, media_type)


@CLAUSES.row("3.4", "MUST", "read several Accept headers as one list (RFC 9110)")
async def _(http: httpx.AsyncClient) -> None:
    headers = [("Accept", "text/plain"), ("Accept", GRAPHQL_RESPONSE)]
    answer = await http.post("/graphql", json={"query": "{ echo }"}, headers=headers)
    is_answer(answer, HELLO)


@CLAUSES.row("3.5", "SHOULD", "answer an Accept without a supported media type with 406")
async def _(http: httpx.AsyncClient) -> None:
    for accept in ("text/plain", "image/*", f"{JSON};q=0", "nonsense"):
        is_refused(await post(http, {"query": "{ echo }"}, accept), 406, "BAD_REQUEST", JSON)


@CLAUSES.row("3.6", "SHOULD", "name Accept in Vary (RFC 9110)")
async def _(http: httpx.AsyncClient) -> None:
    for answer in (await post(http, {"query": "{ echo }"}), await get(http)):
        assert answer.headers["Vary"].startswith("Accept")


@CLAUSES.row("4.1", "MUST", "answer with 2xx where data is not null, even with errors")
async def _(http: httpx.AsyncClient) -> None:
    for media_type in (GRAPHQL_RESPONSE, JSON):
        answer = await post(http, {"query": "{ echo failing }"}, media_type)
        assert answer.status_code == 200
        assert answer.json()["data"] == {"echo": "hello", "failing": None}
        assert answer.json()["errors"][0]["extensions"] == {"code": "UPSTREAM_UNAVAILABLE"}


@CLAUSES.row("4.2", "SHOULD", "answer with 2xx where a field's error leaves data null")
async def _(http: httpx.AsyncClient) -> None:
    answer = await post(http, {"query": "{ failingHard }"})
    assert (answer.status_code, answer.json()["data"]) == (200, None)


@CLAUSES.row("4.3", "SHOULD", "put `errors` first in the response (GraphQL, 7.1)")
async def _(http: httpx.AsyncClient) -> None:
    answer = await post(http, {"query": "{ failing }"})
    assert list(answer.json()) == ["errors", "data"]


REQUEST_ERRORS: tuple[tuple[dict[str, object], str], ...] = (
    ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
    ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
    (
        {"query": "query($t: String!) { echo(text: $t) }", "variables": {"t": 7}},
        "BAD_USER_INPUT",
    ),
    ({"query": "query($t: String!) { echo(text: $t) }"}, "BAD_USER_INPUT"),
)


async def has_only_error(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status
    assert list(answer.json()) == ["errors"]
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == [code]


@CLAUSES.row(
    "4.4",
    "SHOULD",
    "answer a wrong document or variable with 400, without data (newest draft: 422)",
)
async def _(http: httpx.AsyncClient) -> None:
    for parameters, code in REQUEST_ERRORS:
        await has_only_error(await post(http, parameters), 400, code)


@CLAUSES.row("4.5", "SHOULD", "answer the same in application/json with 200, without data (audits)")
async def _(http: httpx.AsyncClient) -> None:
    for parameters, code in REQUEST_ERRORS:
        await has_only_error(await post(http, parameters, JSON), 200, code)


@CLAUSES.row(
    "4.6", "SHOULD", "answer with 400 where no operation can be chosen (newest draft: 422)"
)
async def _(http: httpx.AsyncClient) -> None:
    for parameters in (
        {"query": "query A { echo }", "operationName": "B"},
        {"query": "query A { echo } query B { failing }"},
        {"query": "fragment F on Query { echo }"},
    ):
        is_refused(await post(http, parameters), 400, "BAD_REQUEST")
        is_refused(await post(http, parameters, JSON), 400, "BAD_REQUEST", JSON)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield

    async def readiness() -> Readiness:
        return Readiness(True, {})

    web = Web(
        bare_endpoint(always(SCHEMA), max_body_bytes=MAX_BODY_BYTES),
        lifecycle=Lifecycle(),
        readiness=readiness,
        lifespan=lifespan,
        graphiql=False,
        allowed_hosts=["localhost"],
        cors_origins=[],
    )
    transport = httpx.ASGITransport(web)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@CLAUSES.each()
async def test_clause_holds(clause: Clause[Check], http: httpx.AsyncClient) -> None:
    await clause.check(http)
