"""Reads through the cache: fresh entries are answered, others filled, one flight per key.

Terms of RFC 9111 (HTTP Caching): an entry is fresh while its age is below its lifetime.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from struct import Struct

from gateway.cache.backend import CacheBackend
from gateway.cache.single_flight import SingleFlight

_STAMP = Struct(">d")


@dataclass(frozen=True, slots=True)
class Entry:
    """A cached value; `read_at` is the time in seconds at which its request was sent upstream.

    The age so counted holds the time of the request itself (RFC 9111, 4.2.3).
    """

    read_at: float
    value: bytes


class ReadThroughCache:
    """Entries of one life, `ttl_seconds`; 0 means none: every read fills.

    `hits`, `misses` and `fills` count entries; what joined a fill is `flights.coalesced`.
    """

    def __init__(
        self,
        backend: CacheBackend,
        *,
        ttl_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.backend = backend
        self.flights = SingleFlight[str, Entry]()
        self.hits = self.misses = self.fills = 0
        self._ttl_seconds = ttl_seconds
        self._clock = clock
        self._last = 0.0

    def now(self) -> float:
        """Returns the time in seconds, a little later at each call: no two reads share a time."""
        self._last = max(self._clock(), self._last + 1e-6)
        return self._last

    async def read(
        self, key: str, fill: Callable[[], Awaitable[Entry]], not_before: float = 0.0
    ) -> Entry:
        """Returns a fresh entry read at `not_before` or later, else what `fill` returns.

        Raises what `fill` raises; an error is never stored.
        """
        if self._ttl_seconds > 0:
            entry = _decode(await self.backend.get(key))
            if entry and self.is_fresh(entry.read_at) and entry.read_at >= not_before:
                self.hits += 1
                return entry
        self.misses += 1
        while True:
            entry = await self.flights.do(key, lambda: self._fill(key, fill))
            # The flight may have left before `not_before`: then another one is due.
            if entry.read_at >= not_before:
                return entry

    async def peek_many(self, keys: Sequence[str]) -> list[Entry | None]:
        """Returns the fresh entry or None for each key; fills nothing."""
        if self._ttl_seconds <= 0:
            self.misses += len(keys)
            return [None] * len(keys)
        entries = [_decode(raw) for raw in await self.backend.get_many(keys)]
        fresh = [entry if entry and self.is_fresh(entry.read_at) else None for entry in entries]
        found = sum(entry is not None for entry in fresh)
        self.hits += found
        self.misses += len(keys) - found
        return fresh

    async def store_many(self, entries: Sequence[tuple[str, Entry]]) -> None:
        """Stores entries; one that was read later than its successor stays."""
        if self._ttl_seconds <= 0:
            return
        held = [_decode(raw) for raw in await self.backend.get_many([key for key, _ in entries])]
        await self.backend.set_many(
            [
                (key, _encode(entry))
                for (key, entry), old in zip(entries, held, strict=True)
                if old is None or old.read_at <= entry.read_at
            ]
        )

    def is_fresh(self, read_at: float) -> bool:
        """Tells whether the age of what was read then is below its lifetime (RFC 9111, 4.2)."""
        return self._clock() - read_at < self._ttl_seconds

    async def _fill(self, key: str, fill: Callable[[], Awaitable[Entry]]) -> Entry:
        self.fills += 1
        entry = await fill()
        await self.store_many([(key, entry)])
        return entry


def _encode(entry: Entry) -> bytes:
    return _STAMP.pack(entry.read_at) + entry.value


def _decode(raw: bytes | None) -> Entry | None:
    return None if raw is None else Entry(_STAMP.unpack_from(raw)[0], raw[_STAMP.size :])
