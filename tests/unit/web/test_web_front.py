"""What is answered at once, and what is handed on to the application."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from clock import Clock
from in_process import InProcess, in_process
from starlette.types import Message, Receive
from twins import counts_of

from gateway.api_keys import create_api_key
from gateway.identity import ALL_SCOPES

QUERY = "{ segments(first: 1) { totalCount } }"
BODY = json.dumps({"query": QUERY}).encode()
STRING = f"query={quote(QUERY)}".encode()
USUAL = {"host": "localhost", "content-type": "application/json", "x-request-id": "one"}
DATA = b'{"data":{"segments":{"totalCount":3}},"extensions":{"cache":{"age":0,"stale":false}}}'

WHOLE, HANDED_ON = "at once", "http.response.start"

Headers = dict[str, str]


async def messages_of(
    gateway: InProcess,
    *,
    headers: list[tuple[str, str]],
    method: str = "POST",
    path: str = "/graphql",
    body: bytes = BODY,
    query: bytes = b"",
    is_whole: bool = True,
) -> list[Message]:
    """Returns what is sent, to a server that takes answers at once if the body `is_whole`."""
    scope: dict[str, object] = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    if is_whole and (answer := gateway.app.answer_at_once(scope, body)) is not None:
        return [{"type": WHOLE, **answer._asdict()}]
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await gateway.app(scope, _stays_after(body), send)
    return sent


async def answer_of(
    gateway: InProcess, headers: Headers | None = None, **request: object
) -> tuple[str, int]:
    """Returns the type of the first message, and the status."""
    sent = await messages_of(gateway, headers=[*{**USUAL, **(headers or {})}.items()], **request)  # type: ignore[arg-type] # as the function has them
    return sent[0]["type"], sent[0]["status"]


async def warm(**settings: Any) -> InProcess:
    """Returns a gateway that has its answer to the query ready."""
    gateway = in_process(3, clock=Clock(), **settings)
    await gateway.app(
        {
            "type": "http",
            "method": "POST",
            "path": "/graphql",
            "query_string": b"",
            "headers": [(b"content-type", b"application/json"), (b"host", b"localhost")],
            "client": ("127.0.0.1", 1),
        },
        _stays_after(BODY),
        _into_nothing,
    )
    return gateway


def _stays_after(body: bytes) -> Receive:
    """Returns the `receive` of a client that sends a body, and then waits for its answer."""
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if not parts:
            await asyncio.Event().wait()
        return parts.pop()

    return receive


async def _into_nothing(_: Message) -> None:
    """Takes what is sent."""


async def test_ready_answer_is_whole() -> None:
    gateway = await warm()
    (message,) = await messages_of(gateway, headers=[*USUAL.items()])
    assert message["type"] == WHOLE
    assert message["status"] == 200
    assert message["lines"].split(b"\r\n") == [
        b"content-type: application/json; charset=utf-8",
        b"vary: Accept, Authorization",
        b"cache-control: private, max-age=14",
        b"age: 0",
        b"x-request-id: one",
        b"x-content-type-options: nosniff",
        b"cross-origin-resource-policy: same-origin",
        b"content-length: %d" % len(DATA),
        b"",
    ]
    assert b"".join(message["parts"]) == DATA


async def test_request_without_an_id_gets_one() -> None:
    gateway = await warm()
    sent = await messages_of(gateway, headers=[("content-type", "application/json")])
    lines = dict(line.split(b": ") for line in sent[0]["lines"].split(b"\r\n")[:-1])
    assert len(bytes.fromhex(lines[b"x-request-id"].decode())) == 16


@pytest.mark.parametrize(
    ("headers", "request_"),
    [
        ({}, {}),
        ({"accept": "*/*"}, {}),
        ({"accept": "text/html, application/json;q=0.9"}, {}),
        ({"content-type": "application/json; charset=utf-8"}, {}),
        ({"origin": "http://localhost"}, {}),
        ({"sec-fetch-site": "same-origin"}, {}),
        ({"authorization": "Basic x"}, {}),
        ({"sec-fetch-site": "none"}, {"method": "GET", "query": STRING, "body": b""}),
        ({"sec-fetch-site": "none"}, {"method": "HEAD", "query": STRING, "body": b""}),
        ({}, {"query": b"query=ignored"}),
    ],
    ids=[
        "post",
        "anything accepted",
        "html accepted by post",
        "charset",
        "own origin",
        "own page",
        "credentials where none are looked at",
        "get",
        "head",
        "post with a query string",
    ],
)
async def test_what_is_answered(headers: Headers, request_: dict[str, object]) -> None:
    assert await answer_of(await warm(), headers, **request_) == (WHOLE, 200)


GET = {"method": "GET", "query": STRING, "body": b""}


@pytest.mark.parametrize(
    ("headers", "request_", "status"),
    [
        ({}, {"is_whole": False}, 200),
        ({"origin": "http://evil.example"}, {}, 403),
        ({"origin": "null"}, {}, 403),
        ({"sec-fetch-site": "cross-site"}, {}, 403),
        ({"host": "evil.example"}, {}, 421),
        ({"content-type": "text/plain"}, {}, 415),
        ({"content-type": "application/json;charset=UTF-8"}, {}, 200),
        ({"content-encoding": "gzip"}, {}, 415),
        ({"content-encoding": "identity"}, {}, 200),
        ({}, {"body": BODY + b" " * 2000}, 413),
        ({"accept": "text/plain"}, {}, 406),
        ({"accept": "a" * 1001}, {}, 200),
        ({"sec-fetch-site": "none", "accept": "text/html"}, GET, 406),
        ({}, GET, 405),
        ({}, {"path": "/graphql/"}, 308),
        ({}, {"path": "/health/live"}, 405),
        ({}, {"method": "PUT"}, 405),
        ({}, {"method": "OPTIONS"}, 405),
        ({}, {"body": b"{"}, 400),
        ({}, {"body": b"[]"}, 400),
        ({}, {"body": b'{"query":"{ segments { nodes { id } } }"}'}, 200),
        ({}, {"body": b'{"documentId":"x"}'}, 404),
    ],
    ids=[
        "body to come",
        "foreign origin",
        "null origin",
        "page of another site",
        "unknown host",
        "text",
        "json with an unusual parameter",
        "compressed",
        "identity",
        "body over the limit",
        "text accepted",
        "long header",
        "html accepted by get",
        "get with a document that no browser marks",
        "path with a slash",
        "other path",
        "other method",
        "preflight without a method",
        "no json",
        "batch",
        "document that was not asked before",
        "unknown document",
    ],
)
async def test_what_is_handed_on(
    headers: Headers, request_: dict[str, object], status: int
) -> None:
    gateway = await warm(
        CORS_ORIGINS="https://shop.example", MAX_BODY_BYTES="1024", ALLOW_GET_DOCUMENTS="false"
    )
    assert await answer_of(gateway, headers, **request_) == (HANDED_ON, status)


async def test_allowed_origin_is_answered_with_the_headers_of_cors() -> None:
    gateway = await warm(CORS_ORIGINS="https://shop.example")
    for origin, allowed in (("https://shop.example", True), ("http://localhost", False)):
        headers = [*{**USUAL, "origin": origin, "sec-fetch-site": "cross-site"}.items()]
        if not allowed:
            headers = headers[:-1]
        (message,) = await messages_of(gateway, headers=headers)
        lines = message["lines"].split(b"\r\n")
        assert b"vary: Origin" in lines
        assert (b"access-control-allow-origin: https://shop.example" in lines) is allowed
        assert any(line.startswith(b"access-control-expose-headers: Age") for line in lines)


@pytest.mark.parametrize("name", ["content-type", "accept", "x-request-id", "cookie"])
async def test_second_header_of_one_name_is_handed_on(name: str) -> None:
    headers = {**USUAL, "accept": "application/json", "cookie": "a=b"}
    sent = await messages_of(await warm(), headers=[*headers.items(), (name, headers[name])])
    assert (sent[0]["type"], sent[0]["status"]) == (HANDED_ON, 200)


async def test_get_with_a_document_is_answered_where_it_is_allowed() -> None:
    gateway = await warm(ALLOW_GET_DOCUMENTS="true")
    assert await answer_of(gateway, method="GET", query=STRING, body=b"") == (WHOLE, 200)


async def test_get_that_names_the_entity_tag_is_answered_with_304() -> None:
    gateway = await warm(ALLOW_GET_DOCUMENTS="true")
    (whole,) = await messages_of(
        gateway, headers=[*USUAL.items()], method="GET", query=STRING, body=b""
    )
    lines = dict(line.split(b": ") for line in whole["lines"].split(b"\r\n")[:-1])
    for _ in range(2):
        (message,) = await messages_of(
            gateway,
            headers=[*USUAL.items(), ("if-none-match", lines[b"etag"].decode())],
            method="GET",
            query=STRING,
            body=b"",
        )
        assert (message["status"], message["parts"]) == (304, ())
        assert b"content-length" not in message["lines"]
        assert b"etag: " + lines[b"etag"] in message["lines"].split(b"\r\n")


async def test_entity_tag_is_answered_with_304_by_the_ordinary_way_too() -> None:
    gateway = await warm(ALLOW_GET_DOCUMENTS="true")
    asked = {"query": QUERY}
    etag = (await gateway.http.get("/graphql", params=asked)).headers["etag"]
    answer = await gateway.http.get("/graphql", params=asked, headers={"if-none-match": etag})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert "content-length" not in answer.headers


async def test_credentials_that_are_not_known_are_handed_on(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    key = create_api_key(file, "shop", [*ALL_SCOPES])
    gateway = await warm(API_KEYS_FILE=str(file))
    known = {"authorization": f"Bearer {key}"}
    asked = [await answer_of(gateway, known) for _ in range(2)]
    assert asked == [(HANDED_ON, 200), (WHOLE, 200)]
    assert await answer_of(gateway, {"authorization": "Bearer gwk_wrong"}) == (HANDED_ON, 401)
    assert await answer_of(gateway) == (HANDED_ON, 401)


async def test_answer_is_kept_at_its_second_request_and_sent_from_then_on() -> None:
    gateway = await warm()
    for _ in range(4):
        assert await answer_of(gateway) == (WHOLE, 200)
    assert counts_of(gateway) == {"executed": 1, "planned": 1, "cached": 3}


async def test_body_longer_than_16_kib_is_planned_each_time() -> None:
    gateway = await warm()
    body = BODY + b" " * 16 * 1024
    for _ in range(3):
        assert await answer_of(gateway, body=body) == (WHOLE, 200)
    assert counts_of(gateway) == {"executed": 1, "planned": 3, "cached": 0}
    assert gateway.app.state.response_cache.bytes == 0


SHA256 = hashlib.sha256(QUERY.encode()).hexdigest()


def named(sha256: str, query: str | None = None) -> bytes:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256}}
    return json.dumps({"extensions": extensions} | ({"query": query} if query else {})).encode()


async def test_document_by_its_hash_is_answered_once_it_is_in_memory() -> None:
    gateway = await warm(RESPONSE_CACHE_MAX_BYTES="0")
    assert await answer_of(gateway, body=named(SHA256)) == (HANDED_ON, 200)
    assert await answer_of(gateway, body=named(SHA256, QUERY)) == (HANDED_ON, 200)
    by_hash = json.dumps({"documentId": f"sha256:{SHA256}"}).encode()
    assert await answer_of(gateway, body=named(SHA256)) == (WHOLE, 200)
    assert await answer_of(gateway, body=by_hash) == (WHOLE, 200)


async def test_document_id_that_is_a_hash_without_its_prefix_is_unknown() -> None:
    gateway = await warm(RESPONSE_CACHE_MAX_BYTES="0")
    await answer_of(gateway, body=named(SHA256, QUERY))
    body = json.dumps({"documentId": SHA256}).encode()
    assert await answer_of(gateway, body=body) == (HANDED_ON, 404)


async def test_trusted_document_is_ready_by_its_text_its_id_and_its_own_hash(
    tmp_path: Path,
) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"page": QUERY}))
    gateway = await warm(
        TRUSTED_DOCUMENTS_FILE=str(manifest),
        TRUSTED_DOCUMENTS_ONLY="true",
        RESPONSE_CACHE_MAX_BYTES="0",
    )
    other = "{ segments { nodes { id } } }"
    asked = {
        "text": BODY,
        "id": b'{"documentId":"page"}',
        "hash": named(SHA256),
        "text and hash": named(SHA256, QUERY),
        "text and another hash": named("0" * 64, QUERY),
        "another text": json.dumps({"query": other}).encode(),
    }
    assert {fact: await answer_of(gateway, body=body) for fact, body in asked.items()} == {
        "text": (WHOLE, 200),
        "id": (WHOLE, 200),
        "hash": (WHOLE, 200),
        "text and hash": (WHOLE, 200),
        "text and another hash": (HANDED_ON, 400),
        "another text": (HANDED_ON, 403),
    }
