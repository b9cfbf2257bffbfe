"""A gateway with its store and its Redis, and what clients see while something happens to them."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from benchmarks.chaos.answers import FRESH, STALE
from benchmarks.chaos.control import Control, Upstream, Window
from benchmarks.chaos.http import Client
from benchmarks.chaos.load import Tally, put_under_load
from benchmarks.chaos.processes import Gateway, Process, emulator, free_port, redis
from benchmarks.chaos.queries import SEGMENTS, Query, asking, mix

RATE = 120.0
WARM_UP_SECONDS = 2.0
RECOVERY_SECONDS = 40.0
DEADLINE_SECONDS = 3
PAGE_SIZE = 50
# Short lives, so that all of them pass within a scenario.
SETTINGS = {
    "STORE_HASH": "emulator",
    "ACCESS_TOKEN": "emulator-token",
    "CACHE_TTL_SECONDS": "1",
    "CACHE_STALE_WHILE_REVALIDATE_SECONDS": "2",
    "CACHE_STALE_IF_ERROR_SECONDS": "120",
    "REQUEST_TIMEOUT_SECONDS": str(DEADLINE_SECONDS),
    "DRAIN_SECONDS": "1",
}


@dataclass
class Row:
    """What one scenario showed; `upstream` is what the store was asked.

    `doubts` say why it proves nothing.
    """

    name: str
    fault: str
    is_warm: bool
    seconds: float
    tally: Tally
    upstream: Upstream
    doubts: Sequence[str] = ()

    @property
    def windows(self) -> Sequence[Window]:
        """The windows of the quota in which the store was asked."""
        return self.upstream.windows


@dataclass
class Stack:
    """The running processes; `cursors` are pages that a client has come to, with their offsets."""

    store: Process
    redis: Process
    gateway: Process
    control: Control
    settings: dict[str, str]
    cursors: list[tuple[str, int]] = field(default_factory=list)
    _upstream: Upstream = field(default_factory=Upstream)

    @property
    def queries(self) -> Sequence[Query]:
        """What clients ask, in turn."""
        return mix(self.cursors)

    async def put_under_load(self, seconds: float) -> Tally:
        """Lets clients ask for so long; returns what came of it."""
        tally = Tally()
        await put_under_load(tally, self.gateway.port, self.queries, rate=RATE, seconds=seconds)
        return tally

    async def begin_count(self) -> None:
        """Counts what the store is asked from now on."""
        await self.control.forget()
        self._upstream = Upstream()

    async def end_count(self) -> Upstream:
        """Returns what the store was asked since then."""
        if self.store.is_running:
            self._upstream.add(await self.control.asked())
        return self._upstream

    async def lose_store(self) -> None:
        """Kills the store: its port refuses from then on."""
        self._upstream.add(await self.control.asked())
        self.store.kill()

    async def bring_store_back(self) -> None:
        """Starts the store anew."""
        await asyncio.to_thread(self.store.start)
        await self.control.recover()

    async def warm_up(self) -> bool:
        """Lets the caches fill until all is well; returns whether that came within 40 s.

        Windows of the quota and breakers take a while.
        """
        deadline = asyncio.get_running_loop().time() + RECOVERY_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            tally = await self.put_under_load(WARM_UP_SECONDS)
            if tally.requests == tally.outcomes[FRESH] + tally.outcomes[STALE]:
                return True
        return False

    async def make_cold(self) -> None:
        """Starts the gateway and Redis anew: nothing is cached, and nothing is known."""
        await asyncio.to_thread(self.gateway.stop)
        self.redis.kill()
        await asyncio.to_thread(self.redis.start)
        await asyncio.to_thread(self.gateway.start)


@asynccontextmanager
async def running_stack(*, workers: int = 2) -> AsyncIterator[Stack]:
    """Starts the processes; stops them at the end."""
    async with AsyncExitStack() as stops:

        async def start(part: Process) -> Process:
            stops.push_async_callback(asyncio.to_thread, part.stop)
            await asyncio.to_thread(part.start)
            return part

        store = await start(emulator(free_port()))
        cache = await start(redis(free_port()))
        settings = SETTINGS | {
            "UPSTREAM_URL": f"http://127.0.0.1:{store.port}",
            "REDIS_URL": f"redis://127.0.0.1:{cache.port}/0",
        }
        served = await start(Gateway(free_port(), settings, workers))
        control = Control(store.port)
        stops.push_async_callback(control.close)
        await control.recover()
        yield Stack(store, cache, served, control, settings, await _walk(served.port))


async def _walk(port: int) -> list[tuple[str, int]]:
    """Pages through the list; returns the cursor of each page's end with its offset."""
    cursors: list[tuple[str, int]] = []
    client = Client(port)
    for offset in itertools.count(PAGE_SIZE - 1, PAGE_SIZE):
        after = f', after: "{cursors[-1][0]}"' if cursors else ""
        document = f"{{ segments(first: {PAGE_SIZE}{after}) {{ pageInfo {{ endCursor }} }} }}"
        answer = msgspec.json.decode((await client.get(asking(document, {}).path)).body)
        if offset >= SEGMENTS - 1:
            break
        cursors.append((answer["data"]["segments"]["pageInfo"]["endCursor"], offset))
    client.close()
    return cursors
