"""A real Chromium in front of a real gateway process, and a record of what its pages did.

`KEEP_SCREENSHOTS=<folder> pytest tests/browser` keeps the screenshots there; without it they lie in
pytest's temporary folder. `CHROMIUM=<path>` names another Chromium.
"""

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
import uvicorn
from chromium import CHROMIUM, FLAGS, MISSING
from playwright.async_api import Browser, ConsoleMessage, Error, Page, Request, async_playwright
from starlette.types import Receive, Scope, Send

from gateway.app import create_app
from gateway.settings import load_settings
from gateway.web.graphiql import BUILD

ADDRESS = re.compile(rb"http://127\.0\.0\.1:\d+")
START_SECONDS = 30
PREFIX = "/shop/api"

OpenPage = Callable[[str], Awaitable[Page]]


def skip_without_build() -> None:
    """Skips the test where there is no page to open."""
    if not (BUILD / "index.html").is_file():
        pytest.skip("GraphiQL is not built: run `make graphiql`, which needs Node.js.")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway() -> AsyncIterator[str]:
    """Yields the origin of a gateway process that runs on the emulator."""
    skip_without_build()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve", "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**environment, "PYTHONUNBUFFERED": "1", "GATEWAY_DRAIN_SECONDS": "0"},
    )
    assert process.stdout is not None
    async with asyncio.timeout(START_SECONDS):
        while not (found := ADDRESS.search(line := await process.stdout.readline())):
            assert line, "the gateway ended before it told its address"
    rest_of_log = asyncio.ensure_future(process.stdout.read())
    yield found[0].decode()
    process.terminate()
    log = (await rest_of_log).decode()
    assert await process.wait() == 0, log
    assert "Traceback" not in log, log


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway_below_a_prefix() -> AsyncIterator[str]:
    """Yields the address of a gateway as behind a proxy that takes a prefix off each path."""
    skip_without_build()
    app = create_app(load_settings({}))

    async def without_prefix(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            is_below = scope["path"].startswith(PREFIX + "/")
            path = scope["path"].removeprefix(PREFIX) if is_below else "/not-the-gateway-s"
            scope = {**scope, "path": path}
        await app(scope, receive, send)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(without_prefix, log_config=None, ws="none"))
        serving = asyncio.ensure_future(server.serve([listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{PREFIX}"
        server.should_exit = True
        await serving


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """Yields a headless Chromium that reaches 127.0.0.1 alone."""
    if CHROMIUM is None:
        pytest.skip(MISSING)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
def requests() -> list[str]:
    """The addresses that the pages of this test asked for, in order."""
    return []


@pytest.fixture
def complaints() -> list[str]:
    """What Chromium complained of: the policy, the console, uncaught errors, failed requests."""
    return []


@pytest_asyncio.fixture(loop_scope="module")
async def open_page(
    chromium: Browser, requests: list[str], complaints: list[str]
) -> AsyncIterator[OpenPage]:
    """Yields a function that opens GraphiQL as a newcomer does, and waits until it is ready."""

    def note_request(request: Request) -> None:
        requests.append(request.url)

    def note_failure(request: Request) -> None:
        complaints.append(f"failed: {request.url}")

    def note_message(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.type}: {message.text}")

    def note_error(error: Error) -> None:
        complaints.append(f"uncaught: {error}")

    def note_violation(text: str) -> None:
        complaints.append(f"policy: {text}")

    async with await chromium.new_context(
        viewport={"width": 1440, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
    ) as context:
        context.on("request", note_request)
        context.on("requestfailed", note_failure)
        context.on("console", note_message)
        await context.expose_function("noteViolation", note_violation)
        await context.add_init_script(
            'document.addEventListener("securitypolicyviolation", (event) =>'
            " noteViolation(`${event.effectiveDirective} ${event.blockedURI}`));"
        )

        async def opened(url: str) -> Page:
            page = await context.new_page()
            page.on("pageerror", note_error)
            await page.goto(url)
            await page.locator(".graphiql-query-editor .view-line").first.wait_for()
            await page.locator(".graphiql-response .view-lines").wait_for()
            return page

        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def graphiql(open_page: OpenPage, gateway: str) -> Page:
    """The gateway's GraphiQL, as a newcomer finds it."""
    return await open_page(f"{gateway}/graphql")


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """The folder that screenshots go to."""
    folder = Path(os.environ.get("KEEP_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
