"""examples/clients/relay in Chromium: what it shows, and the requests that this takes."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio
from npm_tools import needs
from playwright.async_api import Browser, expect
from vite_apps import Opened, ServedApp, opened, served_app, started_chromium, versions

APP = Path(__file__).parents[2] / "examples" / "clients" / "relay"
SEGMENTS = 60
CREATED = "Regulars"
NAME_TAKEN = "The store has a segment with this name: choose another."

pytestmark = [*needs(APP), pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def app() -> Iterator[ServedApp]:
    with served_app(APP, SEGMENTS) as served:
        yield served


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with started_chromium() as browser:
        yield browser


def newest_first(app: ServedApp) -> list[str]:
    """The names of the store's segments, in the order in which the app shows them."""
    rows = app.emulator.store.segments
    by_date = sorted(rows, key=lambda row: (datetime.fromisoformat(row.created_at), row.id))
    return [row.name for row in reversed(by_date)]


async def shows(shown: Opened, names: list[str], count: int = SEGMENTS) -> None:
    """Waits until these are the rows, and this is the number of all segments."""
    await expect(shown.page.locator("main > ul > li .name")).to_have_text(names)
    await expect(shown.page.locator("#count")).to_have_text(str(count))


async def click(shown: Opened, label: str) -> None:
    await shown.page.get_by_role("button", name=label, exact=True).click()


async def test_opened_page_shows_the_newest_segments(app: ServedApp, chromium: Browser) -> None:
    async with opened(chromium, app.url) as shown:
        await shows(shown, newest_first(app)[:10])
        assert shown.take_sent() == ["AppQuery"]
        # The only read of the list: what was read serves the tests below, too.
        assert app.take_upstream_requests() == {"list_segments": 1}


async def test_pages_are_loaded_forward(app: ServedApp, chromium: Browser) -> None:
    names = newest_first(app)
    async with opened(chromium, app.url) as shown:
        await shows(shown, names[:10])
        app.take_upstream_requests()
        for rows in (20, 30, 40, 50, 60):
            await click(shown, "Load next")
            await shows(shown, names[:rows])
        await expect(shown.page.get_by_role("button", name="Load")).to_have_count(0)
        assert shown.take_sent() == ["AppQuery", *["SegmentListQuery"] * 5]
        assert app.take_upstream_requests() == {}


async def test_list_grows_both_ways_from_a_cursor(app: ServedApp, chromium: Browser) -> None:
    names = newest_first(app)
    async with opened(chromium, app.url) as shown:
        await click(shown, "Load next")
        await shows(shown, names[:20])
        app.take_upstream_requests()
        shown.take_sent()
        await shown.page.get_by_role("link", name="from here").nth(14).click()
        await shows(shown, names[15:25])
        await click(shown, "Load previous")
        await shows(shown, names[5:25])
        await click(shown, "Load next")
        await shows(shown, names[5:35])
        await click(shown, "Load previous")
        await shows(shown, names[:35])
        await expect(shown.page.get_by_role("button", name="Load previous")).to_have_count(0)
        assert shown.take_sent() == ["AppQuery", *["SegmentListQuery"] * 3]
        assert app.take_upstream_requests() == {}


async def test_another_size_and_order_are_a_refetch_each(app: ServedApp, chromium: Browser) -> None:
    names = newest_first(app)
    async with opened(chromium, app.url) as shown:
        await shows(shown, names[:10])
        app.take_upstream_requests()
        await shown.page.get_by_label("Rows").select_option("25")
        await shows(shown, names[:25])
        await shown.page.get_by_label("Order").select_option("Oldest first")
        await shows(shown, names[::-1][:25])
        await click(shown, "Load next")
        await shows(shown, names[::-1][:50])
        assert shown.take_sent() == ["AppQuery", *["SegmentListQuery"] * 3]
        assert app.take_upstream_requests() == {}


async def test_segment_is_opened_and_refetched_by_its_id(app: ServedApp, chromium: Browser) -> None:
    name = newest_first(app)[0]
    async with opened(chromium, app.url) as shown:
        await shows(shown, newest_first(app)[:10])
        app.take_upstream_requests()
        await click(shown, name)
        detail = shown.page.locator("aside")
        await expect(detail.locator("h2")).to_have_text(name)
        members = await detail.locator("li").all_text_contents()
        await click(shown, "Refresh")
        await expect(detail.get_by_role("button", name="Refresh")).to_be_enabled()
        assert await detail.locator("li").all_text_contents() == members
        sent = ["AppQuery", "SegmentDetailQuery", "SegmentDetailRefetchQuery"]
        assert shown.take_sent() == sent
        cost = {"list_segment_shopper_profiles": 1, "list_customers": 1}
        assert app.take_upstream_requests() == cost


async def test_created_segment_is_prepended_by_the_mutation_alone(
    app: ServedApp, chromium: Browser
) -> None:
    names = newest_first(app)
    async with opened(chromium, app.url) as shown:
        await shows(shown, names[:10], len(names))
        shown.take_sent()
        app.take_upstream_requests()
        await shown.page.get_by_label("Name of a new segment").fill(CREATED)
        await click(shown, "Create")
        await shows(shown, [CREATED, *names[:10]], len(names) + 1)
        assert shown.take_sent() == ["CreateSegmentMutation"]
        assert app.take_upstream_requests() == {"create_segments": 1, "list_segments": 1}


async def test_name_that_is_taken_is_said_to_be(app: ServedApp, chromium: Browser) -> None:
    async with opened(chromium, app.url) as shown:
        await shown.page.get_by_label("Name of a new segment").fill(newest_first(app)[0])
        await click(shown, "Create")
        await expect(shown.page.get_by_role("alert")).to_have_text(NAME_TAKEN)


async def test_deleted_segment_is_gone_by_the_mutation_alone(
    app: ServedApp, chromium: Browser
) -> None:
    names = newest_first(app)
    async with opened(chromium, app.url) as shown:
        await shows(shown, names[:10], len(names))
        shown.take_sent()
        app.take_upstream_requests()
        await shown.page.get_by_role("button", name="Delete").nth(3).click()
        await shows(shown, names[:3] + names[4:10], len(names) - 1)
        await click(shown, "Load next")
        await shows(shown, names[:3] + names[4:20], len(names) - 1)
        assert shown.take_sent() == ["SegmentRowDeleteMutation", "SegmentListQuery"]
        assert app.take_upstream_requests() == {"delete_segments": 1, "list_segments": 1}


async def test_packages_are_those_of_package_json() -> None:
    asked, installed = versions(APP)
    print(installed)
    assert installed == asked


async def test_compiler_is_configured_as_in_the_kit() -> None:
    kit = json.loads((APP.parent / "kits" / "relay.config.json").read_text(encoding="utf-8"))
    config = json.loads((APP / "relay.config.json").read_text(encoding="utf-8"))
    assert config == {**kit, "schema": "../../../api.graphql"}
