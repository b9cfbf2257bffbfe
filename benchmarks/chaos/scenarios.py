"""What fails, on a warm and on a cold cache."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from signal import SIGHUP, SIGKILL, SIGSTOP

from redis.asyncio import Redis

from benchmarks.chaos.stack import Row, Server, Stack

Act = Callable[[Stack], Awaitable[None]]

# Longer than an answer is fresh (1 s) and served stale while it is refreshed (2 s).
BROKEN_SECONDS = 6.0
RECOVERY_SECONDS = 2.0
COLD_SECONDS = 4.0


async def _nothing(_: Stack) -> None:
    """Breaks nothing."""


async def _store_recovers(stack: Stack) -> None:
    await stack.store.recover()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault: `breaks`, then `mends` after `seconds`, under load all the time.

    `is_cold`: it runs on an empty cache, too. `is_long`: it has its own stack. `is_windowed`:
    it begins with a window of the quota. `replaces`: the number of workers that it replaces.
    """

    name: str
    fault: str
    breaks: Act
    mends: Act = _store_recovers
    seconds: float = BROKEN_SECONDS
    is_cold: bool = False
    is_long: bool = False
    is_windowed: bool = False
    replaces: int = 0


def _failing(name: str, **numbers: float) -> Act:
    return lambda stack: stack.store.fail({"fault": name, **numbers})


def _behaving(**changes: float) -> Act:
    return lambda stack: stack.store.behave(**changes)


def _redis(act: Callable[[Server], None]) -> Act:
    return lambda stack: asyncio.to_thread(act, stack.redis)


async def _rolling_restart(stack: Stack) -> None:
    stack.gateway.process.send_signal(SIGHUP)


def _redis_memory(maximum_bytes: int) -> Act:
    async def act(stack: Stack) -> None:
        async with Redis(host="127.0.0.1", port=stack.redis.port) as admin:
            await admin.config_set("maxmemory", maximum_bytes)

    return act


def _workers(stack: Stack) -> set[int]:
    """The pids of the gateway's workers."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            is_child = f"PPid:\t{stack.gateway.process.pid}\n" in status.read_text()
            if is_child and "resource_tracker" not in (status.parent / "cmdline").read_text():
                found.add(int(status.parent.name))
    return found


def _open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


async def _worker_dies(stack: Stack) -> None:
    await asyncio.sleep(1)  # until there are connections, most of them to one worker
    worker = max(_workers(stack), key=_open_files)
    os.kill(worker, SIGSTOP)  # so that it has unanswered requests
    await asyncio.sleep(0.3)
    os.kill(worker, SIGKILL)


_cold = partial(Scenario, is_cold=True)
_windowed = partial(Scenario, is_long=True, is_windowed=True)

SCENARIOS = (
    _cold("baseline", "nothing", _nothing),
    _cold("gone", "store gone", Stack.lose_store, Stack.bring_store_back, 30, is_long=True),
    _cold("500-half", "store: 500 to half of all", _failing("server-error", probability=0.5)),
    _cold("500", "store: 500", _failing("server-error")),
    _cold("slow", "store: 5 s latency", _behaving(latency_seconds=5), seconds=9),
    _cold("reset-half", "store: half of all reset", _failing("reset", probability=0.5)),
    _cold("reset", "store: connections reset", _failing("reset")),
    _cold("truncated", "store: truncated JSON", _failing("truncated")),
    Scenario("cut", "store: bodies cut off", _failing("cut")),
    Scenario("html", "store: HTML", _failing("html")),
    _cold("drip", "store: bodies take 4 s", _failing("drip", seconds=4), seconds=9),
    _windowed("429", "store: 429 for a window", _failing("rate-limited"), seconds=30, is_cold=True),
    _cold("overloaded", "store: 429, no headers", _failing("overloaded")),
    _windowed("quota", "quota of 20 to a window, 3 windows", _behaving(quota=20), seconds=89),
    Scenario("redis-gone", "Redis killed", _redis(Server.kill), _redis(Server.start)),
    Scenario("redis-hangs", "Redis hangs (SIGSTOP)", _redis(Server.freeze), _redis(Server.thaw)),
    Scenario("redis-full", "Redis full", _redis_memory(1), _redis_memory(0)),
    Scenario("worker", "the busier of two workers killed", _worker_dies, _nothing, replaces=1),
    Scenario("rolling", "rolling restart (SIGHUP)", _rolling_restart, _nothing, 9, replaces=2),
)


async def run_warm(stack: Stack, scenario: Scenario) -> Row:
    """Runs a scenario on full caches."""
    doubts = [] if await stack.warm_up() else ["not all was well before"]
    if scenario.is_windowed:
        await stack.put_under_load(await stack.store.seconds_to_next_window() + 0.1)

    async def happen() -> None:
        await scenario.breaks(stack)
        await asyncio.sleep(scenario.seconds)
        await scenario.mends(stack)

    seconds = scenario.seconds + (0 if scenario.is_windowed else RECOVERY_SECONDS)
    workers = _workers(stack)
    await stack.begin_count()
    tally, _ = await asyncio.gather(stack.put_under_load(seconds), happen())
    upstream = await stack.end_count()
    left = workers & _workers(stack)
    if len(workers - left) != scenario.replaces:
        doubts.append(f"of the workers {workers}, {left} are left")
    return Row(scenario.name, scenario.fault, True, seconds, tally, upstream, doubts)


async def run_cold(stack: Stack, scenario: Scenario) -> Row:
    """Runs a scenario on a gateway that has just started, and an empty Redis."""
    await stack.make_cold()
    await stack.begin_count()
    await scenario.breaks(stack)
    tally = await stack.put_under_load(COLD_SECONDS)
    upstream = await stack.end_count()
    await scenario.mends(stack)
    return Row(scenario.name, scenario.fault, False, COLD_SECONDS, tally, upstream)
