"""What fails, for how long, and what is done about it meanwhile."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from redis import Redis

from benchmarks.chaos.control import Fault
from benchmarks.chaos.processes import workers_of
from benchmarks.chaos.stack import Row, Stack

Act = Callable[[Stack], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault: `act` runs beside the load; `cold_seconds` are for the same without a cache."""

    name: str
    fault: str
    seconds: float
    act: Act
    cold_seconds: float = 0.0


async def _nothing(_: Stack) -> None:
    """Lets all work."""


async def _gone(stack: Stack) -> None:
    stack.store.kill()
    await asyncio.sleep(30)
    await asyncio.to_thread(stack.store.start)
    stack.control.recover()


def _failing(*faults: Fault) -> Act:
    async def act(stack: Stack) -> None:
        stack.control.fail(*faults)

    return act


async def _slow(stack: Stack) -> None:
    stack.control.behave(latency={"kind": "constant", "seconds": 5})


async def _small_quota(stack: Stack) -> None:
    stack.control.behave(quota=20)


async def _redis_restarts(stack: Stack) -> None:
    await asyncio.sleep(2)
    stack.redis.kill()
    await asyncio.sleep(4)
    await asyncio.to_thread(stack.redis.start)


async def _redis_hangs(stack: Stack) -> None:
    await asyncio.sleep(2)
    stack.redis.send(signal.SIGSTOP)
    await asyncio.sleep(4)
    stack.redis.send(signal.SIGCONT)


async def _redis_is_full(stack: Stack) -> None:
    await asyncio.to_thread(_set_memory, stack.redis.port, 1)
    await asyncio.sleep(6)
    await asyncio.to_thread(_set_memory, stack.redis.port, 0)


def _set_memory(port: int, maximum_bytes: int) -> None:
    with Redis(host="127.0.0.1", port=port) as admin:
        admin.config_set("maxmemory", maximum_bytes)


async def _worker_dies(stack: Stack) -> None:
    await asyncio.sleep(3)
    os.kill(workers_of(stack.gateway.pid)[0], signal.SIGKILL)


async def _rolling_restart(stack: Stack) -> None:
    await asyncio.sleep(2)
    stack.gateway.send(signal.SIGHUP)


SCENARIOS = (
    Scenario("baseline", "nothing fails", 10, _nothing, 5),
    Scenario("gone", "store gone for 30 s", 36, _gone),
    Scenario(
        "500-half",
        "500 from every second request",
        10,
        _failing({"fault": "server-error", "probability": 0.5}),
        6,
    ),
    Scenario("500", "500 from all", 10, _failing({"fault": "server-error"}), 5),
    Scenario("slow", "5 s latency", 14, _slow, 6),
    Scenario(
        "reset-half",
        "every second connection reset",
        8,
        _failing({"fault": "reset", "probability": 0.5}),
        5,
    ),
    Scenario("reset", "all connections reset", 8, _failing({"fault": "reset"}), 5),
    Scenario("truncated", "truncated JSON", 8, _failing({"fault": "truncated"}), 5),
    Scenario("cut", "bodies cut off", 8, _failing({"fault": "cut"}), 5),
    Scenario("html", "HTML in place of JSON", 8, _failing({"fault": "html"})),
    Scenario("drip", "bodies that drip for 4 s", 10, _failing({"fault": "drip", "seconds": 4})),
    Scenario("429", "429 for a whole window", 33, _failing({"fault": "rate-limited"}), 5),
    Scenario("overloaded", "429 without headers", 10, _failing({"fault": "overloaded"}), 5),
    Scenario("quota", "quota of 20 to a window", 95, _small_quota),
    Scenario("redis-restart", "Redis killed, back after 4 s", 10, _redis_restarts),
    Scenario("redis-slow", "Redis hangs for 4 s", 10, _redis_hangs),
    Scenario("redis-full", "Redis full for 6 s", 9, _redis_is_full),
    Scenario("worker", "one of two workers killed", 10, _worker_dies),
    Scenario("rolling", "rolling restart (SIGHUP)", 12, _rolling_restart),
)


async def run_warm(stack: Stack, scenario: Scenario) -> Row:
    """Runs a scenario on caches that are full."""
    await stack.warm_up()
    row = await stack.observe(
        scenario.fault, scenario.seconds, lambda: scenario.act(stack), is_warm=True
    )
    stack.control.recover()
    return row


async def run_cold(stack: Stack, scenario: Scenario) -> Row:
    """Runs a scenario on a gateway that has just started, and a Redis that is empty."""
    await asyncio.to_thread(stack.make_cold)
    await scenario.act(stack)
    row = await stack.observe(
        scenario.fault, scenario.cold_seconds, lambda: _nothing(stack), is_warm=False
    )
    stack.control.recover()
    return row
