"""A process that shares a Redis with others; each line of its output is a thing that happened.

`python flight_process.py URL fly|hang|listen`, and a line on its standard input lets it begin.
"""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence

from gateway.cache.across import SharedFlights
from gateway.cache.backend import RedisBackend
from gateway.cache.invalidations import Invalidations
from gateway.redis.connection import RedisConnection
from gateway.redis.leases import Leases

CALLERS = 200
LEASE_SECONDS = 1.0


def tell(line: str) -> None:
    print(line, flush=True)


async def told_to_begin() -> None:
    tell("ready")
    await asyncio.to_thread(sys.stdin.readline)


async def fly(connection: RedisConnection) -> None:
    """Lets many callers ask for one key at once; tells each value, and each fill."""
    backend = RedisBackend(connection)
    flights = SharedFlights(Leases(connection, seconds=LEASE_SECONDS), patience_seconds=60)

    async def fill(keys: Sequence[str]) -> Mapping[str, bytes]:
        tell("fill")
        await asyncio.sleep(0.1)  # as long as an upstream takes
        await backend.set_many([(key, b"value") for key in keys], 60)
        return dict.fromkeys(keys, b"value")

    calls = (flights.do_many(["hot"], fill, lambda value: True) for _ in range(CALLERS))
    for found in await asyncio.gather(*calls):
        tell(found["hot"].decode())


async def hang(connection: RedisConnection) -> None:
    """Begins a fill that never ends."""
    flights = SharedFlights(Leases(connection, seconds=LEASE_SECONDS), patience_seconds=60)

    async def fill(keys: Sequence[str]) -> Mapping[str, bytes]:
        tell("fill")
        await asyncio.Event().wait()
        return {}

    await flights.do_many(["hot"], fill, lambda value: True)


async def listen(connection: RedisConnection) -> None:
    """Tells when it has learnt of a write."""
    learnt = asyncio.Event()

    async def sleep(seconds: float) -> None:
        if news.invalidated_at("segments"):
            learnt.set()
        await asyncio.sleep(seconds)

    news = Invalidations(connection, "e2e", keep_seconds=600, clock=time.time, sleep=sleep)
    async with news:
        tell("listening")
        await learnt.wait()
        tell(repr(time.monotonic()))


async def main(url: str, command: str) -> None:
    connection = RedisConnection(url, timeout_seconds=20)
    await told_to_begin()
    await {"fly": fly, "hang": hang, "listen": listen}[command](connection)
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
