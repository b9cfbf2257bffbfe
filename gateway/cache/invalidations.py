"""The last write to each collection by any process. Values read before it are not served.

The graph has no mutations yet, so that nothing calls `announce`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self, cast

from redis.exceptions import ResponseError

from gateway.redis.connection import RedisClient, RedisConnection

# Every process must see a write within one second: several polls fit into it.
WRITES_POLL_SECONDS = 0.3


class Invalidations:
    """The time of the last write to each collection; writes of this process take effect at once.

    Times are seconds since the epoch by `clock`, kept for `keep_seconds`, the longest time
    for which a value may be served. In an `async with` block, a task polls the writes of other
    processes from a sorted set in Redis, and adds this process's writes that are missing there.
    """

    def __init__(
        self,
        connection: RedisConnection | None,
        store_key: str,
        *,
        keep_seconds: float,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._connection = connection
        self._key = f"{store_key}:invalidated"
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._sleep = sleep
        self._written: dict[str, float] = {}
        self._own: dict[str, float] = {}
        # What the last poll found in Redis.
        self._found: Mapping[str, float] = {}
        self._polling: asyncio.Task[None] | None = None

    def written_at(self, collection: str) -> float:
        """Returns the time of the last write to a collection, 0 if there was none."""
        return self._written.get(collection, 0.0)

    async def announce(self, collection: str, at: float) -> None:
        """Invalidates the values of a collection that were read before `at`.

        It takes effect in this process at once, in others within a second or once Redis is back.
        """
        self._own[collection] = max(at, self._own.get(collection, 0.0))
        self._learn({collection: at})
        self._forget()
        await self._add({collection: self._own[collection]})

    async def poll(self) -> None:
        """Learns writes of other processes; adds those of this one that are missing in Redis."""
        if self._connection is None:
            return
        nothing: dict[str, float] | None = None
        found = await self._connection.run(self._read, nothing, purpose="invalidations")
        if found is None:
            return
        now = self._clock()
        changed = {name: at for name, at in found.items() if self._found.get(name) != at}
        # A time from a clock that is ahead counts as now, once. Otherwise each poll until that time
        # would invalidate the values that have just been read.
        self._learn({name: min(at, now) for name, at in changed.items()})
        self._found = found
        self._forget()
        lacking = {name: at for name, at in self._own.items() if found.get(name, 0.0) < at}
        if lacking:
            await self._add(lacking)

    async def __aenter__(self) -> Self:
        if self._connection is not None:
            await self.poll()
            self._polling = asyncio.create_task(self._poll_for_ever())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._polling is not None:
            self._polling.cancel()
            with suppress(asyncio.CancelledError):
                await self._polling

    async def _poll_for_ever(self) -> None:
        while True:
            await self._sleep(WRITES_POLL_SECONDS)
            await self.poll()

    def _learn(self, times: Mapping[str, float]) -> None:
        for collection, at in times.items():
            self._written[collection] = max(at, self._written.get(collection, 0.0))

    def _forget(self) -> None:
        oldest = self._clock() - self._keep_seconds
        for times in (self._written, self._own):
            for name in [name for name, at in times.items() if at < oldest]:
                del times[name]

    async def _read(self, redis: RedisClient) -> dict[str, float]:
        since = self._clock() - self._keep_seconds
        try:
            found = cast(
                list[tuple[bytes, float]],
                await redis.zrangebyscore(self._key, since, "+inf", withscores=True),
            )
        except ResponseError as error:
            if not str(error).startswith("WRONGTYPE"):
                raise
            await redis.delete(self._key)  # a value of another type, which no gateway has set
            return {}
        return {name.decode(errors="replace"): float(at) for name, at in found}

    async def _add(self, times: Mapping[str, float]) -> None:
        if self._connection is None:
            return

        async def add(redis: RedisClient) -> None:
            # This may replace a later time, perhaps of a clock that is ahead. Processes learn every
            # change, and the process of a later write adds its time again.
            await redis.zadd(self._key, dict(times))
            await redis.pexpire(self._key, int(self._keep_seconds * 1000) + 1)
            await redis.zremrangebyscore(
                self._key, "-inf", f"({self._clock() - self._keep_seconds}"
            )

        await self._connection.run(add, None, purpose="invalidations")
