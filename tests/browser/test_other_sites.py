"""Pages of other sites in a real Chromium: what they can read, and what they cost the store."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from in_process import InProcess, in_process
from playwright.async_api import Browser, Page
from processes import serving
from starlette.responses import HTMLResponse
from starlette.types import Message, Receive, Scope, Send

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUERY = "{segments{totalCount}}"

ASK = """
async ([url, query, mode, headers]) => {
  try {
    const response = await fetch(url, {
      method: "POST", mode, headers, body: JSON.stringify({ query }),
    });
    return [
      response.status, await response.text(),
      response.headers.get("age"), response.headers.get("x-request-id"),
    ];
  } catch (error) {
    return error.name;
  }
}
"""
JSON = {"Content-Type": "application/json", "Accept": "application/graphql-response+json"}
# Each way in which a page can load an address without CORS.
LOAD = """
async ([url, tag]) => {
  const element = document.createElement(tag);
  if (tag === "link") element.rel = "stylesheet";
  element[tag === "link" ? "href" : "src"] = url;
  return await new Promise((resolve) => {
    element.onload = () => resolve("loaded");
    element.onerror = () => resolve("failed");
    document.body.append(element);
  });
}
"""


@dataclass
class Watched:
    """A gateway on a port, and the requests that it answered, by method and status."""

    url: str
    gateway: InProcess
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)

    @property
    def port(self) -> str:
        return self.url.rpartition(":")[2]


@contextmanager
def watched(cors_origins: str = "") -> Iterator[Watched]:
    gateway = in_process(3, CORS_ORIGINS=cors_origins)
    answers = Counter[tuple[str, int]]()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def count(message: Message) -> None:
            if message["type"] == "http.response.start":
                answers[scope["method"], message["status"]] += 1
            await send(message)

        await gateway.app(scope, receive, count if scope["type"] == "http" else send)

    with serving(app) as url:
        yield Watched(url, gateway, answers)


@pytest.fixture(scope="module")
def page_port() -> Iterator[str]:
    """The port of pages without content, on each host."""
    with serving(HTMLResponse("<!doctype html><title>shop</title>")) as url:
        yield url.rpartition(":")[2]


async def shop_page(chromium: Browser, page_port: str, host: str = "shop.example") -> Page:
    page = await chromium.new_page()
    await page.goto(f"http://{host}:{page_port}/")
    return page


# 127.0.0.1 on another port is of the same site, and of another origin.
@pytest.mark.parametrize("host", ["shop.example", "127.0.0.1"])
async def test_page_of_another_site_reads_nothing_and_costs_nothing(
    chromium: Browser, page_port: str, host: str
) -> None:
    with watched() as gateway:
        page = await shop_page(chromium, page_port, host)
        address = f"{gateway.url}/graphql?query={QUERY}"
        for tag in ("img", "script", "link"):
            assert await page.evaluate(LOAD, [address, tag]) == "failed"
        simple = {"Content-Type": "text/plain"}
        for mode, headers in (("cors", JSON), ("cors", simple), ("no-cors", simple)):
            url = f"{gateway.url}/graphql"
            assert await page.evaluate(ASK, [url, QUERY, mode, headers]) == "TypeError"
        assert gateway.answers == {("GET", 403): 3, ("OPTIONS", 403): 1, ("POST", 403): 2}
        assert gateway.gateway.upstream_requests == 0


async def test_link_of_another_site_leads_to_the_page_and_executes_nothing(
    chromium: Browser, page_port: str
) -> None:
    with watched() as gateway:
        page = await shop_page(chromium, page_port)
        for path, status in (("/graphql", 200), ("/", 200), (f"/graphql?query={QUERY}", 403)):
            async with page.expect_navigation() as waiting:
                await page.evaluate("url => { location.href = url }", gateway.url + path)
            assert (await waiting.value).status == status
            await page.goto(f"http://shop.example:{page_port}/")
        assert gateway.gateway.upstream_requests == 0


async def test_rebound_name_is_refused(chromium: Browser) -> None:
    with watched() as gateway:
        page = await chromium.new_page()
        answer = await page.goto(f"http://evil.example:{gateway.port}/graphql")
        assert answer is not None
        assert answer.status == 421
        own = await page.evaluate(ASK, ["/graphql", QUERY, "cors", JSON])
        assert own[0] == 421
        assert gateway.gateway.upstream_requests == 0


async def test_allowed_origin_asks_twice_after_one_preflight_and_reads_the_age(
    chromium: Browser, page_port: str
) -> None:
    with watched(cors_origins=f"http://shop.example:{page_port}") as gateway:
        page = await shop_page(chromium, page_port)
        headers = {**JSON, "Authorization": "Bearer abc", "apollographql-client-name": "shop"}
        url = f"{gateway.url}/graphql"
        for _ in range(2):
            status, text, age, request_id = await page.evaluate(ASK, [url, QUERY, "cors", headers])
            assert status == 200
            assert '"totalCount":3' in text
            assert age == "0"
            assert len(request_id) == 32
        assert gateway.answers == {("OPTIONS", 200): 1, ("POST", 200): 2}

        status, text, *_ = await page.evaluate(ASK, [url, "{", "cors", headers])
        assert (status, "GRAPHQL_PARSE_FAILED" in text) == (400, True)

        other = await shop_page(chromium, page_port, "evil.example")
        assert await other.evaluate(ASK, [url, QUERY, "cors", headers]) == "TypeError"
        assert gateway.answers["OPTIONS", 403] == 1
