"""What GraphiQL shows before a newcomer does anything, and what that costs the store."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from in_process import InProcess, in_process
from playwright.async_api import Browser, Page, Request, Route, expect
from processes import serving

from gateway.api_keys import create_api_key
from gateway.emulator import seeded_store
from gateway.identity import AccessScope
from gateway.web.graphiql import BUILD

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST = seeded_store(1).segments[0].name


@pytest.fixture(scope="module")
def gateway() -> Iterator[tuple[InProcess, str]]:
    """A gateway on a port of this process, which counts what it sends to the store."""
    if not (BUILD / "index.html").is_file():
        pytest.skip("GraphiQL is not built: run `make graphiql`, which needs Node.js.")
    running = in_process(GRAPHIQL="true", INTROSPECTION="true")
    with serving(running.app) as url:
        yield running, f"{url}/graphql"


def operation_of(request: Request) -> str:
    """Returns the operation's name in a POST; "" for other requests and nameless operations."""
    sent = request.post_data
    return "" if sent is None else json.loads(sent).get("operationName") or ""


async def shows(page: Page, text: str) -> None:
    """Waits until the response pane holds the text."""
    await expect(page.locator(".graphiql-response .view-lines")).to_contain_text(text)


async def test_first_visit_costs_the_store_one_request_and_a_reload_none(
    chromium: Browser, gateway: tuple[InProcess, str]
) -> None:
    running, url = gateway
    operations: list[str] = []
    running.sent.clear()
    async with await chromium.new_context() as context:
        context.on("request", lambda request: operations.append(operation_of(request)))
        page = await context.new_page()
        await page.goto(url)
        await shows(page, FIRST)
        assert [path for _, path, _ in running.sent] == ["/stores/teststore/v3/segments"]
        await page.wait_for_function(
            "() => localStorage['bigcommerce-segments-gateway:graphiql:tabState']"
        )
        async with page.expect_response(
            lambda response: operation_of(response.request) == "IntrospectionQuery"
        ):
            await page.reload()
        await page.get_by_label("Show Documentation Explorer").click()
        await expect(page.locator(".graphiql-doc-explorer")).to_contain_text("SegmentConnection")
    assert operations.count("Forward") == 1
    assert operations.count("IntrospectionQuery") == 2
    assert len(running.sent) == 1


REFUSED = "throw new DOMException('no storage', 'SecurityError')"


async def test_page_works_in_a_browser_that_stores_nothing_and_sends_no_query(
    chromium: Browser, gateway: tuple[InProcess, str]
) -> None:
    running, url = gateway
    operations: list[str] = []
    running.sent.clear()
    async with await chromium.new_context() as context:
        context.on("request", lambda request: operations.append(operation_of(request)))
        await context.add_init_script(
            f"Object.defineProperty(window, 'localStorage', {{ get() {{ {REFUSED} }} }})"
        )
        page = await context.new_page()
        await page.goto(url)
        await expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("Forward")
        await page.get_by_label("Show Documentation Explorer").click()
        await expect(page.locator(".graphiql-doc-explorer")).to_contain_text("SegmentConnection")
    assert {*operations} == {"", "IntrospectionQuery"}
    assert running.sent == []


async def test_a_mutation_that_is_opened_before_the_schema_is_there_does_not_run(
    chromium: Browser, gateway: tuple[InProcess, str]
) -> None:
    _, url = gateway
    is_opened = asyncio.Event()
    operations: list[str] = []

    async def delay(route: Route) -> None:
        operations.append(operation_of(route.request))
        if operations[-1] == "IntrospectionQuery":
            await is_opened.wait()
        await route.continue_()

    async with await chromium.new_context() as context:
        page = await context.new_page()
        await page.route("**/graphql", delay)
        await page.goto(url)
        # GraphiQL forgets a tab that is opened before its editors are there.
        query = page.locator(".graphiql-query-editor .view-lines")
        await expect(query).to_contain_text("query")
        await page.locator(".graphiql-response .view-lines").wait_for()
        await page.get_by_role("tab", name="CreateSegments").click()
        try:
            await expect(query).to_contain_text("mutation")
        finally:
            is_opened.set()
        await page.get_by_label("Show Documentation Explorer").click()
        await expect(page.locator(".graphiql-doc-explorer")).to_contain_text("SegmentConnection")
    assert {*operations} == {"", "IntrospectionQuery"}


async def test_page_says_where_a_key_goes_and_sends_it_in_each_tab(
    chromium: Browser, gateway: tuple[InProcess, str], tmp_path: Path, screenshots: Path
) -> None:
    file = tmp_path / "keys.json"
    key = create_api_key(file, "web", [AccessScope.SEGMENTS_READ])
    locked = in_process(GRAPHIQL="true", INTROSPECTION="true", API_KEYS_FILE=str(file))
    with serving(locked.app) as url:
        async with await chromium.new_context(
            viewport={"width": 1440, "height": 900},
            permissions=["clipboard-read", "clipboard-write"],
        ) as context:
            page = await context.new_page()
            await page.goto(f"{url}/graphql")
            await shows(page, "in the tab Headers")
            await expect(page.locator(".graphiql-response")).not_to_contain_text("errors")
            headers = page.get_by_label("Headers", exact=True).locator(".view-lines").last
            await expect(headers).to_contain_text("Authorization")
            await page.screenshot(path=screenshots / "graphiql-without-a-key.png")
            assert locked.sent == []

            await page.evaluate(
                "text => navigator.clipboard.writeText(text)",
                json.dumps({"Authorization": f"Bearer {key}"}),
            )
            await headers.click()
            await page.keyboard.press("Control+A")
            await page.keyboard.press("Control+V")
            await expect(headers).to_contain_text("gwk_")
            await page.keyboard.press("Control+Enter")
            await shows(page, FIRST)
            await page.get_by_role("tab", name="Backward").click()
            await expect(page.locator(".graphiql-query-editor")).to_contain_text("Backward")
            await page.get_by_label("Execute query").click()
            await shows(page, "hasPreviousPage")
            await page.get_by_label("Show Documentation Explorer").click()
            docs = page.locator(".graphiql-doc-explorer")
            await expect(docs).to_contain_text("SegmentConnection")
