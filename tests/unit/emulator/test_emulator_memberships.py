"""The shopper profiles of a segment and the segments of a profile, over the wire."""

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
from emulated import INVALID, Emulated, emulated, error, failed
from starlette.applications import Starlette

from gateway.emulator import Store, create_emulator, seeded_store
from gateway.emulator.memberships import CONFLICTS, TOO_MANY

NO_SUCH_ID = "00000000-0000-4000-8000-000000000000"


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
    assert (answer.status_code, answer.json()) == (404, error(404, title))
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


@pytest.fixture
async def old() -> AsyncIterator[Emulated]:
    """A store in the dialect of 2025; its second segment has the profiles of customers 2 and 4."""
    async with emulated(seeded_store(2, 4), dialect="2025") as store:
        yield store


@pytest.fixture
async def new() -> AsyncIterator[Emulated]:
    """The same store in the dialect of 2026."""
    async with emulated(seeded_store(2, 4)) as store:
        yield store


def path_of(of: Emulated, segment: int = 1) -> str:
    return f"segments/{of.store.segments[segment].id}/shopper-profiles"


def customers_in(of: Emulated, segment: int = 1) -> list[int]:
    members = of.store.members.of_segment(of.store.segments[segment].id)
    return [row.customer_id for row in members]


def ids_of(of: Emulated, *customers: int) -> list[str]:
    return [of.store.profiles[customer - 1].id for customer in customers]


async def test_added_profiles_are_at_the_end_and_answered(old: Emulated, new: Emulated) -> None:
    rows = [msgspec.to_builtins(old.store.profiles[place]) for place in (2, 0)]
    meta = {"total": 2, "success": 2, "failed": 0}
    for of, body in (
        (old, {"data": rows, "meta": {}}),
        (new, {"data": rows, "errors": [], "meta": meta}),
    ):
        first, second = ids_of(of, 3, 1)
        assert await of.ask("POST", path_of(of), [first.upper(), second]) == (201, body)
        assert customers_in(of) == [2, 4, 3, 1]


async def test_profile_that_is_in_the_segment_refuses_all_and_is_named(
    old: Emulated, new: Emulated
) -> None:
    for of in (old, new):
        first, second, third = ids_of(of, 1, 2, 4)
        segment = of.store.segments[1].id
        conflicts = {
            str(index): f"Shopper profile `{row_id}` already exists for segment `{segment}`."
            for index, row_id in ((1, second), (2, third))
        }
        answer = await of.ask("POST", path_of(of), [first, second, third])
        assert answer == (409, failed(3, error(409, CONFLICTS, conflicts)))
        assert customers_in(of) == [2, 4]


async def test_unknown_and_repeated_profiles_refuse_all_or_themselves(
    old: Emulated, new: Emulated
) -> None:
    for of, status, members in ((old, 400, [2, 4]), (new, 422, [2, 4, 1])):
        first = ids_of(of, 1)[0]
        answer, body = await of.ask("POST", path_of(of), [first, first, NO_SUCH_ID, 7])
        unknown = "The shopper profile is not found."
        problems = {"1": "The shopper profile is there twice.", "2": unknown, "3": unknown}
        assert answer == status
        assert (body if of is old else body["errors"][0]) == error(status, INVALID, problems)
        assert customers_in(of) == members
    assert body["meta"] == {"total": 4, "success": 1, "failed": 3}


async def test_at_most_50_profiles_are_added_at_once() -> None:
    for dialect, body in (
        ("2025", error(422, TOO_MANY)),
        ("2026", failed(51, error(422, TOO_MANY))),
    ):
        async with emulated(seeded_store(1, 60), dialect=dialect) as of:
            segment = of.store.create_segment("New")
            ids, path = [row.id for row in of.store.profiles[:51]], path_of(of)
            assert await of.ask("POST", path, ids) == (422, body)
            assert (await of.ask("POST", path, ids[:50]))[0] == 201
            assert len(of.store.members.of_segment(segment.id)) == 50


async def test_removed_profiles_are_kept_by_the_store_and_other_segments(
    old: Emulated, new: Emulated
) -> None:
    success = {"data": [], "errors": [], "meta": {"total": 1, "success": 1, "failed": 0}}
    for of, answer in ((old, (204, None)), (new, (200, success))):
        (row_id,) = ids_of(of, 2)
        assert await of.ask("DELETE", f"{path_of(of)}?id:in={row_id}") == answer
        assert (customers_in(of), customers_in(of, 0)) == ([4], [1, 2, 3, 4])
        assert len(of.store.profiles) == 4


async def test_removing_a_profile_that_is_not_in_the_segment_has_no_effect_or_is_an_error(
    old: Emulated, new: Emulated
) -> None:
    for of in (old, new):
        member, other = ids_of(of, 2, 1)
        status, body = await of.ask("DELETE", f"{path_of(of)}?id:in={other},{member}")
        assert (customers_in(of), customers_in(of, 0)) == ([4], [1, 2, 3, 4])
        if of is old:
            assert (status, body) == (204, None)
    errors = [error(422, INVALID, {"0": "The id is not found."})]
    meta = {"total": 2, "success": 1, "failed": 1}
    assert (status, body) == (422, {"data": [], "errors": errors, "meta": meta})


async def test_removing_without_ids_removes_every_profile_of_the_segment(new: Emulated) -> None:
    status, body = await new.ask("DELETE", path_of(new))
    assert (status, body["meta"]) == (200, {"total": 2, "success": 2, "failed": 0})
    assert (customers_in(new), customers_in(new, 0)) == ([], [1, 2, 3, 4])
    assert new.emulator.unbounded_deletes == 1


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_segment_in_the_path_is_checked_before_the_body(new: Emulated, method: str) -> None:
    answer = await new.ask(method, f"segments/{NO_SUCH_ID}/shopper-profiles?colour=red", [])
    assert answer == (404, error(404, "The segment is not found"))


async def test_segments_of_a_profile_are_in_the_order_of_the_store(new: Emulated) -> None:
    profile = new.store.profiles[3]
    status, body = await new.ask("GET", f"shopper-profiles/{profile.id.upper()}/segments")
    assert (status, body["data"]) == (200, [msgspec.to_builtins(row) for row in new.store.segments])
    assert body["meta"]["pagination"]["total"] == 2
    _, body = await new.ask("GET", f"shopper-profiles/{profile.id}/segments?page=2&limit=1")
    assert [row["id"] for row in body["data"]] == [new.store.segments[1].id]


async def test_segments_of_a_profile_are_ids_if_they_are_to_be(new: Emulated) -> None:
    new.emulator.profile_segment_rows = "ids"
    (row_id,) = ids_of(new, 1)
    _, body = await new.ask("GET", f"shopper-profiles/{row_id}/segments")
    assert body["data"] == [{"segment_id": new.store.segments[0].id}]


async def test_unknown_profile_is_not_found(new: Emulated) -> None:
    answer = await new.ask("GET", f"shopper-profiles/{NO_SUCH_ID}/segments")
    assert answer == (404, error(404, "The shopper profile is not found"))
