"""A lock that all processes share: one of them fills a cache entry while the others wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from redis.asyncio.lock import Lock
from redis.exceptions import LockError

from gateway.redis.connection import RedisClient, RedisConnection

# The lock of a process that was killed is free after this time, and no process waits longer.
LOCK_SECONDS = 3.0
POLL_SECONDS = 0.02


class SharedLocks:
    """Locks in Redis, by key: redis-py's `Lock`, over the one connection.

    A lock saves upstream requests, nothing else depends on it: it is not waited for while Redis is
    away, and for `seconds` at most.
    """

    def __init__(self, connection: RedisConnection, *, seconds: float = LOCK_SECONDS) -> None:
        self._connection = connection
        self._seconds = seconds

    @asynccontextmanager
    async def held(self, key: str) -> AsyncIterator[None]:
        """Holds the lock of what lies under `key`, if it can be had, until the end of the block."""
        lock = self._connection.client.lock(f"{key}!lock", timeout=self._seconds)
        is_held = await self._acquire(lock)
        try:
            yield
        finally:
            if is_held:
                await self._connection.run(lambda _: _release(lock), None, purpose="locks")

    async def _acquire(self, lock: Lock) -> bool:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self._seconds
        unknown: bool | None = None
        while True:
            is_held = await self._connection.run(
                lambda _: lock.acquire(blocking=False), unknown, purpose="locks"
            )
            if is_held is not False:
                return is_held is True
            if loop.time() >= ends_at:
                await self._connection.run(
                    lambda redis: _remove_if_endless(redis, lock), None, purpose="locks"
                )
                return False
            await asyncio.sleep(POLL_SECONDS)


async def _release(lock: Lock) -> None:
    with suppress(LockError):  # it has run out, and may be another process's by now
        await lock.release()


async def _remove_if_endless(redis: RedisClient, lock: Lock) -> None:
    """Removes what lies in the lock's place without an expiry: no process put it there."""
    if await redis.pttl(lock.name) == -1:
        await redis.delete(lock.name)
