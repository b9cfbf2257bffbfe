"""Encoded entries in a Redis that all processes share; only what they have signed is read."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.redis.signer import Signer

if TYPE_CHECKING:
    from gateway.redis.connection import RedisClient, RedisConnection


class SharedStore:
    """Encoded values by key with their read time, kept for `max_age_seconds`.

    A value that `signer` does not verify is a miss: no process of this store has written it. If
    Redis fails, reads miss and nothing is stored; `RedisConnection` counts the failure.
    """

    def __init__(
        self, connection: "RedisConnection", max_age_seconds: float, signer: Signer
    ) -> None:
        # Here, because only a gateway with Redis pays for the import of its client.
        from aiocache.backends.redis import RedisCache
        from aiocache.serializers import NullSerializer

        # NullSerializer: bytes go in and come out unchanged, nothing is pickled. timeout=None: the
        # connection bounds each call, the wait for a free connection included.
        self._store = RedisCache(serializer=NullSerializer(encoding=None), timeout=None)
        # aiocache's own client supports neither TLS files nor users. It is replaced here, before it
        # has connected.
        self._store.client = connection.client
        self._connection = connection
        self._max_age_seconds = max_age_seconds
        self._signer = signer

    async def get_many(self, keys: Sequence[str]) -> list[tuple[float, bytes] | None]:
        """Returns the read time and the encoded value of each key, in one round trip."""

        async def read(_: "RedisClient") -> list[bytes | None]:
            return read_values(await self._store.multi_get(list(keys)), len(keys))

        nothing: list[bytes | None] = [None] * len(keys)
        stored = zip(keys, await self._connection.run(read, nothing), strict=True)
        return [None if raw is None else self._signer.verify(key, raw) for key, raw in stored]

    async def set_many(self, values: Sequence[tuple[str, float, bytes]]) -> None:
        """Stores keys with their read time and encoded value, all or none, in one round trip."""
        # In aiocache, a ttl of 0 means no expiry, and only a float is sent in milliseconds.
        if not values or self._max_age_seconds < 0.001:
            return
        pairs = [(key, self._signer.sign(key, at, value)) for key, at, value in values]
        await self._connection.run(
            lambda _: self._store.multi_set(pairs, ttl=float(self._max_age_seconds)),
            None,
            purpose="answers",
        )


def read_values(answer: object, keys: int) -> list[bytes | None]:
    """Returns the answer to `MGET` of this many keys; raises `ValueError` if it is malformed."""
    if not isinstance(answer, list) or len(answer) != keys:
        raise ValueError
    if not all(value is None or isinstance(value, bytes) for value in answer):
        raise ValueError
    return answer
