"""The shopper profiles of a segment, over the wire."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from gateway.emulator import Store, create_emulator, seeded_store

STATUS_CODES = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"


@pytest.fixture
def store() -> Store:
    return seeded_store(3, 10)


@pytest.fixture
def app(store: Store) -> Starlette:
    return create_emulator(store, max_limit=4, past_the_end="refuse")


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://emulator.localhost/stores/emulator/v3/segments/",
        headers={"X-Auth-Token": "emulator-token"},
    ) as client:
        yield client


async def test_page_shows_the_profiles_of_one_segment(
    client: httpx.AsyncClient, store: Store
) -> None:
    answer = await client.get(f"{store.segments[1].id.upper()}/shopper-profiles?page=3&limit=2")
    row = store.profiles[9]
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "data": [
                {
                    "id": row.id,
                    "customer_id": 10,
                    "created_at": row.created_at,
                    "updated_at": row.updated_at,
                }
            ],
            "meta": {
                "pagination": {
                    "total": 5,
                    "count": 1,
                    "per_page": 2,
                    "current_page": 3,
                    "total_pages": 3,
                    "links": {"previous": "?page=2&limit=2", "current": "?page=3&limit=2"},
                }
            },
        },
    )


async def test_requests_are_counted_by_operation_and_against_one_quota(
    client: httpx.AsyncClient, app: Starlette, store: Store
) -> None:
    await client.get("")
    answer = await client.get(f"{store.segments[0].id}/shopper-profiles/")
    assert app.state.emulator.requests == {"list_segments": 1, "list_segment_shopper_profiles": 1}
    assert answer.headers["X-Rate-Limit-Requests-Left"] == "148"


@pytest.mark.parametrize("segment", ["00000000-0000-4000-8000-000000000000", "no-uuid"])
async def test_unknown_segment_is_not_found(client: httpx.AsyncClient, segment: str) -> None:
    answer = await client.get(f"{segment}/shopper-profiles")
    title = "The segment is not found"
    body = {"status": 404, "title": title, "type": STATUS_CODES, "errors": {}}
    assert (answer.status_code, answer.json()) == (404, body)
    assert answer.headers["X-Rate-Limit-Requests-Left"] == "149"


async def test_segment_without_profiles_has_an_empty_list(
    client: httpx.AsyncClient, store: Store
) -> None:
    store.delete_profiles(store.profiles[:])
    answer = await client.get(f"{store.segments[0].id}/shopper-profiles")
    assert (answer.status_code, answer.json()["data"]) == (200, [])
    assert answer.json()["meta"]["pagination"]["total_pages"] == 0


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("id:in=x", "The filter(s): id:in are not valid filter parameter(s)."),
        ("page=0", "page must be a whole number of 1 or more."),
        ("page=4", "page must not be past the end."),
    ],
)
async def test_query_without_sense_is_refused(
    client: httpx.AsyncClient, store: Store, query: str, title: str
) -> None:
    answer = await client.get(f"{store.segments[0].id}/shopper-profiles?{query}")
    assert (answer.status_code, answer.json()["title"]) == (422, title)


async def test_profiles_need_the_modify_scope(
    client: httpx.AsyncClient, app: Starlette, store: Store
) -> None:
    app.state.emulator.token_scope = "store_v2_customers_read_only"
    path = f"{store.segments[0].id}/shopper-profiles"
    assert [(await client.get(url)).status_code for url in ("", path)] == [200, 403]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "HEAD"])
async def test_other_methods_are_an_unknown_route(
    client: httpx.AsyncClient, store: Store, method: str
) -> None:
    path = f"{store.segments[0].id}/shopper-profiles"
    assert (await client.request(method, path)).status_code == 404
