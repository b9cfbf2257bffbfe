"""Processes that share a real Redis: one fill for all, a holder that is killed, a write."""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import flight_process
import pytest
from redis_server import RedisServer, redis_server

from gateway.cache.across import SharedFlights
from gateway.cache.backend import RedisBackend
from gateway.cache.invalidations import Invalidations
from gateway.redis.connection import RedisConnection
from gateway.redis.keys import LAYOUT, key, lease_of
from gateway.redis.leases import Leases

DEPLOYMENT = Path(__file__).parents[2] / "docs" / "deployment.md"

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def start(server: RedisServer) -> Iterator[Start]:
    """Starts processes that are ready, and kills what is left of them."""
    processes: list[subprocess.Popen[str]] = []

    def start(command: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(Path(flight_process.__file__)), server.url, command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert line_of(process) == "ready"
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def begin(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def line_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip()


def test_400_callers_of_two_processes_cost_one_fill(start: Start) -> None:
    processes = [start("fly"), start("fly")]
    for process in processes:
        begin(process)
    lines = [process.communicate()[0].split() for process in processes]
    assert sorted(lines[0] + lines[1]) == ["fill"] + ["value"] * 2 * flight_process.CALLERS


def test_killed_holder_frees_who_waits(server: RedisServer, start: Start) -> None:
    holder, waiter = start("hang"), start("fly")
    begin(holder)
    assert line_of(holder) == "fill"
    assert server.admin.pttl(lease_of("hot")) <= flight_process.LEASE_SECONDS * 1000
    begin(waiter)
    holder.kill()
    lines = waiter.communicate()[0].split()
    assert lines == ["fill"] + ["value"] * flight_process.CALLERS


def test_write_is_seen_by_another_process_within_a_second(
    server: RedisServer, start: Start
) -> None:
    listener = start("listen")
    begin(listener)
    assert line_of(listener) == "listening"

    async def write() -> float:
        connection = RedisConnection(server.url, timeout_seconds=20)
        news = Invalidations(connection, "e2e", keep_seconds=600, clock=time.time)
        written = time.monotonic()
        await news.announce("segments", time.time())
        await connection.close()
        return written

    written = asyncio.run(write())
    assert 0 < float(line_of(listener)) - written < 1


async def test_user_of_the_documentation_may_do_all_that_is_needed(server: RedisServer) -> None:
    (line,) = re.findall(r"^ACL SETUSER .*$", DEPLOYMENT.read_text(encoding="utf-8"), re.M)
    server.admin.execute_command(*line.split())  # type: ignore[no-untyped-call]
    connection = RedisConnection(
        f"redis://gateway:PASSWORD@127.0.0.1:{server.port}/1", timeout_seconds=20
    )
    store = key("segments-gateway", LAYOUT, "abc123")
    backend = RedisBackend(connection)
    flights = SharedFlights(Leases(connection), patience_seconds=60)

    async def fill(keys: Sequence[str]) -> Mapping[str, bytes]:
        await backend.set_many([(one, b"value") for one in keys], 60)
        return dict.fromkeys(keys, b"value")

    wanted = [f"{store}:a", f"{store}:b"]
    await flights.do_many(wanted, fill, lambda value: True)
    assert await backend.get_many(wanted) == [b"value", b"value"]
    news = Invalidations(connection, store, keep_seconds=600, clock=time.time)
    await news.announce("segments", time.time())
    await news.ask()
    assert (connection.failures, connection.state) == (0, "connected")
    # It is alone with its keys.
    refused: bytes | str | None = b"refused"
    outside = await connection.run(lambda redis: redis.get("another program's"), refused)
    assert (outside, connection.state) == (refused, "refuses reads")
    await connection.close()
