"""The stores under the read-through cache: aiocache, in memory and in Redis; only here."""

import logging
from collections.abc import Sequence

from aiocache import RedisCache, SimpleMemoryCache
from aiocache.serializers import NullSerializer
from cachetools import LRUCache

from gateway.redis.connection import RedisClient, RedisConnection, read_values

# What a key, its entry in the dict and the links of the LRU list weigh beside the value.
ENTRY_OVERHEAD_BYTES = 400

log = logging.getLogger(__name__)


class CacheBackend:
    """Bytes by key in this process's memory; the least recently used go when it is full.

    A cache that fails is a miss, counted in `errors`, never an error of the request.
    """

    def __init__(self, maximum_bytes: int) -> None:
        # timeout=None: a timer around each operation costs more than the operation.
        self._store = SimpleMemoryCache(timeout=None)
        # aiocache's memory backend has no bound of its own. Entries carry no timer either
        # (ttl=None): age is judged by the reader, and the bound takes what nobody reads.
        self._store._cache = LRUCache(
            maxsize=maximum_bytes, getsizeof=lambda value: len(value) + ENTRY_OVERHEAD_BYTES
        )
        self._maximum_bytes = maximum_bytes
        self.errors = 0

    async def get(self, key: str) -> bytes | None:
        """Returns the value, None for a miss."""
        return (await self.get_many([key]))[0]

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Returns a value or None for each key, in order."""
        try:
            values: list[bytes | None] = await self._store.multi_get(list(keys))
        except Exception as error:
            self._failed(error)
            return [None] * len(keys)
        return values

    async def set_many(self, pairs: Sequence[tuple[str, bytes]]) -> None:
        """Stores the values; one that is larger than the whole cache is left out."""
        for key, value in pairs:
            if len(value) + ENTRY_OVERHEAD_BYTES > self._maximum_bytes:
                continue
            try:
                await self._store.set(key, value)
            except Exception as error:
                self._failed(error)

    def _failed(self, error: Exception) -> None:
        self.errors += 1
        log.warning("the cache failed and was passed over (%s)", type(error).__name__)


class RedisBackend:
    """Bytes by key in a Redis that processes share, each for a life of its own.

    Where Redis fails, `RedisConnection` counts it: reads miss, and what is to be stored is not.
    """

    def __init__(self, connection: RedisConnection) -> None:
        # Bytes go in and come out as they are: nothing is encoded, let alone pickled. The timeout
        # is the connection's, which holds for the wait for a free one too.
        self._store = RedisCache(serializer=NullSerializer(encoding=None), timeout=None)
        # aiocache makes a pool of its own, with neither TLS files nor users. It has opened no
        # connection yet, and never will: the client is the one that all else in Redis goes over.
        self._store.client = connection.client
        self._connection = connection

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Returns a value or None for each key, in order, in one round trip."""
        nothing: list[bytes | None] = [None] * len(keys)
        if not keys:
            return nothing

        async def read(_: RedisClient) -> list[bytes | None]:
            return read_values(await self._store.multi_get(list(keys)), len(keys))

        return await self._connection.run(read, nothing)

    async def set_many(self, pairs: Sequence[tuple[str, bytes]], life_seconds: float) -> None:
        """Stores the values for so long, all of them or none, in one round trip."""
        # To aiocache a life of 0 means for ever, and only floats go by the millisecond.
        if not pairs or life_seconds < 0.001:
            return
        await self._connection.run(
            lambda _: self._store.multi_set(pairs, ttl=float(life_seconds)),
            None,
            purpose="answers",
        )
