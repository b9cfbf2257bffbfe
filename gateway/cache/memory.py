"""Entries in this process's memory, decoded and bounded in bytes."""

import sys
from collections.abc import Iterable
from typing import Any

from gateway.cache.least_recently_used import LeastRecentlyUsed, Weighted
from gateway.cache.policy import Entry

# The size of a key, its dict entry and its links in the LRU list, in addition to the value.
ENTRY_OVERHEAD_BYTES = 400
# The size of a decoded value relative to its encoded bytes: of a block of 250 rows with all their
# cursors 4.1, without them 3.3; of a row 3.2.
DECODED_WEIGHT = 4


class Memory:
    """Entries by key, up to `maximum_bytes`; the least recently used are evicted.

    `version` grows with each entry that is stored: until then, none is replaced or evicted. It
    grows, too, when an entry is outdated by a write.
    """

    def __init__(self, maximum_bytes: int) -> None:
        # timeout=None: a timer around each operation costs more than the operation.
        self._store = _simple_memory_cache()(timeout=None)
        # aiocache's memory backend has no bound of its own. Its entries have no timer either
        # (ttl=None): the reader checks their age, and the bound evicts entries that are not read.
        self._store._cache = self._stored = LeastRecentlyUsed[Entry[Any]](maximum_bytes)
        self._maximum_bytes = maximum_bytes
        self.version = 0

    @property
    def bytes(self) -> int:
        """The bytes that all entries count as."""
        return self._stored.bytes

    def __len__(self) -> int:
        """Returns the number of entries."""
        return len(self._stored)

    def get_many(self, keys: Iterable[str]) -> list[Entry[Any] | None]:
        """Returns an entry or None for each key, in order."""
        get, move_to_end = self._stored.get, self._stored.move_to_end
        found: list[Entry[Any] | None] = []
        for key in keys:
            if (stored := get(key)) is None:
                found.append(None)
            else:
                move_to_end(key)  # now the most recently used
                found.append(stored.value)
        return found

    async def set(self, key: str, entry: Entry[Any], encoded_bytes: int) -> None:
        """Stores an entry, unless a newer one is there or it is larger than the whole memory."""
        weight = encoded_bytes * DECODED_WEIGHT + ENTRY_OVERHEAD_BYTES
        if weight > self._maximum_bytes:
            return
        stored = self._stored.get(key)
        if stored is None or stored.value.read_at <= entry.read_at:
            await self._store.set(key, Weighted(entry, weight))
            self.version += 1

    def outdate(self) -> None:
        """Records that an entry was outdated by a write."""
        self.version += 1


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
