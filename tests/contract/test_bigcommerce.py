"""What the gateway takes for granted about the upstream, as a table of numbered sentences.

The emulator has to keep every row, in the process and on a port; so has a real store, which joins
when BIGCOMMERCE_CONTRACT_STORE_HASH and BIGCOMMERCE_CONTRACT_ACCESS_TOKEN are set. The rows only
read. Sources: [S26] OpenAPI description of 2026, [DOC] guides, [WIRE] recorded answers, [CODE] what
public clients have measured. Behaviour without a source is no row: it is a decision of the
emulator, in docs/emulator.md.
"""

import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import httpx
import msgspec
import pytest
from processes import serving

from gateway.emulator import create_emulator, seeded_store

REAL_STORE_HASH = os.environ.get("BIGCOMMERCE_CONTRACT_STORE_HASH")
REAL_TOKEN = os.environ.get("BIGCOMMERCE_CONTRACT_ACCESS_TOKEN")
KINDS = ["in process", "on a port"] + (["real store"] if REAL_STORE_HASH and REAL_TOKEN else [])

WRONG_TOKEN = {"X-Auth-Token": "no-such-token"}
NO_SUCH_ID = "00000000-0000-4000-8000-000000000000"


class Pagination(msgspec.Struct):
    total: int
    count: int
    per_page: int
    current_page: int
    total_pages: int
    links: dict[str, str | None] = {}


class Meta(msgspec.Struct):
    pagination: Pagination


class Row(msgspec.Struct):
    id: UUID
    name: str
    description: str | None
    created_at: str
    updated_at: str


class Listed(msgspec.Struct):
    data: list[Row]
    meta: Meta


@dataclass(frozen=True)
class Upstream:
    """One store's API, asked with the store's own token and hash unless a row names others."""

    client: httpx.AsyncClient
    store_hash: str
    token: str = field(repr=False)

    async def ask(
        self,
        query: str = "",
        method: str = "GET",
        path: str = "segments",
        headers: Mapping[str, str] | None = None,
        store_hash: str | None = None,
    ) -> httpx.Response:
        url = f"/stores/{store_hash or self.store_hash}/v3/{path}{query}"
        own = {"X-Auth-Token": self.token}
        return await self.client.request(method, url, headers=own if headers is None else headers)

    async def list(self, query: str = "") -> Listed:
        answer = await self.ask(query)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("application/json")
        return msgspec.json.decode(answer.content, type=Listed)


Check = Callable[[Upstream], Awaitable[None]]
TABLE: list[tuple[str, str, Check]] = []


def clause(number: str, sentence: str) -> Callable[[Check], None]:
    """Makes a check a row of the table."""
    return lambda check: TABLE.append((number, sentence, check))


def is_not_found(answer: httpx.Response) -> None:
    assert answer.status_code == 404
    assert "The route is not found, check the URL" in answer.text


def is_text(answer: httpx.Response, status: int, text: str) -> None:
    assert (answer.status_code, answer.text) == (status, text)
    assert answer.headers["Content-Type"].startswith("text/plain")


def is_error(answer: httpx.Response, status: int, title: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["status"], body["title"]) == (status, status, title)
    assert body["type"].startswith("https://")
    assert body["errors"] == {}


@clause("route-1", "An unknown route MUST be 404, and say so. [CODE]")
async def unknown_route(upstream: Upstream) -> None:
    is_not_found(await upstream.ask(path="no-such-route"))


@clause("route-2", "A method that a route lacks MUST be 404, not 405. [CODE]")
async def unknown_method(upstream: Upstream) -> None:
    is_not_found(await upstream.ask(method="PATCH"))


@clause("route-3", "The route MUST be checked before the token. [CODE]")
async def route_before_token(upstream: Upstream) -> None:
    is_not_found(await upstream.ask(path="no-such-route", headers={}))


@clause("auth-1", "A request without X-Auth-Token MUST be 401 in plain text. [CODE]")
async def no_token(upstream: Upstream) -> None:
    is_text(await upstream.ask(headers={}), 401, "X-Auth-Token header is required")


@clause("auth-2", "An empty X-Auth-Token MUST be 401 with its own text. [CODE]")
async def empty_token(upstream: Upstream) -> None:
    answer = await upstream.ask(headers={"X-Auth-Token": ""})
    is_text(answer, 401, "X-Auth-Token header should have correct format")


@clause("auth-3", "A wrong token MUST be 401 with an error object. [CODE]")
async def wrong_token(upstream: Upstream) -> None:
    is_error(await upstream.ask(headers=WRONG_TOKEN), 401, "Unauthorized")


@clause("auth-4", "The token MUST be checked before the store. [CODE]")
async def token_before_store(upstream: Upstream) -> None:
    answer = await upstream.ask(headers=WRONG_TOKEN, store_hash="nosuchstore")
    is_error(answer, 401, "Unauthorized")


@clause("store-1", "Another store's hash MUST be 403 with an error object. [CODE]")
async def wrong_store(upstream: Upstream) -> None:
    title = "You don't have a required scope to access the endpoint"
    is_error(await upstream.ask(store_hash="nosuchstore"), 403, title)


@clause("filter-1", "An unknown filter MUST be 422 and be named. [CODE]")
async def unknown_filter(upstream: Upstream) -> None:
    title = "The filter(s): colour are not valid filter parameter(s)."
    is_error(await upstream.ask("?colour=red"), 422, title)


@clause("page-1", "count, total, per_page and total_pages MUST add up. [S26]")
async def pagination_adds_up(upstream: Upstream) -> None:
    last = (await upstream.list("?limit=7")).meta.pagination.total_pages
    for query in ("", "?page=1&limit=7", f"?page={max(1, last)}&limit=7"):
        body = await upstream.list(query)
        page = body.meta.pagination
        assert page.count == len(body.data)
        assert page.total_pages == -(-page.total // page.per_page)
        before = (page.current_page - 1) * page.per_page
        assert page.count == max(0, min(page.per_page, page.total - before))


@clause("page-2", "Without page and limit, it SHOULD be page 1 of 50 rows. [WIRE]")
async def defaults(upstream: Upstream) -> None:
    page = (await upstream.list()).meta.pagination
    assert (page.current_page, page.per_page) == (1, 50)


@clause("page-3", "The answer MUST name the page and limit asked for. [S26]")
async def page_and_limit_are_kept(upstream: Upstream) -> None:
    last = max(1, (await upstream.list("?limit=3")).meta.pagination.total_pages)
    page = (await upstream.list(f"?page={last}&limit=3")).meta.pagination
    assert (page.current_page, page.per_page) == (last, 3)


@clause("page-4", "Pages of one size MUST make up the list. [S26]")
async def pages_lie_side_by_side(upstream: Upstream) -> None:
    whole = (await upstream.list("?limit=6")).data
    pages = range(1, 1 + (len(whole) + 1) // 2)
    parts = [(await upstream.list(f"?page={page}&limit=2")).data for page in pages]
    assert [row for part in parts for row in part] == whole


@clause("page-5", "A limit of 250 SHOULD be granted. [DOC]")
async def limit_of_250(upstream: Upstream) -> None:
    page = (await upstream.list("?limit=250")).meta.pagination
    assert page.per_page == 250


@clause("page-6", "Links, where there are any, SHOULD be bare query strings. [S26]")
async def links(upstream: Upstream) -> None:
    found = (await upstream.list("?limit=1")).meta.pagination.links
    assert all(link.startswith("?") for link in found.values() if link)


@clause("row-1", "A row MUST have a uuid, a name, and dates in ISO 8601. [S26]")
async def rows(upstream: Upstream) -> None:
    for row in (await upstream.list("?limit=50")).data:
        made, changed = map(datetime.fromisoformat, (row.created_at, row.updated_at))
        assert made.tzinfo is not None
        assert made <= changed


@clause("id-1", "id:in MUST answer the segments with these ids. [S26]")
async def listed_ids(upstream: Upstream) -> None:
    wanted = [row.id for row in (await upstream.list("?limit=4")).data][1:]
    found = (await upstream.list(f"?id:in={','.join(map(str, wanted))}")).data if wanted else []
    assert {row.id for row in found} == set(wanted)


@clause("id-2", "A list of id:in MUST be paged like any other. [DOC]")
async def listed_ids_are_paged(upstream: Upstream) -> None:
    wanted = [row.id for row in (await upstream.list("?limit=3")).data]
    if wanted:
        body = await upstream.list(f"?id:in={','.join(map(str, wanted))}&limit=1")
        assert len(body.data) == 1
        assert (body.meta.pagination.total, body.meta.pagination.per_page) == (len(wanted), 1)


@clause("id-3", "An unknown id SHOULD be an empty set of 0 pages. [CODE]")
async def unknown_id(upstream: Upstream) -> None:
    body = await upstream.list(f"?id:in={NO_SUCH_ID}")
    assert body.data == []
    assert (body.meta.pagination.total, body.meta.pagination.total_pages) == (0, 0)


class Profile(msgspec.Struct):
    id: UUID
    customer_id: int
    created_at: str
    updated_at: str


class Profiles(msgspec.Struct):
    data: list[Profile]
    meta: Meta


async def profiles(upstream: Upstream, query: str) -> Profiles:
    """A page of the shopper profiles of the first segment; an empty one without segments."""
    for segment in (await upstream.list("?limit=1")).data:
        answer = await upstream.ask(query, path=f"segments/{segment.id}/shopper-profiles")
        assert answer.status_code == 200
        return msgspec.json.decode(answer.content, type=Profiles)
    return Profiles([], Meta(Pagination(0, 0, 6, 1, 0)))


@clause("profile-1", "A shopper profile MUST have a uuid, a customer and ISO 8601 dates. [S26]")
async def profile_rows(upstream: Upstream) -> None:
    for row in (await profiles(upstream, "?limit=50")).data:
        made, changed = map(datetime.fromisoformat, (row.created_at, row.updated_at))
        assert made.tzinfo is not None
        assert made <= changed


@clause("profile-2", "The shopper profiles of a segment MUST be paged as segments are. [S26]")
async def profile_pages(upstream: Upstream) -> None:
    whole = await profiles(upstream, "?limit=6")
    pages = range(1, 1 + (len(whole.data) + 1) // 2)
    parts = [(await profiles(upstream, f"?page={page}&limit=2")).data for page in pages]
    assert [row for part in parts for row in part] == whole.data
    page = whole.meta.pagination
    assert (page.per_page, page.total_pages) == (6, -(-page.total // 6))


def quota(answer: httpx.Response) -> tuple[int, int, int, int]:
    names = ("Time-Window-Ms", "Time-Reset-Ms", "Requests-Quota", "Requests-Left")
    window, reset, of, left = (int(answer.headers[f"X-Rate-Limit-{name}"]) for name in names)
    return window, reset, of, left


@clause("quota-1", "An answer MUST tell the quota of a window of 30 s. [DOC]")
async def quota_is_named(upstream: Upstream) -> None:
    window, reset, of, left = quota(await upstream.ask("?limit=1"))
    assert window == 30_000
    assert 0 <= reset <= window
    assert 0 <= left < of


@clause("quota-2", "A 422 MUST tell it too. [WIRE]")
async def quota_of_refusals(upstream: Upstream) -> None:
    assert quota(await upstream.ask("?colour=red"))[0] == 30_000


@clause("quota-3", "Each request MUST cost a part of the quota. [DOC]")
async def quota_shrinks(upstream: Upstream) -> None:
    _, first_reset, _, first_left = quota(await upstream.ask("?limit=1"))
    _, second_reset, _, second_left = quota(await upstream.ask("?limit=1"))
    assert second_left < first_left or second_reset > first_reset  # or a new window began


@clause("header-1", "An answer SHOULD have an X-Request-Id of 32 hex digits. [WIRE]")
async def request_id(upstream: Upstream) -> None:
    assert re.fullmatch("[0-9a-f]{32}", (await upstream.ask("?limit=1")).headers["X-Request-Id"])


@clause("header-2", "An answer SHOULD ask for HTTPS by HSTS. [WIRE]")
async def transport_security(upstream: Upstream) -> None:
    answer = await upstream.ask("?limit=1")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


@pytest.fixture(scope="module")
def url_of_emulator() -> Iterator[str]:
    # What can be changed while it runs must not change it by itself.
    with serving(create_emulator(seeded_store(), rate_limit_quota=10_000, control=True)) as url:
        yield url


@pytest.fixture(params=KINDS)
async def upstream(request: pytest.FixtureRequest, url_of_emulator: str) -> AsyncIterator[Upstream]:
    base_url, transport = url_of_emulator, None
    store_hash, token = "emulator", "emulator-token"
    if request.param == "in process":
        transport = httpx.ASGITransport(create_emulator(seeded_store()))
    elif request.param == "real store":
        base_url = "https://api.bigcommerce.com"
        store_hash, token = str(REAL_STORE_HASH), str(REAL_TOKEN)
    async with httpx.AsyncClient(
        base_url=base_url, transport=transport, trust_env=False, timeout=30
    ) as client:
        yield Upstream(client, store_hash, token)


@pytest.mark.parametrize(
    ("sentence", "check"), [entry[1:] for entry in TABLE], ids=[entry[0] for entry in TABLE]
)
async def test_upstream_keeps_the_contract(upstream: Upstream, sentence: str, check: Check) -> None:
    assert re.search(r" (MUST|SHOULD) .*\[(S26|DOC|WIRE|CODE)\]$", sentence)
    await check(upstream)
