"""examples/clients/apollo in Chromium: what it shows, and the requests that this takes."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from npm_tools import needs
from playwright.async_api import Browser, expect
from segments_page import (
    PAGE,
    by_name,
    click,
    create,
    delete,
    in_store,
    newest_first,
    order,
    rename_elsewhere,
    shows,
    start_behind,
)
from vite_apps import ServedApp, opened, served_app, started_chromium, versions

APP = Path(__file__).parents[2] / "examples" / "clients" / "apollo"
SEGMENTS = 90
A_QUERY = ["GET hash Segments"]
ORDERS = {"Store's order": in_store, "Name": by_name, "Newest first": newest_first}
NAME_TAKEN = "The store has a segment with this name: choose another."
REFUSED = (
    "The store's API refused the gateway's own credentials. Its operator has to check the access "
    "token, its scopes and the store hash."
)

pytestmark = [*needs(APP), pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def app() -> Iterator[ServedApp]:
    with served_app(APP, SEGMENTS) as served:
        yield served


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with started_chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def first_visit(app: ServedApp, chromium: Browser) -> list[str]:
    """The requests of the first page of all, by which the gateway learns the documents."""
    async with opened(chromium, app.url) as shown:
        await shows(shown, in_store(app)[:PAGE], SEGMENTS)
        await create(shown, "Regulars")
        await shows(shown, in_store(app)[: PAGE + 1], SEGMENTS + 1)
        await delete(shown, in_store(app)[0])
        await shows(shown, in_store(app)[: PAGE + 1], SEGMENTS)
        await click(shown, in_store(app)[0])
        await expect(shown.page.locator("dt")).to_have_text(["Members", "Description"])
        app.take_upstream_requests()
        return shown.take_requests()


async def test_document_is_sent_once_and_then_its_hash(
    app: ServedApp, chromium: Browser, first_visit: list[str]
) -> None:
    assert first_visit == [
        "GET hash Segments",
        "POST document Segments",
        "POST hash CreateSegments",
        "POST document CreateSegments",
        "POST hash DeleteSegments",
        "POST document DeleteSegments",
        "GET hash Details",
        "POST document Details",
    ]
    async with opened(chromium, app.url) as shown:
        await shows(shown, in_store(app)[:PAGE], SEGMENTS)
        assert shown.take_requests() == A_QUERY
        assert app.take_upstream_requests() == {}


async def test_list_grows_both_ways_from_a_row(app: ServedApp, chromium: Browser) -> None:
    rows = in_store(app)
    async with opened(chromium, app.url) as shown:
        await click(shown, "Load next")
        await shows(shown, rows[:40], SEGMENTS)
        await start_behind(shown, 29)
        await shows(shown, rows[30:50], SEGMENTS)
        await click(shown, "Load previous")
        await shows(shown, rows[10:50], SEGMENTS)
        await click(shown, "Load next")
        await shows(shown, rows[10:70], SEGMENTS)
        await click(shown, "Load previous")
        await shows(shown, rows[:70], SEGMENTS)
        await click(shown, "Load next")
        await shows(shown, rows, SEGMENTS)
        await expect(shown.page.get_by_role("button", name="Load")).to_have_count(0)
        assert shown.take_requests() == A_QUERY * 7
        assert app.take_upstream_requests() == {}


async def test_each_order_is_a_list_of_its_own(app: ServedApp, chromium: Browser) -> None:
    async with opened(chromium, app.url) as shown:
        await click(shown, "Load next")
        await shows(shown, in_store(app)[:40], SEGMENTS)
        await order(shown, "Newest first")
        await shows(shown, newest_first(app)[:20], SEGMENTS)
        assert shown.take_requests() == A_QUERY * 3
        await order(shown, "Store's order")
        await shows(shown, in_store(app)[:40], SEGMENTS)
        await order(shown, "Newest first")
        await shows(shown, newest_first(app)[:20], SEGMENTS)
        assert shown.take_requests() == []
        assert app.take_upstream_requests() == {}


async def test_refetch_shows_what_others_changed(app: ServedApp, chromium: Browser) -> None:
    async with opened(chromium, app.url) as shown:
        await click(shown, "Load next")
        await shows(shown, in_store(app)[:40], SEGMENTS)
        await rename_elsewhere(app, 25, "Renamed elsewhere")
        assert app.take_upstream_requests() == {"update_segments": 1}
        await click(shown, "Refetch")
        await shows(shown, in_store(app)[:40], SEGMENTS)
        assert in_store(app)[25] == "Renamed elsewhere"
        assert shown.take_requests() == A_QUERY * 3
        assert app.take_upstream_requests() == {"list_segments": 1}


async def test_refetch_of_what_has_not_changed_is_confirmed(
    app: ServedApp, chromium: Browser
) -> None:
    async with opened(chromium, app.url) as shown:
        await shows(shown, in_store(app)[:PAGE], SEGMENTS)
        async with shown.page.expect_response("**/graphql?*") as answered:
            await click(shown, "Refetch")
        answer = await answered.value
        asked = await answer.request.all_headers()
        assert asked["if-none-match"] == (await answer.all_headers())["etag"]
        # Chromium gives the page its own answer, of status 200, for the gateway's 304.
        assert (await answer.request.sizes())["responseBodySize"] == 0
        await shows(shown, in_store(app)[:PAGE], SEGMENTS)
        assert shown.take_requests() == A_QUERY * 2


@pytest.mark.parametrize("label", ORDERS)
async def test_list_is_right_after_a_mutation_alone(
    label: str, app: ServedApp, chromium: Browser
) -> None:
    listed = ORDERS[label]
    async with opened(chromium, app.url) as shown:
        await order(shown, label)
        await click(shown, "Load next")
        await shows(shown, listed(app)[:40], SEGMENTS)
        shown.take_requests()
        await create(shown, f"A new one in {label}")
        await shows(shown, listed(app)[:41], SEGMENTS + 1)
        assert app.take_upstream_requests() == {"create_segments": 1, "list_segments": 1}
        await delete(shown, listed(app)[7])
        await shows(shown, listed(app)[:41], SEGMENTS)
        assert app.take_upstream_requests() == {"delete_segments": 1, "list_segments": 1}
        assert shown.take_requests() == ["POST hash CreateSegments", "POST hash DeleteSegments"]


async def test_list_that_starts_in_the_middle_is_right_after_a_mutation(
    app: ServedApp, chromium: Browser
) -> None:
    async with opened(chromium, app.url) as shown:
        await start_behind(shown, 19)
        await click(shown, "Load previous")
        await shows(shown, in_store(app)[:40], SEGMENTS)
        await start_behind(shown, 9)
        await click(shown, "Load next")
        await shows(shown, in_store(app)[10:50], SEGMENTS)
        shown.take_requests()
        await create(shown, "One more")
        await shows(shown, in_store(app)[10:51], SEGMENTS + 1)
        await delete(shown, in_store(app)[10])
        await shows(shown, in_store(app)[10:50], SEGMENTS)
        await click(shown, "Load previous")
        await shows(shown, in_store(app)[:50], SEGMENTS)
        assert shown.take_requests() == [
            "POST hash CreateSegments",
            "POST hash DeleteSegments",
            *A_QUERY,
        ]


async def test_other_lists_are_read_anew_after_a_mutation(
    app: ServedApp, chromium: Browser
) -> None:
    async with opened(chromium, app.url) as shown:
        await order(shown, "Name")
        await shows(shown, by_name(app)[:PAGE], SEGMENTS)
        await order(shown, "Newest first")
        await delete(shown, newest_first(app)[0])
        await shows(shown, newest_first(app)[:PAGE], SEGMENTS - 1)
        await create(shown, "A last one")
        await shows(shown, newest_first(app)[: PAGE + 1], SEGMENTS)
        shown.take_requests()
        app.take_upstream_requests()
        await order(shown, "Name")
        await shows(shown, by_name(app)[:PAGE], SEGMENTS)
        assert "A last one" in by_name(app)[:PAGE]
        assert shown.take_requests() == A_QUERY
        assert app.take_upstream_requests() == {}


async def test_name_that_is_taken_is_said_to_be(app: ServedApp, chromium: Browser) -> None:
    async with opened(chromium, app.url) as shown:
        await create(shown, in_store(app)[0])
        await expect(shown.page.get_by_role("alert")).to_have_text(NAME_TAKEN)
        await shows(shown, in_store(app)[: PAGE + 1], SEGMENTS)


async def test_page_that_is_not_loaded_is_said_to_be(app: ServedApp, chromium: Browser) -> None:
    async with opened(chromium, app.url) as shown:
        await shows(shown, in_store(app)[:PAGE], SEGMENTS)
        await shown.page.route("**/graphql*", lambda route: route.abort())
        for button in ("Load next", "Refetch"):
            await click(shown, button)
            await expect(shown.page.get_by_role("alert").first).to_have_text("Failed to fetch")
            await shows(shown, in_store(app)[:PAGE], SEGMENTS)
        await shown.page.unroute("**/graphql*")
        await click(shown, "Refetch")
        await click(shown, "Load next")
        await expect(shown.page.get_by_role("alert")).to_have_count(0)
        assert {*shown.complaints} == {"error: Failed to load resource: net::ERR_FAILED"}
        shown.complaints.clear()


async def test_part_that_failed_leaves_the_others(app: ServedApp, chromium: Browser) -> None:
    app.emulator.forbidden_operations = frozenset({"list_segment_shopper_profiles"})
    app.take_upstream_requests()
    async with opened(chromium, app.url) as shown:
        await click(shown, in_store(app)[4])
        await expect(shown.page.get_by_role("alert")).to_have_text(REFUSED)
        await expect(shown.page.locator("dd")).to_have_text(
            ["unknown", app.emulator.store.segments[4].description or ""]
        )
        assert shown.take_requests() == [*A_QUERY, "GET hash Details"]
        assert app.take_upstream_requests() == {"list_segment_shopper_profiles": 1}


async def test_packages_are_those_of_package_json() -> None:
    asked, installed = versions(APP)
    print(installed)
    assert installed == asked
