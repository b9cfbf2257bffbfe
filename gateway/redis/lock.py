"""A lock that all processes share: one of them fills a cache entry while the others wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis.asyncio.lock import Lock

    from gateway.redis.connection import RedisClient, RedisConnection

LOCK_POLL_SECONDS = 0.02


class SharedLocks:
    """Locks in Redis, by key: redis-py's `Lock`, over the one connection.

    A lock expires after `seconds`, even if its process was killed. It only saves upstream requests:
    callers wait no longer for it, and not at all while Redis is not available.
    """

    def __init__(self, connection: "RedisConnection", *, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds

    @asynccontextmanager
    async def held(self, key: str) -> AsyncIterator[None]:
        """Holds the lock of `key` during the block; runs the block without it if the wait ends."""
        lock = self._connection.client.lock(f"{key}!lock", timeout=self._seconds)
        is_held = await self._acquire(lock)
        try:
            yield
        finally:
            if is_held:
                await self._connection.run(lambda _: _release(lock), None, purpose="locks")

    async def _acquire(self, lock: "Lock") -> bool:
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
                    lambda redis: self._remove_if_foreign(redis, lock), None, purpose="locks"
                )
                return False
            await asyncio.sleep(LOCK_POLL_SECONDS)

    async def _remove_if_foreign(self, redis: "RedisClient", lock: "Lock") -> None:
        """Deletes what lies at the lock's key and lasts longer than a lock: no gateway set it."""
        milliseconds = await redis.pttl(lock.name)
        if milliseconds == -1 or milliseconds > self._seconds * 1000:
            await redis.delete(lock.name)


async def _release(lock: "Lock") -> None:
    from redis.exceptions import LockError  # only where Redis is

    with suppress(LockError):  # it has expired, and another process may hold it
        await lock.release()
