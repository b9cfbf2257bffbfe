"""What fails, for how long, and what is done about it."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from redis.asyncio import Redis

from benchmarks.chaos.control import Fault
from benchmarks.chaos.processes import open_files_of, workers_of
from benchmarks.chaos.stack import Row, Stack

Act = Callable[[Stack], Awaitable[None]]

# Longer than an answer is fresh, and stale while a newer one is read: 1 s and 2 s.
BROKEN_SECONDS = 6.0
RECOVERY_SECONDS = 2.0
WINDOW_SECONDS = 30.0
COLD_SECONDS = 4.0


async def _nothing(_: Stack) -> None:
    """Lets all work."""


async def _store_recovers(stack: Stack) -> None:
    await stack.control.recover()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault: `breaks`, then `mends` after `seconds`, while clients go on asking.

    `cold_seconds` are for the same without anything cached; a `has_own_lane` is long. `replaces`
    is how many workers have others in their place afterwards.
    """

    name: str
    fault: str
    breaks: Act
    mends: Act = _store_recovers
    seconds: float = BROKEN_SECONDS
    cold_seconds: float = 0.0
    has_own_lane: bool = False
    begins_with_window: bool = False
    replaces: int = 0


def _failing(*faults: Fault) -> Act:
    async def act(stack: Stack) -> None:
        await stack.control.fail(*faults)

    return act


async def _slow(stack: Stack) -> None:
    await stack.control.answer_after(5)


async def _small_quota(stack: Stack) -> None:
    await stack.control.behave(quota=20)


async def _redis_is_gone(stack: Stack) -> None:
    stack.redis.kill()


async def _redis_is_back(stack: Stack) -> None:
    await asyncio.to_thread(stack.redis.start)


async def _redis_hangs(stack: Stack) -> None:
    stack.redis.send(signal.SIGSTOP)


async def _redis_goes_on(stack: Stack) -> None:
    stack.redis.send(signal.SIGCONT)


def _redis_memory(maximum_bytes: int) -> Act:
    async def act(stack: Stack) -> None:
        async with Redis(host="127.0.0.1", port=stack.redis.port) as admin:
            await admin.config_set("maxmemory", maximum_bytes)

    return act


async def _worker_dies(stack: Stack) -> None:
    await asyncio.sleep(1)  # so that there are connections, most of them to one
    worker = max(workers_of(stack.gateway.pid), key=open_files_of)
    os.kill(worker, signal.SIGSTOP)  # so that there are requests that it has not answered
    await asyncio.sleep(0.3)
    os.kill(worker, signal.SIGKILL)


async def _rolling_restart(stack: Stack) -> None:
    stack.gateway.send(signal.SIGHUP)


def _always(name: str, **numbers: float) -> Act:
    return _failing({"fault": name, **numbers})


def _half(name: str) -> Act:
    return _failing({"fault": name, "probability": 0.5})


SCENARIOS = (
    Scenario("baseline", "nothing", _nothing, cold_seconds=COLD_SECONDS),
    Scenario(
        "gone",
        "store gone",
        Stack.lose_store,
        Stack.bring_store_back,
        seconds=30,
        cold_seconds=COLD_SECONDS,
        has_own_lane=True,
    ),
    Scenario(
        "500-half", "store: 500 to half of all", _half("server-error"), cold_seconds=COLD_SECONDS
    ),
    Scenario("500", "store: 500", _always("server-error"), cold_seconds=COLD_SECONDS),
    Scenario("slow", "store: 5 s latency", _slow, seconds=9, cold_seconds=COLD_SECONDS),
    Scenario("reset-half", "store: half of all reset", _half("reset"), cold_seconds=COLD_SECONDS),
    Scenario("reset", "store: connections reset", _always("reset"), cold_seconds=COLD_SECONDS),
    Scenario("truncated", "store: truncated JSON", _always("truncated"), cold_seconds=COLD_SECONDS),
    Scenario("cut", "store: bodies cut off", _always("cut")),
    Scenario("html", "store: HTML", _always("html")),
    Scenario(
        "drip",
        "store: bodies take 4 s",
        _always("drip", seconds=4),
        seconds=9,
        cold_seconds=COLD_SECONDS,
    ),
    Scenario(
        "429",
        "store: 429 for a window",
        _always("rate-limited"),
        seconds=WINDOW_SECONDS,
        cold_seconds=COLD_SECONDS,
        has_own_lane=True,
        begins_with_window=True,
    ),
    Scenario(
        "overloaded", "store: 429, no headers", _always("overloaded"), cold_seconds=COLD_SECONDS
    ),
    Scenario(
        "quota",
        "quota of 20 to a window, 3 windows",
        _small_quota,
        seconds=3 * WINDOW_SECONDS - 1,
        has_own_lane=True,
        begins_with_window=True,
    ),
    Scenario("redis-gone", "Redis killed", _redis_is_gone, _redis_is_back),
    Scenario("redis-hangs", "Redis hangs (SIGSTOP)", _redis_hangs, _redis_goes_on),
    Scenario("redis-full", "Redis full", _redis_memory(1), _redis_memory(0)),
    Scenario("worker", "the busier of two workers killed", _worker_dies, _nothing, replaces=1),
    Scenario(
        "rolling", "rolling restart (SIGHUP)", _rolling_restart, _nothing, seconds=9, replaces=2
    ),
)


async def run_warm(stack: Stack, scenario: Scenario) -> Row:
    """Runs a scenario on caches that are full."""
    doubts = [] if await stack.warm_up() else ["not all was well before"]
    if scenario.begins_with_window:
        await stack.put_under_load(await stack.control.seconds_to_next_window() + 0.1)

    async def happen() -> None:
        await scenario.breaks(stack)
        await asyncio.sleep(scenario.seconds)
        await scenario.mends(stack)

    seconds = scenario.seconds + (0 if scenario.begins_with_window else RECOVERY_SECONDS)
    workers = {*workers_of(stack.gateway.pid)}
    await stack.begin_count()
    tally, _ = await asyncio.gather(stack.put_under_load(seconds), happen())
    upstream = await stack.end_count()
    left = workers & {*workers_of(stack.gateway.pid)}
    if len(workers - left) != scenario.replaces:
        doubts.append(f"of the workers {workers} are left {left}")
    return Row(scenario.name, scenario.fault, True, seconds, tally, upstream, doubts)


async def run_cold(stack: Stack, scenario: Scenario) -> Row:
    """Runs a scenario on a gateway that has just started, and a Redis that is empty."""
    await stack.make_cold()
    await stack.begin_count()
    await scenario.breaks(stack)
    tally = await stack.put_under_load(scenario.cold_seconds)
    upstream = await stack.end_count()
    await scenario.mends(stack)
    return Row(scenario.name, scenario.fault, False, scenario.cold_seconds, tally, upstream)
