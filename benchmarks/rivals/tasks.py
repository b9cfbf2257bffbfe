"""What is asked of each contender, and what is counted meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass

import httpx

from benchmarks.command import free_port
from benchmarks.rivals.contenders import ContenderFailed, Rival
from benchmarks.warm.contenders import STORE_HASH, TOKEN, CountingStore, Processes

SEGMENTS = 1000
LATENCY_MS = 100
CLIENTS, CALLERS, IDS = 200, 16, 20
TRIES = 20
TTL_SECONDS, SHORT_TTL_SECONDS = 15, 1
LONGER_THAN_ANY_SHORT_TTL = 2.5
# The store's API itself needs its token; the others ignore the header.
HEADERS = {"X-Auth-Token": TOKEN}


@dataclass(frozen=True, slots=True)
class Scene:
    """One contender over a store of its own."""

    rival: Rival
    store: CountingStore
    http: httpx.AsyncClient

    async def walk(self, then: Callable[[], object] = lambda: None) -> list[str]:
        """Returns the ids that a walk shows, page by page; calls `then` after the first."""
        page = await self.rival.dialect.page(self.http, None)
        shown = page.ids
        then()
        while page.after is not None:
            page = await self.rival.dialect.page(self.http, page.after)
            shown += page.ids
        return shown


@dataclass(frozen=True, slots=True)
class Task:
    """A row of the table: what it is called, and what `count` returns of a scene."""

    name: str
    count: Callable[[Scene], Awaitable[int]]
    ttl_seconds: int = TTL_SECONDS


async def _walk(scene: Scene) -> int:
    shown = await scene.walk()
    assert len(set(shown)) == SEGMENTS
    return scene.store.requests()


async def _crowd(scene: Scene) -> int:
    pages = await asyncio.gather(
        *(scene.rival.dialect.page(scene.http, None) for _ in range(CLIENTS))
    )
    assert len({tuple(page.ids) for page in pages}) == 1
    return scene.store.requests()


async def _again(scene: Scene) -> int:
    for _ in range(TRIES):
        await scene.rival.dialect.page(scene.http, None)
    return scene.store.requests()


async def _lookups(scene: Scene) -> int:
    ids = store_ids(scene.store)[: CALLERS * IDS]
    found = await asyncio.gather(
        *(
            scene.rival.dialect.rows(scene.http, ids[at : at + IDS])
            for at in range(0, len(ids), IDS)
        )
    )
    assert {one for rows in found for one in rows} == set(ids)
    return scene.store.requests()


async def _moved(scene: Scene) -> int:
    ids = store_ids(scene.store)
    shown = await scene.walk(lambda: httpx.delete(control(scene.store, f"segments/{ids[0]}")))
    return len(set(ids[1:]) - set(shown))


async def _outage(scene: Scene) -> int:
    await scene.rival.dialect.page(scene.http, None)
    await asyncio.sleep(LONGER_THAN_ANY_SHORT_TTL)
    rules = {"rules": [{"fault": "status", "status": 503}]}
    (await scene.http.put(control(scene.store, "faults"), json=rules)).raise_for_status()
    answered = 0
    for _ in range(TRIES):
        try:
            answered += bool((await scene.rival.dialect.page(scene.http, None)).ids)
        except ContenderFailed:
            continue
    return answered


TASKS = (
    Task("walk 1000 segments in pages of 30: requests to the store", _walk),
    Task("the same page for 200 clients at once: requests", _crowd),
    Task("the same page 20 times, one after another: requests", _again),
    Task("20 segments by id for each of 16 clients at once: requests", _lookups),
    Task("segments that the walk misses if one is deleted meanwhile", _moved),
    Task("answers to 20 requests while the store fails (503)", _outage, SHORT_TTL_SECONDS),
)


def control(store: CountingStore, path: str) -> str:
    """Returns an address of the emulator's control."""
    return f"{store.url}/_emulator/{path}"


def store_ids(store: CountingStore) -> list[str]:
    """Returns the ids of the store's segments, in its order, and forgets that it was asked."""
    url = f"{store.url}/stores/{STORE_HASH}/v3/segments"
    ids = []
    for number in range(1, SEGMENTS // 250 + 1):
        asked = {"page": number, "limit": 250}
        ids += [r["id"] for r in httpx.get(url, params=asked, headers=HEADERS).json()["data"]]
    httpx.delete(control(store, "requests")).raise_for_status()
    return ids


async def measured(rival: Rival, task: Task) -> int:
    """Returns what a task counts with fresh processes of a contender and of a store."""
    with ExitStack() as stack:
        processes = Processes(stack)
        port = free_port()
        options = ("--segments", str(SEGMENTS), "--latency-ms", str(LATENCY_MS), "--control")
        emulator = ("gateway", "emulator", "--port", str(port), *options, "--quota", "1000000")
        processes.start(port, *emulator)
        store = CountingStore(f"http://127.0.0.1:{port}")
        url = rival.start(processes, store.url, task.ttl_seconds)
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(
            base_url=url, headers=HEADERS, timeout=60, limits=limits
        ) as http:
            return await task.count(Scene(rival, store, http))
