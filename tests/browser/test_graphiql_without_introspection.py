"""GraphiQL says why it completes nothing, and runs queries, where introspection is off."""

from collections.abc import Awaitable, Callable

import pytest
from in_process import in_process
from playwright.async_api import Page, expect
from processes import serving

from gateway.web.graphiql import BUILD

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_page_names_the_setting_and_runs_queries(
    open_page: Callable[[str], Awaitable[Page]],
) -> None:
    if not (BUILD / "index.html").is_file():
        pytest.skip("GraphiQL is not built: run `make graphiql`, which needs Node.js.")
    with serving(in_process(3, GRAPHIQL="true", INTROSPECTION="false").app) as url:
        page = await open_page(f"{url}/graphql")
        answer = page.locator(".graphiql-response .view-lines")
        await expect(answer).to_contain_text("GATEWAY_INTROSPECTION")
        await page.get_by_label("Execute query").click()
        await expect(answer).to_contain_text("totalCount")
        await page.close()
