"""Encoded entries in a Redis that all processes share. Its contents are not trusted."""

from collections.abc import Sequence
from struct import Struct
from zlib import crc32

from aiocache import RedisCache
from aiocache.serializers import NullSerializer

from gateway.redis.connection import RedisClient, RedisConnection, read_values

# The read time of a value, and the CRC-32 of its bytes.
_STAMP = Struct(">dI")


class SharedStore:
    """Encoded values by key with their read time, kept for `max_age_seconds`.

    If Redis fails, reads miss and nothing is stored; `RedisConnection` counts the failure.
    """

    def __init__(self, connection: RedisConnection, max_age_seconds: float) -> None:
        # NullSerializer: bytes go in and come out unchanged, nothing is pickled. timeout=None: the
        # connection bounds each call, the wait for a free connection included.
        self._store = RedisCache(serializer=NullSerializer(encoding=None), timeout=None)
        # aiocache's own client supports neither TLS files nor users. It is replaced here, before it
        # has connected.
        self._store.client = connection.client
        self._connection = connection
        self._max_age_seconds = max_age_seconds

    async def get_many(self, keys: Sequence[str]) -> list[tuple[float, bytes] | None]:
        """Returns the read time and the encoded value of each key, in one round trip."""

        async def read(_: RedisClient) -> list[bytes | None]:
            return read_values(await self._store.multi_get(list(keys)), len(keys))

        nothing: list[bytes | None] = [None] * len(keys)
        return [_opened(raw) for raw in await self._connection.run(read, nothing)]

    async def set_many(self, values: Sequence[tuple[str, float, bytes]]) -> None:
        """Stores keys with their read time and encoded value, all or none, in one round trip."""
        # In aiocache, a ttl of 0 means no expiry, and only a float is sent in milliseconds.
        if not values or self._max_age_seconds < 0.001:
            return
        pairs = [(key, stamped(at, value)) for key, at, value in values]
        await self._connection.run(
            lambda _: self._store.multi_set(pairs, ttl=float(self._max_age_seconds)),
            None,
            purpose="answers",
        )


def stamped(read_at: float, value: bytes) -> bytes:
    """Returns an encoded value with its stamp, as stored in Redis."""
    return _STAMP.pack(read_at, crc32(value)) + value


def _opened(raw: bytes | None) -> tuple[float, bytes] | None:
    """Returns the read time and the value; None for a miss, and for damaged bytes."""
    if raw is None or len(raw) < _STAMP.size:
        return None
    read_at, checksum = _STAMP.unpack_from(raw)
    value = raw[_STAMP.size :]
    return (read_at, value) if crc32(value) == checksum else None
