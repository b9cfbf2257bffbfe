"""Entries in this process's memory, decoded and bounded in bytes."""

import sys
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, NamedTuple

from gateway.cache.policy import Entry

# The size of a key, its dict entry and its links in the LRU list, in addition to the value.
ENTRY_OVERHEAD_BYTES = 400
# The size of a decoded value relative to its encoded bytes: of a block of 250 rows with all their
# cursors 4.1, without them 3.3; of a row 3.2.
DECODED_WEIGHT = 4


class _Weighted(NamedTuple):
    entry: Entry[Any]  # entries of all kinds; the key determines the kind
    weight: int


class _LeastRecentlyUsed(OrderedDict[str, _Weighted]):
    """Entries up to `maximum_bytes`; cachetools' own takes five times as long for a read."""

    def __init__(self, maximum_bytes: int) -> None:
        super().__init__()
        self.bytes = 0
        self._maximum_bytes = maximum_bytes

    def use(self, key: str) -> _Weighted | None:
        """Returns an entry, and makes it the most recently used."""
        found = self.get(key)
        if found is not None:
            self.move_to_end(key)
        return found

    def __setitem__(self, key: str, stored: _Weighted) -> None:
        if key in self:
            self.bytes -= self[key].weight
        super().__setitem__(key, stored)
        self.move_to_end(key)
        self.bytes += stored.weight
        while self.bytes > self._maximum_bytes:
            self.bytes -= self.popitem(last=False)[1].weight


class Memory:
    """Entries by key, up to `maximum_bytes`; the least recently used are evicted."""

    def __init__(self, maximum_bytes: int) -> None:
        # timeout=None: a timer around each operation costs more than the operation.
        self._store = _simple_memory_cache()(timeout=None)
        # aiocache's memory backend has no bound of its own. Its entries have no timer either
        # (ttl=None): the reader checks their age, and the bound evicts entries that are not read.
        self._store._cache = self._stored = _LeastRecentlyUsed(maximum_bytes)
        self._maximum_bytes = maximum_bytes

    def get_many(self, keys: Iterable[str]) -> list[Entry[Any] | None]:
        """Returns an entry or None for each key, in order."""
        use = self._stored.use
        return [None if (one := use(key)) is None else one.entry for key in keys]

    async def set(self, key: str, entry: Entry[Any], encoded_bytes: int) -> None:
        """Stores an entry, unless a newer one is there or it is larger than the whole memory."""
        weight = encoded_bytes * DECODED_WEIGHT + ENTRY_OVERHEAD_BYTES
        if weight > self._maximum_bytes:
            return
        stored = self._stored.get(key)
        if stored is None or stored.entry.read_at <= entry.read_at:
            await self._store.set(key, _Weighted(entry, weight))


def _simple_memory_cache() -> Any:
    """Returns aiocache's backend in memory, without an import of the client of Redis.

    aiocache imports the client where it is installed. While it is hidden, aiocache goes without.
    """
    modules: dict[str, Any] = sys.modules
    hidden = modules.setdefault("redis", None) is None  # an import of None fails
    try:
        from aiocache import SimpleMemoryCache
    finally:
        if hidden:
            del modules["redis"]
    return SimpleMemoryCache
