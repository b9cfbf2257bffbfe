"""Entries in this process's memory and in the store that processes share, if there is one."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar, cast

from gateway.cache.memory import Memory
from gateway.cache.policy import CachePolicy, Entry, Freshness
from gateway.cache.shared_store import SharedStore
from gateway.cache.single_flight import SingleFlight, call_for_all

Value = TypeVar("Value")


class ValueCodec(Protocol[Value]):
    """Encodes and decodes values for Redis."""

    def encode(self, value: Value) -> bytes:
        """Returns the bytes of a value."""

    def decode(self, key: str, raw: bytes, read_at: float) -> Value:
        """Returns the value; raises `ValueError` if the bytes are not a value of this key."""


@dataclass(frozen=True, slots=True)
class EntryKind(Generic[Value]):
    """One kind of entries: their collection, the operation that fills them, and their bytes.

    A write to the collection invalidates them. The value None means that a row does not exist.
    `counted_as` is the collection with `*` in place of an id, so that counts have few names.
    """

    collection: str
    operation: str
    codec: ValueCodec[Value]
    counted_as: str


class EntryStore:
    """Entries of all kinds by key; the newest entry of a key counts."""

    def __init__(
        self,
        policy: CachePolicy,
        memory: Memory,
        shared: SharedStore | None,
        clock: Callable[[], float],
    ) -> None:
        self._policy = policy
        self._memory = memory
        self._shared = shared
        self._clock = clock
        self._shared_reads = SingleFlight[str, Entry[Any] | None]()

    @property
    def are_shared(self) -> bool:
        """Whether other processes may have newer entries."""
        return self._shared is not None

    def in_memory(self, keys: Iterable[str]) -> list[Entry[Any] | None]:
        """Returns the entry in memory of each key, in order; None for a miss."""
        return self._memory.get_many(keys)

    async def read_newest(
        self,
        kind: EntryKind[Value],
        keys: Collection[str],
        is_enough: Callable[[Entry[Value]], bool],
    ) -> dict[str, Entry[Value]]:
        """Returns the newest entry of each key; reads Redis if the memory's is not enough."""
        names = list(keys)
        stored = self._memory.get_many(names)
        entries: dict[str, Entry[Value]] = {
            key: entry for key, entry in zip(names, stored, strict=True) if entry is not None
        }
        if self._shared is None:
            return entries
        ask = [key for key in names if key not in entries or not is_enough(entries[key])]
        if ask:
            read = partial(call_for_all, call=partial(self.read_shared, kind))
            reads = self._shared_reads.run(ask, read)
            await asyncio.wait(reads.values())
            for key, flight in reads.items():
                found = cast(Entry[Value] | None, flight.result())
                if found is not None and (
                    key not in entries or found.read_at > entries[key].read_at
                ):
                    entries[key] = found
        return entries

    async def read_shared(
        self, kind: EntryKind[Value], keys: Sequence[str]
    ) -> dict[str, Entry[Value] | None]:
        """Returns the entries in Redis, None for a miss, and keeps them in memory."""
        found: dict[str, Entry[Value] | None] = dict.fromkeys(keys)
        stored = [] if self._shared is None else await self._shared.get_many(keys)
        for key, value in zip(keys, stored, strict=False):
            if value is None:
                continue
            read_at, raw = value
            # An expired entry, such as one from the future, must not be stored as the newest.
            if self._policy.freshness_at(self._clock() - read_at) is Freshness.EXPIRED:
                continue
            try:
                entry = Entry(read_at, kind.codec.decode(key, raw, read_at))
            except ValueError:
                continue
            found[key] = entry
            await self._memory.set(key, entry, len(raw))
        return found

    def known(self, entries: Mapping[str, Entry[Value]]) -> dict[str, Entry[Value]]:
        """Returns those of the entries whose keys are in memory, with an older entry or not."""
        pairs = zip(entries.items(), self._memory.get_many(entries), strict=True)
        return {key: entry for (key, entry), old in pairs if old is not None}

    async def store(self, kind: EntryKind[Value], entries: Mapping[str, Entry[Value]]) -> None:
        """Stores entries, in memory and for other processes; in memory a newer entry stays."""
        encoded = {key: kind.codec.encode(entry.value) for key, entry in entries.items()}
        for key, entry in entries.items():
            await self._memory.set(key, entry, len(encoded[key]))
        if self._shared is not None:
            await self._shared.set_many(
                [(key, entries[key].read_at, raw) for key, raw in encoded.items()]
            )
