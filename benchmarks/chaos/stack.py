"""A gateway with its store and its Redis, and one scenario after another run on them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from urllib.request import Request, urlopen

import msgspec

from benchmarks.chaos.control import Control
from benchmarks.chaos.load import Tally, put_under_load
from benchmarks.chaos.processes import (
    Process,
    emulator,
    free_port,
    gateway,
    redis,
    wait_until_ready,
)
from benchmarks.chaos.queries import Query, first_page, mix

RATE = 120.0
WARM_UP_SECONDS = 2.5
RECOVERY_SECONDS = 60.0
DEADLINE_SECONDS = 3
# Short lives, so that all of them pass within a scenario.
SETTINGS = {
    "STORE_HASH": "emulator",
    "ACCESS_TOKEN": "emulator-token",
    "CACHE_TTL_SECONDS": "1",
    "CACHE_STALE_WHILE_REVALIDATE_SECONDS": "2",
    "CACHE_STALE_IF_ERROR_SECONDS": "120",
    "REQUEST_TIMEOUT_SECONDS": str(DEADLINE_SECONDS),
    "DRAIN_SECONDS": "1",
    "LOG_LEVEL": "warning",
}


@dataclass
class Row:
    """What one scenario showed; `upstream` are the requests that the store got."""

    fault: str
    is_warm: bool
    tally: Tally
    upstream: int
    refused: int
    windows: list[int] = field(default_factory=list)


@dataclass
class Stack:
    """The running processes; `cursors` are pages that a client has come to, with their offsets."""

    store: Process
    redis: Process
    gateway: Process
    control: Control
    cursors: list[tuple[str, int]]

    @property
    def queries(self) -> Sequence[Query]:
        """What clients ask, in turn."""
        return mix(self.cursors)

    async def observe(
        self, fault: str, seconds: float, act: Callable[[], Awaitable[None]], *, is_warm: bool
    ) -> Row:
        """Lets clients ask for so long while `act` goes on beside them; returns what came of it."""
        tally = Tally()
        acting = asyncio.ensure_future(act())
        await put_under_load(tally, self.gateway.port, self.queries, rate=RATE, seconds=seconds)
        await acting
        asked = self.control.asked()
        refused = asked.statuses.get("429", 0)
        windows = [window.refused for window in asked.windows]
        return Row(fault, is_warm, tally, asked.total, refused, windows)

    async def warm_up(self) -> None:
        """Lets the caches fill, until all is as it should be: windows and breakers take a while."""
        self.control.recover()
        deadline = asyncio.get_running_loop().time() + RECOVERY_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            tally = Tally()
            await put_under_load(
                tally, self.gateway.port, self.queries, rate=RATE, seconds=WARM_UP_SECONDS
            )
            if tally.requests == tally.outcomes["fresh"] + tally.outcomes["stale"]:
                break
        self.control.forget()

    def make_cold(self) -> None:
        """Starts the gateway and Redis anew: nothing is cached, and nothing is known."""
        self.gateway.stop()
        self.redis.kill()
        self.redis.start()
        self.gateway.start()
        wait_until_ready(self.gateway.port)
        self.control.recover()
        self.control.forget()


@contextmanager
def running_stack(*options: str) -> Iterator[Stack]:
    """Starts the processes, two workers unless told otherwise; stops them at the end."""
    with ExitStack() as stops:
        parts = emulator(free_port()), redis(free_port())
        for part in parts:
            stops.callback(part.stop)
            part.start()
        store, cache = parts
        settings = SETTINGS | {
            "UPSTREAM_URL": f"http://127.0.0.1:{store.port}",
            "REDIS_URL": f"redis://127.0.0.1:{cache.port}/0",
        }
        served = gateway(free_port(), settings, *(options or ("--workers", "2")))
        stops.callback(served.stop)
        served.start()
        wait_until_ready(served.port)
        control = Control(store.port)
        control.recover()
        yield Stack(store, cache, served, control, _walk(served.port))


def _walk(port: int) -> list[tuple[str, int]]:
    """Pages through the list; returns the cursor of each page's end with its offset."""
    cursors: list[tuple[str, int]] = []
    document = first_page(50).document
    while len(cursors) < 19:
        body = msgspec.json.encode({"query": document})
        answer = msgspec.json.decode(_post(port, body))
        cursor = answer["data"]["segments"]["pageInfo"]["endCursor"]
        cursors.append((cursor, 50 * len(cursors) + 49))
        document = first_page(50).document.replace("first: 50", f'first: 50, after: "{cursor}"')
    return cursors


def _post(port: int, body: bytes) -> bytes:
    request = Request(
        f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"}
    )
    with urlopen(request, timeout=30) as answer:
        content: bytes = answer.read()
    return content
