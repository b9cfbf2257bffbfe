"""Caches in front of the gateway, clause by clause: of RFC 9110, RFC 9111, and our own.

Each row holds for answers that graphql-core executes, that a plan makes, that lie in the response
cache, and that go out whole before the rest of the application.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
import strawberry
from bare_endpoint import bare_endpoint
from clauses import Clause, Clauses
from clock import Clock, settle
from documents_in_memory import always
from in_process import InProcess, in_process
from served_whole import ServedWhole
from starlette.types import Scope

from gateway.api_keys import create_api_key
from gateway.emulator import Fault, Rule
from gateway.identity import ALL_SCOPES, AccessScope, Client
from gateway.schema import Limits
from gateway.schema.documents import KnownDocuments, document_extensions
from gateway.web.authentication import Authentication, Peers

JSON: Final = "application/json"
GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
# Of which 14 whole ones are left at once: a part of a second is rounded down.
TTL_SECONDS: Final = 15
PAGE: Final = "{ segments(first: 2) { nodes { name } } }"
# In another block than the first page.
LAST: Final = "{ segments(last: 2) { nodes { name } } }"
BOTH: Final = (
    "{ first: segments(first: 2) { nodes { name } } last: segments(last: 2) { nodes { name } } }"
)
VIP: Final = "1a466884-f3f4-4249-9c28-ff90a5aec797"
ABSENT: Final = "ffffffff-0000-4000-8000-ffffffffffff"
WAYS: Final = ("executed", "planned", "cached", "cached in front")
FROM_A_SHOP: Final = {"Origin": "https://shop.example"}


class NamedByHeader(Authentication):
    """The client of a request has the name in `X-Client`, whatever its credentials are."""

    def __init__(self) -> None:
        super().__init__(lambda: 0.0, peers=Peers(), anonymous=ALL_SCOPES)

    def at_once(self, scope: Scope, authorization: bytes | None) -> Client:
        return Client(dict(scope["headers"])[b"x-client"].decode(), ALL_SCOPES)


def url_of(document: str) -> str:
    return "/graphql?" + urlencode({"query": document})


@dataclass
class Cached:
    """A gateway whose answers go one of `WAYS`, and its clock."""

    way: str
    gateway: InProcess
    clock: Clock
    served: ServedWhole
    _warm: set[object] = field(default_factory=set)

    @property
    def counts(self) -> dict[str, int]:
        """How many answers went each way."""
        counts = self.gateway.app.state.answers
        whole = self.served.whole_answers
        return {
            "executed": counts.executed,
            "planned": counts.planned,
            "cached": counts.cached - whole,
            "cached in front": whole,
        }

    async def send(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Sends a request once, and lets what began in the background end."""
        answer = await self.gateway.http.request(method, url, **options)
        await settle()
        return answer

    async def read(
        self, document: str = PAGE, /, method: str = "GET", **headers: str
    ) -> httpx.Response:
        """Returns the answer to a query; it has gone this way. `_` in names of headers is `-`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.asked(document, method, sent)

    async def asked(
        self, document: str, method: str, headers: dict[str, str] | list[tuple[str, str]]
    ) -> httpx.Response:
        """As `read`, with any headers."""
        url = url_of(document)
        options: dict[str, Any] = {"headers": headers}
        if method == "POST":
            url, options["json"] = "/graphql", {"query": document}
        plain = [(k, v) for k, v in httpx.Headers(headers).multi_items() if k != "if-none-match"]
        request = (url, method == "POST", document, *plain)
        if request not in self._warm and self.way != "executed":
            self._warm.add(request)
            warming = {**options, "headers": plain}
            for _ in range(3):
                await self.send("POST" if method == "POST" else "GET", url, **warming)
        before = self.counts[self.way]
        answer = await self.send(method, url, **options)
        assert self.counts[self.way] == before + 1, (self.way, answer.text)
        return answer


@dataclass(frozen=True)
class Way:
    """One of the ways that answers go."""

    name: str

    def gateway(
        self, *, named_clients: bool = False, segments: int = 1000, **settings: str
    ) -> Cached:
        """Returns a gateway whose answers go this way, over a store of some segments."""
        clock = Clock()
        variables: dict[str, Any] = {
            "ALLOW_GET_DOCUMENTS": "true",
            "ALLOW_ANONYMOUS": "read",
            "RESPONSE_CACHE_MAX_BYTES": str(2**24 if self.name.startswith("cached") else 0),
            **settings,
        }
        gateway = in_process(
            segments,
            clock=clock,
            plans=self.name != "executed",
            authenticate=NamedByHeader() if named_clients else None,
            **variables,
        )
        served = ServedWhole(gateway.app)
        if self.name == "cached in front":
            transport = httpx.ASGITransport(served)
            gateway.http = httpx.AsyncClient(transport=transport, base_url="http://localhost")
        return Cached(self.name, gateway, clock, served)


Check = Callable[[Way], Awaitable[None]]
CLAUSES: Clauses[Check] = Clauses()


def rename_first(cached: Cached) -> None:
    """Renames the first segment of the store."""
    segments = cached.gateway.emulator.store.segments
    segments[0] = replace(segments[0], name="Renamed")


def max_age_of(answer: httpx.Response) -> int:
    return int(answer.headers["cache-control"].partition("max-age=")[2])


def fresh_for(answer: httpx.Response) -> int:
    """How long a cache uses an answer that it has just got (RFC 9111, 4.2)."""
    return max_age_of(answer) - int(answer.headers["age"])


def is_not_stored(answer: httpx.Response, status: int = 200) -> None:
    assert (answer.status_code, answer.headers["cache-control"]) == (status, "no-store")
    assert "cache-tag" not in answer.headers


def is_whole(answer: httpx.Response) -> None:
    assert answer.status_code == 200
    assert len(answer.json()["data"]["segments"]["nodes"]) == 2


def is_not_modified(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.content) == (304, b"")


@CLAUSES.row("RFC 9110, 8.8.1", "MUST", "a validator that is not of each byte is marked as weak")
async def _(way: Way) -> None:
    answer = await way.gateway().read()
    assert re.fullmatch(r'W/"[0-9a-f]{24}"', answer.headers["etag"])


@CLAUSES.row("RFC 9110, 8.8.1", "MUST", "a weak validator changes when the data does")
async def _(way: Way) -> None:
    cached = way.gateway()
    before = (await cached.read()).headers["etag"]
    rename_first(cached)
    cached.clock.advance(TTL_SECONDS + 700)  # nothing stale is left
    await cached.send("GET", url_of(PAGE))
    after = await cached.read()
    assert after.json()["data"]["segments"]["nodes"][0] == {"name": "Renamed"}
    assert after.headers["etag"] != before
    assert (await cached.read(If_None_Match=before)).status_code == 200


@CLAUSES.row("RFC 9110, 8.8.3", "SHOULD", "each representation, by its media type, has its own tag")
async def _(way: Way) -> None:
    cached = way.gateway()
    as_json = await cached.read(Accept=JSON)
    as_graphql = await cached.read(Accept=GRAPHQL_RESPONSE)
    assert as_json.json()["data"] == as_graphql.json()["data"]
    assert as_json.headers["etag"] != as_graphql.headers["etag"]


@CLAUSES.row("our own, 1", "OWN", "the ETag stays while `data` does, though the age changes")
async def _(way: Way) -> None:
    cached = way.gateway()
    young = await cached.read()
    cached.clock.advance(7)
    old = await cached.read()
    assert (young.json()["extensions"]["cache"]["age"], old.headers["age"]) == (0, "7")
    assert young.headers["etag"] == old.headers["etag"]


@CLAUSES.row("our own, 1", "OWN", "the ETag stays when the same data is read again")
async def _(way: Way) -> None:
    cached = way.gateway()
    before = await cached.read()
    cached.clock.advance(TTL_SECONDS + 700)
    await cached.send("GET", url_of(PAGE))
    after = await cached.read(If_None_Match=before.headers["etag"])
    is_not_modified(after)
    assert after.headers["age"] == "0"


@CLAUSES.row("RFC 9110, 13.1.2", "MUST", "GET and HEAD get 304 if a tag matches")
async def _(way: Way) -> None:
    cached = way.gateway()
    etag = (await cached.read()).headers["etag"]
    for method in ("GET", "HEAD"):
        is_not_modified(await cached.read(method=method, If_None_Match=etag))


@CLAUSES.row("RFC 9110, 13.1.2", "MUST", "`*` matches whatever there is")
async def _(way: Way) -> None:
    cached = way.gateway()
    for value in ("*", " * "):
        is_not_modified(await cached.read(If_None_Match=value))


@CLAUSES.row("RFC 9110, 13.1.2", "MUST", "one of a list is enough")
async def _(way: Way) -> None:
    cached = way.gateway()
    etag = (await cached.read()).headers["etag"]
    for value in (f'"a", {etag}, W/"b"', f'"a",{etag}', f"{etag} ,", f'W/"a",,\t{etag}'):
        is_not_modified(await cached.read(If_None_Match=value))


@CLAUSES.row("RFC 9110, 5.3", "MUST", "several lines of `If-None-Match` are one list")
async def _(way: Way) -> None:
    # What has a header twice is not answered in front.
    cached = (Way("cached") if way.name == "cached in front" else way).gateway()
    etag = (await cached.read()).headers["etag"]
    lines = [("If-None-Match", '"a"'), ("If-None-Match", etag), ("If-None-Match", '"b"')]
    is_not_modified(await cached.asked(PAGE, "GET", lines))
    is_whole(await cached.asked(PAGE, "GET", [lines[0], lines[2]]))


@CLAUSES.row("RFC 9110, 8.8.3.2", "MUST", "tags are compared weakly")
async def _(way: Way) -> None:
    cached = way.gateway()
    strong = (await cached.read()).headers["etag"].removeprefix("W/")
    is_not_modified(await cached.read(If_None_Match=strong))


@CLAUSES.row("RFC 9110, 13.1.2", "MUST", "other tags, and what is no tag, match nothing")
async def _(way: Way) -> None:
    cached = way.gateway()
    etag = (await cached.read()).headers["etag"]
    bare = etag.removeprefix("W/").strip('"')
    for value in ('"a"', 'W/"b", "c"', bare, f"w/{etag[2:]}", f"x{etag}", '*, "a"', '"*"', ","):
        is_whole(await cached.read(If_None_Match=value))


@CLAUSES.row("RFC 9110, 13.2.1", "MUST", "a POST selects no representation: answered in full")
async def _(way: Way) -> None:
    cached = way.gateway()
    etag = (await cached.read()).headers["etag"]
    for value in (etag, "*"):
        answer = await cached.read(method="POST", If_None_Match=value)
        is_whole(answer)
        assert "etag" not in answer.headers


@CLAUSES.row(
    "RFC 9110, 13.2.1", "MUST", "conditions count only where the answer would be a success"
)
async def _(way: Way) -> None:
    cached = way.gateway()
    star = {"If-None-Match": "*"}
    for url, headers, status in (
        ("/graphql", {}, 400),
        (url_of("mutation { write }"), {}, 405),
        (url_of(PAGE), {"Accept": "image/png"}, 406),
        (url_of(PAGE), {"Host": "elsewhere.example"}, 421),
        (url_of(PAGE), {"Origin": "https://elsewhere.example"}, 403),
        ("/graphql/unknown", {}, 404),
    ):
        answer = await cached.send("GET", url, headers={**headers, **star})
        assert answer.status_code == status
        assert answer.json()["errors"]


@CLAUSES.row("RFC 9110, 15.4.5", "MUST", "304 has the Cache-Control, ETag and Vary of the 200")
async def _(way: Way) -> None:
    cached = way.gateway(CORS_ORIGINS="https://shop.example", SHARED_CACHES="true")
    whole = await cached.read()
    answer = await cached.read(If_None_Match=whole.headers["etag"])
    is_not_modified(answer)
    # RFC 9110, 15.4.5: `Date` too, which the server adds.
    for name in ("cache-control", "etag", "vary", "age"):
        assert answer.headers.get_list(name) == whole.headers.get_list(name) != []


@CLAUSES.row("RFC 9110, 15.4.5", "SHOULD", "304 has nothing else that describes the content")
async def _(way: Way) -> None:
    answer = await way.gateway().read(If_None_Match="*")
    names = {name for name in answer.headers if name.startswith(("content-", "cache-tag"))}
    assert names == set()
    assert {*answer.headers} == {
        "age",
        "cache-control",
        "cross-origin-resource-policy",
        "etag",
        "vary",
        "x-content-type-options",
        "x-request-id",
    }


@CLAUSES.row("RFC 9110, 9.3.2", "SHOULD", "HEAD has the headers of GET, and no content")
async def _(way: Way) -> None:
    cached = way.gateway()
    sent = {"X-Request-Id": "one"}
    got = await cached.asked(PAGE, "GET", sent)
    headed = await cached.asked(PAGE, "HEAD", sent)
    assert (headed.status_code, headed.content) == (200, b"")
    assert headed.headers == got.headers
    assert headed.headers["content-length"] == str(len(got.content))


@CLAUSES.row("RFC 9110, 12.5.5", "SHOULD", "Vary names what an answer depends on")
async def _(way: Way) -> None:
    cached = way.gateway()
    for answer in (await cached.read(), await cached.read(method="POST")):
        assert answer.headers["vary"] == "Accept, Authorization"


@CLAUSES.row(
    "Fetch, 3.3.5", "SHOULD", "with CORS, Vary names Origin, for a request without one, too"
)
async def _(way: Way) -> None:
    cached = way.gateway(CORS_ORIGINS="https://shop.example")
    assert (await cached.read()).headers["vary"] == "Accept, Authorization, Origin"
    # Front hands on what needs CORS.
    way = Way("cached") if way.name == "cached in front" else way
    cached = way.gateway(CORS_ORIGINS="https://shop.example")
    answer = await cached.asked(PAGE, "GET", FROM_A_SHOP)
    assert answer.headers["vary"] == "Accept, Authorization, Origin"
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["cache-control"] == "private, max-age=14"
    again = await cached.asked(
        PAGE, "GET", {**FROM_A_SHOP, "If-None-Match": answer.headers["etag"]}
    )
    is_not_modified(again)
    assert again.headers["access-control-allow-origin"] == "https://shop.example"
    assert again.headers["vary"] == "Accept, Authorization, Origin"


@CLAUSES.row("RFC 9111, 5.1", "MUST", "Age is whole seconds since the data was read")
async def _(way: Way) -> None:
    cached = way.gateway()
    ages = []
    for seconds in (0, 0.4, 0.7, 5.8, 8):
        cached.clock.advance(seconds)
        ages.append((await cached.read()).headers["age"])
    assert ages == ["0", "0", "1", "6", "14"]


@CLAUSES.row("our own, 2", "OWN", "`extensions.cache.age` is Age, by GET and by POST")
async def _(way: Way) -> None:
    cached = way.gateway()
    await cached.read()
    cached.clock.advance(6.3)
    for method in ("GET", "POST"):
        answer = await cached.read(method=method)
        assert answer.json()["extensions"] == {"cache": {"age": 6, "stale": False}}
        assert answer.headers["age"] == "6"


@CLAUSES.row(
    "RFC 9111, 4.2.3", "MUST", "max-age less Age is what is left, and never more than that"
)
async def _(way: Way) -> None:
    cached = way.gateway()
    await cached.read()
    read_at = cached.clock.now
    left = []
    for seconds in (0, 0.3, 0.6, 0.2, 3.8, 9.6, 0.4):
        cached.clock.advance(seconds)
        answer = await cached.read()
        left.append(fresh_for(answer))
        assert 0 <= read_at + TTL_SECONDS - cached.clock.now - left[-1] < 1.001
    assert left == [14, 14, 14, 13, 10, 0, 0]


@CLAUSES.row("RFC 9111, 4.2.3", "MUST", "what is left is that of the oldest value")
async def _(way: Way) -> None:
    cached = way.gateway()
    await cached.send("GET", url_of(PAGE))
    cached.clock.advance(9)
    await cached.send("GET", url_of(LAST))
    cached.clock.advance(1.5)
    answer = await cached.read(BOTH)
    assert answer.headers["age"] == "10"
    assert answer.headers["cache-control"] == "private, max-age=14"
    assert fresh_for(answer) == 4


@CLAUSES.row("RFC 9111, 4.3.4", "MUST", "304 refreshes what a cache has stored: its Age is today's")
async def _(way: Way) -> None:
    cached = way.gateway()
    etag = (await cached.read()).headers["etag"]
    cached.clock.advance(11)
    answer = await cached.read(If_None_Match=etag)
    is_not_modified(answer)
    assert fresh_for(answer) == 4


@CLAUSES.row("RFC 9111, 5.2.2.7", "OWN", "an answer is private by default")
async def _(way: Way) -> None:
    cached = way.gateway()
    for method in ("GET", "HEAD", "POST"):
        answer = await cached.read(method=method)
        assert answer.headers["cache-control"] == "private, max-age=14"


@CLAUSES.row("RFC 9111, 5.2.2.9", "OWN", "it is public to clients without credentials if so set")
async def _(way: Way) -> None:
    cached = way.gateway(SHARED_CACHES="true", CACHE_TTL_SECONDS="60")
    for method in ("GET", "HEAD", "POST"):
        answer = await cached.read(method=method)
        assert answer.headers["cache-control"] == "public, max-age=59"
    not_modified = await cached.read(If_None_Match="*")
    assert not_modified.headers["cache-control"] == "public, max-age=59"


@CLAUSES.row(
    "RFC 9111, 3.5", "MUST", "it is never public to a key, not even after anonymous clients"
)
async def _(way: Way) -> None:
    # In the folder of this test.
    key = create_api_key(Path("keys.json"), "web", [*AccessScope])
    cached = way.gateway(SHARED_CACHES="true", API_KEYS_FILE="keys.json")
    for _ in range(2):
        anonymous = await cached.read()
        with_key = await cached.read(Authorization=f"Bearer {key}")
        assert with_key.content == anonymous.content
        assert anonymous.headers["cache-control"] == "public, max-age=14"
        assert with_key.headers["cache-control"] == "private, max-age=14"
        answer = await cached.read(Authorization=f"Bearer {key}", If_None_Match="*")
        assert answer.headers["cache-control"] == "private, max-age=14"
    wrong = await cached.send("GET", url_of(PAGE), headers={"Authorization": "Bearer gwk_x"})
    is_not_stored(wrong, 401)


@CLAUSES.row("RFC 9111, 3.5", "MUST", "it is never public to a token")
async def _(way: Way) -> None:
    cached = way.gateway(named_clients=True, SHARED_CACHES="true")
    for name, scope in (
        ("token:alice", "private"),
        ("peer:192.0.2.1", "public"),
        ("key:web", "private"),
        ("token:peer:192.0.2.1", "private"),
        ("token:alice", "private"),
    ):
        answer = await cached.read(X_Client=name)
        assert answer.headers["cache-control"] == f"{scope}, max-age=14"


@CLAUSES.row("RFC 9111, 3.5", "MUST", "it is not public to credentials that the gateway ignores")
async def _(way: Way) -> None:
    cached = way.gateway(SHARED_CACHES="true")
    for method in ("GET", "POST"):
        answer = await cached.read(method=method, Authorization="Basic Zm9vOmJhcg==")
        assert answer.headers["cache-control"] == "private, max-age=14"


@CLAUSES.row("RFC 9110, 9.3.3", "OWN", "no cache stores an answer to POST: no Content-Location")
async def _(way: Way) -> None:
    answer = await way.gateway().read(method="POST")
    assert {"content-location", "etag", "cache-tag"} & {*answer.headers} == set()


@CLAUSES.row("RFC 9111, 5.2.2.5", "OWN", "no-store: requests that are refused")
async def _(way: Way) -> None:
    cached = way.gateway(SHARED_CACHES="true")
    await cached.read()
    for method, url, headers, status in (
        ("GET", "/graphql", {}, 400),
        ("PUT", "/graphql", {}, 405),
        ("GET", url_of(PAGE), {"Accept": "image/png"}, 406),
        ("GET", url_of(PAGE), {"Host": "elsewhere.example"}, 421),
        ("GET", url_of(PAGE), {"Origin": "https://elsewhere.example"}, 403),
        ("GET", url_of(PAGE), {"Sec-Fetch-Site": "cross-site"}, 403),
        ("POST", "/graphql", {"Content-Type": "text/plain"}, 415),
        ("GET", "/graphql/unknown", {}, 404),
    ):
        is_not_stored(await cached.send(method, url, headers=headers), status)


@CLAUSES.row("RFC 9111, 5.2.2.5", "OWN", "no-store: a GET that no browser marks, with a document")
async def _(way: Way) -> None:
    cached = way.gateway(ALLOW_GET_DOCUMENTS="false")
    await cached.read(Sec_Fetch_Site="same-origin")
    is_not_stored(await cached.send("GET", url_of(PAGE)), 405)


@CLAUSES.row("RFC 9111, 5.2.2.5", "OWN", "no-store: documents that are wrong")
async def _(way: Way) -> None:
    cached = way.gateway(SHARED_CACHES="true")
    for document in (
        "{",
        "{ nothing }",
        "query Q($n: Int!) { segments(first: $n) { totalCount } }",
    ):
        for _ in range(3):
            is_not_stored(await cached.send("GET", url_of(document)))


@CLAUSES.row("RFC 9111, 5.2.2.5", "OWN", "no-store: the hash of a document that is not known yet")
async def _(way: Way) -> None:
    cached = way.gateway(ALLOW_GET_DOCUMENTS="false", SHARED_CACHES="true")
    persisted = {"version": 1, "sha256Hash": sha256(PAGE.encode()).hexdigest()}
    extensions = {"persistedQuery": persisted}
    url = "/graphql?" + urlencode({"extensions": msgspec.json.encode(extensions).decode()})
    unknown = await cached.send("GET", url)
    is_not_stored(unknown)
    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    stored = {"query": PAGE, "extensions": extensions}
    await cached.send("POST", "/graphql", json=stored)
    for _ in range(4):
        answer = await cached.send("GET", url)
        is_whole(answer)
        assert answer.headers["cache-control"] == "public, max-age=14"
    is_not_modified(
        await cached.send("GET", url, headers={"If-None-Match": answer.headers["etag"]})
    )


@CLAUSES.row("RFC 9111, 5.2.2.5", "OWN", "no-store: partial data")
async def _(way: Way) -> None:
    cached = way.gateway(SHARED_CACHES="true")
    partial = '{ segments(first: 2) { nodes { name } } segment(id: "x") { name } }'
    for _ in range(3):
        answer = await cached.send("GET", url_of(partial), headers={"If-None-Match": "*"})
        is_not_stored(answer)
        is_whole(answer)
        assert answer.json()["errors"]
        assert answer.headers["age"] == "0"
        assert "etag" not in answer.headers


@CLAUSES.row("RFC 9111, 5.2.2.5", "OWN", "no-store: the store fails, and nothing is kept")
async def _(way: Way) -> None:
    cached = way.gateway(SHARED_CACHES="true")
    cached.gateway.emulator.faults.rules = [Rule(Fault.SERVER_ERROR)]
    answer = await cached.send("GET", url_of(PAGE))
    is_not_stored(answer)
    assert answer.json()["errors"][0]["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"


@CLAUSES.row("RFC 9111, 5.2.2.5", "OWN", "no-store: stale answers, with Cache-Status")
async def _(way: Way) -> None:
    cached = way.gateway(SHARED_CACHES="true")
    await cached.read()
    cached.gateway.emulator.faults.rules = [Rule(Fault.SERVER_ERROR)]
    cached.clock.advance(20)
    for _ in range(3):
        answer = await cached.send("GET", url_of(PAGE))
        is_whole(answer)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["age"] == "20"
        assert answer.headers["cache-status"].startswith("segments-gateway; hit; ttl=-5")


@CLAUSES.row("RFC 9111, 5.2.2.5", "OWN", "no-store: answers without a value of the store")
async def _(way: Way) -> None:
    cached = way.gateway(INTROSPECTION="true", SHARED_CACHES="true")
    for document in ("{ __typename }", "{ __schema { queryType { name } } }"):
        for _ in range(3):
            answer = await cached.send("GET", url_of(document))
            is_not_stored(answer)
            assert "age" not in answer.headers
        conditional = await cached.send("GET", url_of(document), headers={"If-None-Match": "*"})
        assert conditional.status_code == 304
        assert conditional.headers["cache-control"] == "no-store"
        assert conditional.headers["etag"] == answer.headers["etag"]


@CLAUSES.row("RFC 9111, 5.2.2.5", "OWN", "no-store: where nothing is kept, with a ttl of 0")
async def _(way: Way) -> None:
    cached = way.gateway(CACHE_TTL_SECONDS="0", SHARED_CACHES="true")
    for method in ("GET", "GET", "GET", "HEAD"):
        answer = await cached.send(method, url_of(PAGE))
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")


@CLAUSES.row("our own, 3", "OWN", "Cache-Tag has the collection, and the ids of the rows")
async def _(way: Way) -> None:
    cached = way.gateway()
    ids = [row.id for row in cached.gateway.emulator.store.segments]
    answer = await cached.read()
    assert answer.headers["cache-tag"].split(",") == ["segments", *ids[:2]]
    for document, expected in (
        (f'{{ segment(entityId: "{VIP}") {{ name }} }}', ["segments", VIP]),
        (f'{{ segment(entityId: "{ABSENT}") {{ name }} }}', ["segments"]),
        (f'{{ a: segment(entityId: "{VIP}") {{ name }} {PAGE[2:]}', ["segments", *ids[:2]]),
        ("{ segments { totalCount } }", ["segments"]),
        ("{ segments(first: 50) { nodes { name } } }", ["segments", *ids[:50]]),
        ("{ segments(first: 51) { nodes { name } } }", ["segments"]),
    ):
        tags = (await cached.read(document)).headers["cache-tag"].split(",")
        assert (tags[0], sorted(tags)) == ("segments", sorted(expected))


@pytest.mark.parametrize("name", WAYS)
async def test_the_answer_in_the_documentation_is_the_one_that_is_sent(name: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
    ((url, status, shown),) = re.findall(
        r"^```http\nGET (.*)\n\n(\d+)\n((?:.+\n)+)```$", text, re.MULTILINE
    )
    cached = Way(name).gateway(SHARED_CACHES="true", segments=120)
    document = "{ segments { totalCount } }"
    persisted = {"version": 1, "sha256Hash": sha256(document.encode()).hexdigest()}
    stored = {"query": document, "extensions": {"persistedQuery": persisted}}
    await cached.send("POST", "/graphql", json=stored)
    cached.clock.advance(3.5)
    for _ in range(4):
        answer = await cached.send("GET", url)
        assert answer.status_code == int(status)
        for line in shown.splitlines():
            header, _, value = line.partition(": ")
            assert (header, answer.headers[header]) == (header, value)


@pytest.mark.parametrize("name", WAYS)
@CLAUSES.each()
async def test_clause_holds(
    clause: Clause[Check], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await clause.check(Way(name))


@strawberry.type
class Query:
    @strawberry.field
    def echo(self) -> str:
        return "hello"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def write(self) -> str:
        return "written"


async def test_a_mutation_is_not_stored() -> None:
    extensions = document_extensions(KnownDocuments(Limits()))
    schema = strawberry.Schema(Query, Mutation, extensions=extensions)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await bare_endpoint(always(schema))({**scope, "request_id": "one"}, receive, send)

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        written = {"query": "mutation { write }"}
        answer = await http.post("/graphql", json=written, headers={"If-None-Match": "*"})
    assert answer.json() == {"data": {"write": "written"}}
    is_not_stored(answer)
    assert {"etag", "age"} & {*answer.headers} == set()
