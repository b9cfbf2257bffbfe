"""An operator watches the status page: under load, in an outage, with a key, in a hidden tab.

`STATUS_LOAD_SECONDS=<seconds>` lets the load run for longer before the outage, and as long in it,
and `KEEP_SCREENSHOTS=<folder>` keeps the pictures: docs/images/status.png is one of 150 seconds.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, ViewportSize, expect
from processes import EMULATOR_TOKEN, controlled_emulator, gateway_over

from gateway.api_keys import create_api_key
from gateway.identity import AccessScope

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOAD_SECONDS = float(os.environ.get("STATUS_LOAD_SECONDS", "0"))
READ = (AccessScope.SEGMENTS_READ, AccessScope.PROFILES_READ)
WIDE, NARROW = ViewportSize(width=1200, height=900), ViewportSize(width=400, height=800)
# Until a sample is taken, and the page has asked for it.
SAMPLE_MILLISECONDS = 20_000

HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@dataclass(frozen=True)
class Watched:
    """A gateway over an emulator that can be made to fail, and keys for it."""

    url: str
    emulator: str
    metrics_key: str
    read_key: str

    async def fail(self, *rules: dict[str, object]) -> None:
        async with httpx.AsyncClient(base_url=self.emulator) as control:
            answer = await control.put("/_emulator/faults", json={"rules": rules})
        assert answer.status_code == 204

    @asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        """Asks for pages that are in the cache, and for customers that are not, for the block."""
        headers = {"Authorization": f"Bearer {self.read_key}"}

        async def ask() -> None:
            async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30) as http:
                for n in count():
                    page = f"{{segments(first:{5 + n % 50}){{nodes{{id}}}}}}"
                    one = f"{{customer(entityId:{n + 1}){{firstName}}}}"
                    for query in (page, one) if n % 5 == 0 else (page,):
                        await http.post("/graphql", json={"query": query})
                    await asyncio.sleep(0.05)

        task = asyncio.create_task(ask())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    metrics_key = create_api_key(file, "status", [AccessScope.METRICS])
    read_key = create_api_key(file, "shop", [*READ])
    with (
        controlled_emulator("--segments", "300", "--latency-ms", "80") as emulator,
        gateway_over(
            emulator,
            ACCESS_TOKEN=EMULATOR_TOKEN,
            API_KEYS_FILE=str(file),
            CACHE_TTL_SECONDS="2",
        ) as url,
    ):
        yield Watched(url, emulator, metrics_key, read_key)


OpenStatus = Callable[[str | None], Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="module")
async def open_status(
    chromium: Browser, watched: Watched, requests: list[str], complaints: list[str]
) -> AsyncIterator[OpenStatus]:
    """Yields a function that opens the page, with the key that its form would keep."""
    async with await chromium.new_context(viewport=WIDE) as context:
        context.on("request", lambda request: requests.append(request.url))
        context.on("console", lambda message: complaints.append(message.text))

        async def opened(key: str | None) -> Page:
            page = await context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            if key is not None:
                await page.add_init_script(
                    f"sessionStorage['bigcommerce-segments-gateway:status:key'] = '{key}'"
                )
            await page.goto(f"{watched.url}/status")
            return page

        yield opened


def chart(page: Page, title: str) -> Locator:
    return page.get_by_role("img", name=title)


def errors(page: Page) -> Locator:
    return page.locator("#errors")


async def test_page_asks_for_a_key_and_says_which(
    open_status: OpenStatus, watched: Watched, screenshots: Path
) -> None:
    page = await open_status(None)
    form = page.locator("#credentials")
    await expect(page.locator("#state")).to_have_text("The numbers need a key.")
    await expect(form).to_contain_text("gateway keys create --name status --scope metrics")
    await page.screenshot(path=screenshots / "status-key.png", full_page=True)
    key = page.get_by_label("Key")
    for refused, why in (
        (watched.read_key, "needs the scope `metrics`"),
        ("no-key", "The credentials are no API key."),
        ("clé", "it has a character that no key has"),
    ):
        await key.fill(refused)
        await page.keyboard.press("Enter")
        await expect(form).to_contain_text(why)
    await expect(page.get_by_role("heading", name="Requests")).to_be_hidden()
    await key.fill(watched.metrics_key)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Requests")).to_be_visible()
    await expect(form).to_be_hidden()
    await page.reload()
    await expect(page.get_by_role("heading", name="Requests")).to_be_visible()
    assert await page.evaluate("localStorage.length") == 0


async def test_hidden_tab_asks_for_nothing(
    open_status: OpenStatus, watched: Watched, requests: list[str]
) -> None:
    page = await open_status(watched.metrics_key)
    await expect(page.locator("#state")).to_contain_text("The gateway runs")
    await page.clock.install()
    await page.evaluate(HIDE, True)
    before = len(requests)
    await page.clock.run_for(60_000)
    assert len(requests) == before
    async with page.expect_response(re.compile("/status/data")):
        await page.evaluate(HIDE, False)
    async with page.expect_response(re.compile("/status/data")):
        await page.clock.run_for(6_000)
    assert all(url.startswith(f"{watched.url}/status/data?since=") for url in requests[before:])


async def test_page_goes_on_when_the_gateway_is_back(
    open_status: OpenStatus, watched: Watched, screenshots: Path
) -> None:
    page = await open_status(watched.metrics_key)
    state = page.locator("#state")
    await page.clock.install()  # and all timers of the page are those of this clock
    await page.reload()
    await expect(state).to_contain_text("The gateway runs")
    await page.route("**/status/data*", lambda route: route.abort())
    await page.clock.run_for(6_000)
    await expect(state).to_contain_text("No answer from the gateway since")
    await expect(state).to_contain_text("asking again every 5 seconds")
    await page.screenshot(path=screenshots / "status-lost.png", full_page=True)
    await page.unroute("**/status/data*")
    await page.clock.run_for(6_000)
    await expect(state).to_contain_text("The gateway runs")


async def test_points_of_long_views_keep_rates_and_the_worst_of_the_rest(
    open_status: OpenStatus,
) -> None:
    page = await open_status(None)
    drawn = await page.evaluate(
        """async () => {
          const chart = await import("/status/chart.js");
          const times = (p50, p99) => ({ seconds_of_requests: { p50, p95: 1, p99 } });
          const samples = [
            { at: 25, seconds: 5, requests: 1, quota_remaining: 9, ...times(1, 4) },
            { at: 30, seconds: 5, requests: 3, quota_remaining: 7, ...times(2, 3) },
            { at: 35, seconds: 5, stale: 2, circuit_open: true },
            { at: 40, seconds: 6, quota_remaining: 8 },
            { at: 95, seconds: 5 },
          ];
          const thin = chart.thin(samples, 30);
          return {
            thin,
            runs: chart.stretches(thin, () => true, 30).map((run) => run.map(({ at }) => at)),
            linear: [0.3, 1, 77, 150].map((highest) => chart.linearScale(highest).ticks),
            half: chart.linearScale(80).share(40),
            log: chart.logScale(0.0008, 1.2).ticks.map((tick) => tick.toPrecision(1)),
            third: chart.logScale(0.001, 1).share(0.01).toFixed(4),
            minutes: chart.timeTicks(7210, 10810, 400).map((at) => at / 60),
          };
        }"""
    )
    assert drawn == {
        "thin": [
            {
                "at": 30,
                "seconds": 10,
                "requests": 4,
                "quota_remaining": 7,
                "seconds_of_requests": {"p50": 2, "p95": 1, "p99": 4},
            },
            {"at": 40, "seconds": 11, "stale": 2, "circuit_open": True, "quota_remaining": 8},
            {"at": 95, "seconds": 5},
        ],
        "runs": [[30, 40], [95]],
        "linear": [
            [0, 0.1, 0.2, pytest.approx(0.3)],
            [0, 0.25, 0.5, 0.75, 1],
            [0, 20, 40, 60, 80],
            [0, 50, 100, 150],
        ],
        "half": 0.5,
        "log": ["0.0001", "0.001", "0.01", "0.1", "1", "1e+1"],
        "third": "0.3333",
        "minutes": [130, 140, 150, 160, 170, 180],
    }


async def test_outage_is_seen_as_it_happens(
    open_status: OpenStatus,
    watched: Watched,
    requests: list[str],
    complaints: list[str],
    screenshots: Path,
) -> None:
    page = await open_status(watched.metrics_key)
    state = page.locator("#state")
    async with watched.load():
        await expect(chart(page, "Requests")).to_have_attribute(
            "aria-label",
            re.compile(r"now: clients [1-9][\d.]*, .* store, failed 0,"),
            timeout=SAMPLE_MILLISECONDS,
        )
        await expect(state).to_have_text("The gateway runs, the circuit is closed.")
        await expect(errors(page)).to_have_text("No errors in the time shown.")
        await asyncio.sleep(LOAD_SECONDS)
        await expect(page.get_by_label("5 min", exact=True)).to_be_checked()
        await page.screenshot(path=screenshots / "status-load.png", full_page=True)

        await watched.fail({"fault": "server-error"})
        await expect(state).to_contain_text(
            "an operation of the store's API fails", timeout=SAMPLE_MILLISECONDS
        )
        await expect(errors(page)).to_contain_text(
            "UPSTREAM_UNAVAILABLE", timeout=SAMPLE_MILLISECONDS
        )
        await expect(chart(page, "Answers from the cache")).to_have_attribute(
            "aria-label", re.compile(r"now: .*stale [1-9]"), timeout=SAMPLE_MILLISECONDS
        )
        await asyncio.sleep(LOAD_SECONDS)
        await page.screenshot(path=screenshots / "status.png", full_page=True)
    assert await page.locator("#requests rect.open").count() == 1
    assert await page.locator("#requests path.line").count() >= 1
    dashes = await page.locator("#cache-title ~ dl path").evaluate_all(
        "paths => paths.map((path) => getComputedStyle(path).strokeDasharray)"
    )
    assert len(set(dashes)) == 4

    picture = chart(page, "Quota left")
    await picture.focus()
    await page.keyboard.press("Home")
    await page.keyboard.press("End")
    await page.keyboard.press("ArrowLeft")
    await expect(picture).to_have_attribute("aria-label", re.compile(r"at \d\d:\d\d:\d\d: left"))
    await page.keyboard.press("Escape")
    await expect(picture).to_have_attribute("aria-label", re.compile("now: left"))
    await page.locator("#quota ~ details summary").click()
    rows = page.locator("#quota ~ details tbody tr")
    await expect(rows).to_have_count(1)

    await page.emulate_media(color_scheme="dark")
    await page.screenshot(path=screenshots / "status-dark.png", full_page=True)
    await page.set_viewport_size(NARROW)
    schemes: tuple[Literal["dark"], Literal["light"]] = ("dark", "light")
    for scheme in schemes:
        await page.emulate_media(color_scheme=scheme)
        await page.screenshot(path=screenshots / f"status-narrow-{scheme}.png", full_page=True)
    assert await page.evaluate("document.documentElement.scrollWidth") == 400
    assert [url for url in requests if not url.startswith((f"{watched.url}/status", "data:"))] == []
    assert complaints == []
