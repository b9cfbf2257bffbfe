"""What processes share through Redis, as the read-through cache needs it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from gateway.cache.across import SharedFlights
from gateway.cache.backend import RedisBackend


class RedisTier:
    """A `gateway.cache.tiers.SharedTier`: values in Redis, and flights across processes."""

    def __init__(self, backend: RedisBackend, flights: SharedFlights) -> None:
        self._backend = backend
        self._flights = flights

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Returns a value or None for each key, in order."""
        return await self._backend.get_many(keys)

    async def set_many(self, pairs: Sequence[tuple[str, bytes]], life_seconds: float) -> None:
        """Stores the values for so long."""
        await self._backend.set_many(pairs, life_seconds)

    async def do_many(
        self,
        keys: Sequence[str],
        fill: Callable[[Sequence[str]], Awaitable[Mapping[str, bytes]]],
        is_enough: Callable[[bytes], bool],
    ) -> Mapping[str, bytes]:
        """Returns what `fill` returns, or what another process has filled since, if enough."""
        return await self._flights.do_many(keys, fill, is_enough)
