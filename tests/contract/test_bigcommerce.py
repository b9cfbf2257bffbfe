"""What the gateway takes for granted about the upstream, as a table of numbered sentences.

The emulator has to keep every row, in the process and on a port; so has a real store, which joins
when BIGCOMMERCE_CONTRACT_STORE_HASH and BIGCOMMERCE_CONTRACT_ACCESS_TOKEN are set. There the rows
only read, unless BIGCOMMERCE_CONTRACT_WRITES is "1": then they write too, and remove what they
made. A write is answered in the dialect of 2025 or in that of 2026. Sources: [S25] and [S26]
OpenAPI descriptions of 2025 and 2026, [DOC] guides, [WIRE] recorded answers, [CODE] what public
clients have measured. Behaviour without a source is no row: it is a decision of the emulator, in
docs/emulator.md.
"""

import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from processes import serving

from gateway.emulator import create_emulator, seeded_store
from gateway.emulator.resources import Dialect

REAL_STORE_HASH = os.environ.get("BIGCOMMERCE_CONTRACT_STORE_HASH")
REAL_TOKEN = os.environ.get("BIGCOMMERCE_CONTRACT_ACCESS_TOKEN")
WRITES_TO_REAL_STORE = os.environ.get("BIGCOMMERCE_CONTRACT_WRITES") == "1"
KINDS = ["in process", "in process, of 2025", "on a port"] + (
    ["real store"] if REAL_STORE_HASH and REAL_TOKEN else []
)

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
    dialect: Dialect | None

    async def ask(
        self,
        query: str = "",
        method: str = "GET",
        path: str = "segments",
        headers: Mapping[str, str] | None = None,
        store_hash: str | None = None,
        body: object = None,
    ) -> httpx.Response:
        url = f"/stores/{store_hash or self.store_hash}/v3/{path}{query}"
        own = {"X-Auth-Token": self.token}
        sent = own if headers is None else headers
        return await self.client.request(method, url, headers=sent, json=body)

    async def list(self, query: str = "") -> Listed:
        answer = await self.ask(query)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("application/json")
        return msgspec.json.decode(answer.content, type=Listed)


Check = Callable[[Upstream], Awaitable[None]]
TABLE: list[tuple[str, str, Check, bool]] = []


def clause(number: str, sentence: str, *, writes: bool = False) -> Callable[[Check], None]:
    """Makes a check a row of the table."""
    return lambda check: TABLE.append((number, sentence, check, writes))


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


async def rows_of(upstream: Upstream, path: str, query: str = "") -> list[Any]:
    """The rows of one page of a list."""
    answer = await upstream.ask(query, path=path)
    assert answer.status_code == 200
    found: list[Any] = answer.json()["data"]
    return found


def is_published(upstream: Upstream, answers: dict[str, object], answer: object) -> None:
    """Checks an answer to a write against that of the dialect, or of either for a real store."""
    of_dialect = [answers[upstream.dialect]] if upstream.dialect else [*answers.values()]
    assert answer in of_dialect


async def write(upstream: Upstream, method: str, path: str, items: Sequence[object]) -> list[Any]:
    """Sends a batch that is carried out whole; returns the rows of the answer."""
    answer = await upstream.ask(method=method, path=path, body=items)
    body = answer.json()
    assert answer.status_code == 201
    counts = {"total": len(items), "success": len(items), "failed": 0}
    metas: dict[str, object] = {"2025": ({}, None), "2026": (counts, [])}
    is_published(upstream, metas, (body["meta"], body.get("errors")))
    found: list[Any] = body["data"]
    return found


async def remove(upstream: Upstream, path: str, row_id: str) -> None:
    """Deletes one row."""
    answer = await upstream.ask(f"?id:in={row_id}", "DELETE", path)
    counts = {"total": 1, "success": 1, "failed": 0}
    success = {"data": [], "errors": [], "meta": counts}
    answers: dict[str, object] = {"2025": (204, None), "2026": (200, success)}
    body = answer.json() if answer.content else None
    is_published(upstream, answers, (answer.status_code, body))


@asynccontextmanager
async def new_segment(upstream: Upstream) -> AsyncIterator[dict[str, Any]]:
    """A segment that is deleted in the end."""
    new = {"name": f"Contract {uuid4()}", "description": "Text"}
    (row,) = await write(upstream, "POST", "segments", [new])
    assert (row["name"], row["description"]) == (new["name"], new["description"])
    try:
        yield row
    finally:
        await remove(upstream, "segments", row["id"])


@clause("list-1", "GET /shopper-profiles MUST be paged as segments are. [S26]")
async def all_profiles(upstream: Upstream) -> None:
    whole = await rows_of(upstream, "shopper-profiles", "?limit=4")
    parts = [await rows_of(upstream, "shopper-profiles", f"?page={n}&limit=2") for n in (1, 2)]
    assert [row for part in parts for row in part] == whole
    for row in whole:
        assert UUID(row["id"]).version
        assert isinstance(row["customer_id"], int)


@clause("list-2", "GET /shopper-profiles/{id}/segments MUST be the segments of a profile. [S26]")
async def segments_of_a_profile(upstream: Upstream) -> None:
    for profile in await rows_of(upstream, "shopper-profiles", "?limit=2"):
        path = f"shopper-profiles/{profile['id']}/segments"
        for row in await rows_of(upstream, path, "?limit=2"):
            segment = row.get("id", row.get("segment_id"))
            assert len((await upstream.list(f"?id:in={segment}")).data) == 1


@clause("customer-1", "A customer MUST be found by its id, with what is included. [DOC]")
async def customers_by_id(upstream: Upstream) -> None:
    for profile in await rows_of(upstream, "shopper-profiles", "?limit=1"):
        query = f"?id:in={profile['customer_id']}"
        (plain,) = await rows_of(upstream, "customers", query)
        assert "segment_ids" not in plain
        (row,) = await rows_of(
            upstream, "customers", f"{query}&include=shopper_profile_id,segment_ids"
        )
        assert row["shopper_profile_id"].lower() == profile["id"].lower()
        path = f"shopper-profiles/{profile['id']}/segments"
        segments = await rows_of(upstream, path, "?limit=250")
        assert set(row["segment_ids"]) == {
            segment.get("id", segment.get("segment_id")) for segment in segments
        }


@clause("customer-2", "A customer SHOULD be found by its e-mail address in any case. [DOC]")
async def customers_by_email(upstream: Upstream) -> None:
    for customer in await rows_of(upstream, "customers", "?limit=1"):
        found = await rows_of(upstream, "customers", f"?email:in={customer['email'].upper()}")
        assert [row["id"] for row in found] == [customer["id"]]


@clause("customer-3", "An unknown customer MUST be an empty set of 0 pages. [CODE]")
async def unknown_customer(upstream: Upstream) -> None:
    body = (await upstream.ask("?id:in=2147483647", path="customers")).json()
    page = body["meta"]["pagination"]
    assert (body["data"], page["total"], page["total_pages"]) == ([], 0, 0)


@clause("write-1", "POST /segments MUST be 201 with the new rows in order. [S26]", writes=True)
async def created_segments(upstream: Upstream) -> None:
    async with new_segment(upstream) as one, new_segment(upstream) as other:
        found = (await upstream.list(f"?id:in={one['id']},{other['id']}")).data
        assert {row.name for row in found} == {one["name"], other["name"]}


@clause("write-2", "PUT /segments MUST be 201, and keep what it does not name. [S26]", writes=True)
async def updated_segments(upstream: Upstream) -> None:
    async with new_segment(upstream) as row:
        change = {"id": row["id"], "name": f"{row['name']}, changed"}
        (changed,) = await write(upstream, "PUT", "segments", [change])
        assert (changed["id"], changed["name"]) == (row["id"], change["name"])
        assert changed["description"] == row["description"]
        before, after = (datetime.fromisoformat(r["updated_at"]) for r in (row, changed))
        assert before <= after


@clause("write-3", "DELETE /segments MUST delete those of id:in, and no other. [S26]", writes=True)
async def deleted_segments(upstream: Upstream) -> None:
    async with new_segment(upstream) as kept:
        async with new_segment(upstream) as gone:
            pass
        found = (await upstream.list(f"?id:in={kept['id']},{gone['id']}")).data
        assert [str(row.id) for row in found] == [kept["id"].lower()]


@clause("write-4", "A taken name MUST be 409, and refuse the whole batch. [S26]", writes=True)
async def taken_name(upstream: Upstream) -> None:
    async with new_segment(upstream) as row:
        batch = [{"name": f"Contract {uuid4()}"}, {"name": row["name"]}]
        answer = await upstream.ask(method="POST", path="segments", body=batch)
        body = answer.json()
        (error,) = body["errors"]
        assert (answer.status_code, body["data"], body["meta"]["success"]) == (409, [], 0)
        assert error["title"].rstrip(".") == "Cannot have multiple segments with the same name"
        assert error["errors"] == {}


@clause("write-5", "An item without a name MUST be 400 or 422, by its index. [S26]", writes=True)
async def item_without_a_name(upstream: Upstream) -> None:
    answer = await upstream.ask(method="POST", path="segments", body=[{"description": "Text"}])
    body = answer.json()
    is_published(upstream, {"2025": 400, "2026": 422}, answer.status_code)
    (error,) = body["errors"] if answer.status_code == 422 else [body]
    assert [*error["errors"]] == ["0.name"]
    if answer.status_code == 422:
        assert body["meta"] == {"total": 1, "success": 0, "failed": 1}


@clause("write-6", "Profiles MUST be added with 201, and removed by id:in. [S26]", writes=True)
async def memberships(upstream: Upstream) -> None:
    ids = [row["id"] for row in await rows_of(upstream, "shopper-profiles", "?limit=2")]
    async with new_segment(upstream) as segment:
        path = f"segments/{segment['id']}/shopper-profiles"
        for row_id in ids:
            (row,) = await write(upstream, "POST", path, [row_id])
            assert row["id"] == row_id
        assert {row["id"] for row in await rows_of(upstream, path)} == {*ids}
        for row_id in ids[1:]:
            await remove(upstream, path, row_id)
        assert [row["id"] for row in await rows_of(upstream, path)] == ids[:1]


@clause("write-7", "A profile that is in the segment MUST be 409, by index. [S25]", writes=True)
async def added_twice(upstream: Upstream) -> None:
    async with new_segment(upstream) as segment:
        path = f"segments/{segment['id']}/shopper-profiles"
        for profile in await rows_of(upstream, "shopper-profiles", "?limit=1"):
            await write(upstream, "POST", path, [profile["id"]])
            answer = await upstream.ask(method="POST", path=path, body=[profile["id"]])
            (error,) = answer.json()["errors"]
            title = "Unable to add shopper profiles to segment due to conflicts."
            assert (answer.status_code, error["title"], [*error["errors"]]) == (409, title, ["0"])


@clause("write-8", "A profile MUST be made for a customer, and be deleted. [S26]", writes=True)
async def profile_of_a_customer(upstream: Upstream) -> None:
    query = "?limit=250&include=shopper_profile_id"
    customers = await rows_of(upstream, "customers", query)
    for customer in [row for row in customers if not row["shopper_profile_id"]][:1]:
        new = {"customer_id": customer["id"]}
        (row,) = await write(upstream, "POST", "shopper-profiles", [new])
        assert row["customer_id"] == customer["id"]
        await remove(upstream, "shopper-profiles", row["id"])
        (after,) = await rows_of(upstream, "customers", f"{query}&id:in={customer['id']}")
        assert not after["shopper_profile_id"]


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
    store = seeded_store(profiles=100)
    with serving(create_emulator(store, rate_limit_quota=10_000, control=True)) as url:
        yield url


@pytest.fixture(params=KINDS)
async def upstream(request: pytest.FixtureRequest, url_of_emulator: str) -> AsyncIterator[Upstream]:
    base_url, transport = url_of_emulator, None
    store_hash, token = "emulator", "emulator-token"
    dialect: Dialect = "2025" if "2025" in request.param else "2026"
    is_real = request.param == "real store"
    if "in process" in request.param:
        store = seeded_store(profiles=100)
        transport = httpx.ASGITransport(create_emulator(store, dialect=dialect))
    elif is_real:
        base_url = "https://api.bigcommerce.com"
        store_hash, token = str(REAL_STORE_HASH), str(REAL_TOKEN)
    async with httpx.AsyncClient(
        base_url=base_url, transport=transport, trust_env=False, timeout=30
    ) as client:
        yield Upstream(client, store_hash, token, None if is_real else dialect)


@pytest.mark.parametrize(
    ("sentence", "check", "writes"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
async def test_upstream_keeps_the_contract(
    upstream: Upstream, sentence: str, check: Check, writes: bool
) -> None:
    assert re.search(r" (MUST|SHOULD) .*\[(S25|S26|DOC|WIRE|CODE)\]$", sentence)
    if writes and upstream.dialect is None and not WRITES_TO_REAL_STORE:
        pytest.skip("BIGCOMMERCE_CONTRACT_WRITES=1 lets it write to the real store")
    await check(upstream)
