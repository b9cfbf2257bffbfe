"""An app of examples/clients: built by Vite, served beside a gateway, used in Chromium."""

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from chromium import CHROMIUM, FLAGS, MISSING
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    Request,
    Response,
    async_playwright,
)
from processes import emulator_on_a_port, gateway_over, running

from benchmarks.command import Command, free_port
from gateway.emulator import Emulator

OPERATION = re.compile(r"\b(?:query|mutation) (\w+)")


@dataclass(frozen=True)
class ServedApp:
    """An app on a port of loopback, and the store behind its gateway."""

    url: str
    emulator: Emulator

    def take_upstream_requests(self) -> Counter[str]:
        """Returns the number of upstream requests by operation since the last call."""
        taken = Counter(self.emulator.requests)
        self.emulator.requests.clear()
        return taken


@contextmanager
def served_app(folder: Path, segments: int) -> Iterator[ServedApp]:
    """Yields the app of a folder, built as its README says, over a gateway and an emulator.

    What the gateway has read stays fresh, so that upstream requests are counted exactly.
    """
    subprocess.run(["npm", "run", "--silent", "build"], cwd=folder, check=True, timeout=60)
    port = free_port()
    vite = ("node", "node_modules/vite/bin/vite.js", "preview", "--strictPort")
    with (
        emulator_on_a_port(segments) as (upstream, emulator),
        gateway_over(upstream, CACHE_TTL_SECONDS="3600") as gateway,
        running(
            Command(
                *(*vite, "--host", "127.0.0.1", "--port", str(port)),
                environment={"GRAPHQL_SERVER": gateway, "NO_COLOR": "1"},
                folder=folder,
            )
        ) as server,
    ):
        server.output.wait_for("Local:")
        yield ServedApp(f"http://127.0.0.1:{port}", emulator)


@dataclass
class Opened:
    """An open page: the operations that it sent, and what Chromium complained of.

    `requests` say how: `GET hash Segments`, or `POST document Segments`.
    """

    page: Page
    sent: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def take_sent(self) -> list[str]:
        """Returns the names of the operations that were sent since the last call."""
        taken = [*self.sent]
        self.sent.clear()
        return taken

    def take_requests(self) -> list[str]:
        """Returns how the operations were sent since the last call."""
        taken = [*self.requests]
        self.requests.clear()
        return taken

    def note_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.path != "/graphql":
            return
        fields = json.loads(request.post_data) if request.post_data else dict(parse_qsl(url.query))
        document = fields.get("query")
        name = fields.get("operationName") or OPERATION.findall(document or "")[0]
        self.sent.append(name)
        self.requests.append(f"{request.method} {'document' if document else 'hash'} {name}")

    def note_response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")

    def note_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def note_error(self, error: Error) -> None:
        self.complaints.append(f"uncaught: {error}")


@asynccontextmanager
async def started_chromium() -> AsyncIterator[Browser]:
    """Yields a headless Chromium that reaches 127.0.0.1 alone."""
    if CHROMIUM is None:
        pytest.skip(MISSING)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(browser: Browser, url: str) -> AsyncIterator[Opened]:
    """Yields a page at an address; at the end, there may be no complaint.

    `KEEP_SCREENSHOTS=<folder>` keeps a picture of it, by the name of the test.
    """
    page = await browser.new_page(viewport={"width": 800, "height": 900})
    seen = Opened(page)
    page.on("request", seen.note_request)
    page.on("response", seen.note_response)
    page.on("console", seen.note_message)
    page.on("pageerror", seen.note_error)
    await page.goto(url)
    yield seen
    if screenshots := os.environ.get("KEEP_SCREENSHOTS"):
        name = os.environ["PYTEST_CURRENT_TEST"].partition("::")[2].partition(" ")[0]
        await page.screenshot(path=Path(screenshots) / f"{name}.png")
    await page.close()
    assert seen.complaints == []


def versions(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The version of each package that an app asks for, and of each that is installed."""
    package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    asked = package["dependencies"] | package.get("devDependencies", {})
    return asked, {
        name: json.loads((folder / "node_modules" / name / "package.json").read_text())["version"]
        for name in asked
    }
