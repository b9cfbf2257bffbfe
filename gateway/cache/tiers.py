"""Where entries lie: in this process's memory, and in what several processes share, if anything."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from gateway.cache.backend import CacheBackend
from gateway.cache.lives import Entry, decode, encode

# Reads the values of keys from the upstream; may bring others along, and lack some.
Fill = Callable[[Sequence[str]], Awaitable[Mapping[str, Entry]]]
IsEnough = Callable[[Entry | None], bool]


class SharedTier(Protocol):
    """What several processes share; away, it finds nothing, keeps nothing, and fills at once."""

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Returns a value or None for each key, in order."""

    async def set_many(self, pairs: Sequence[tuple[str, bytes]], life_seconds: float) -> None:
        """Stores the values for so long."""

    async def do_many(
        self,
        keys: Sequence[str],
        fill: Callable[[Sequence[str]], Awaitable[Mapping[str, bytes]]],
        is_enough: Callable[[bytes], bool],
    ) -> Mapping[str, bytes]:
        """Returns what `fill` returns, or what another process has filled since, if enough."""


class Tiers:
    """Entries by key, for at most `life_seconds`, 0 for none at all; the newest of each stays.

    What lies in the shared tier is never trusted: an entry there that `is_sound` does not accept
    is a miss.
    """

    def __init__(
        self,
        backend: CacheBackend,
        shared: SharedTier | None,
        life_seconds: float,
        is_sound: Callable[[str, Entry], bool] = lambda _key, _entry: True,
    ) -> None:
        self._backend = backend
        self._shared = shared if life_seconds else None
        self._life_seconds = life_seconds
        self._is_sound = is_sound

    @property
    def are_shared(self) -> bool:
        """Whether other processes may know more."""
        return self._shared is not None

    async def here(self, keys: Sequence[str]) -> list[Entry | None]:
        """Returns the entry of each key that lies in this process."""
        if not self._life_seconds:
            return [None] * len(keys)
        return [decode(raw) for raw in await self._backend.get_many(keys)]

    async def newest(self, keys: Sequence[str]) -> list[Entry | None]:
        """Returns the newest entry of each key, here or in what processes share."""
        newest = await self.here(keys)
        if self._shared is None:
            return newest
        newer: list[tuple[str, Entry]] = []
        for at, raw in enumerate(await self._shared.get_many(keys)):
            entry, here = self._sound(keys[at], raw), newest[at]
            if entry is not None and (here is None or entry.read_at > here.read_at):
                newest[at] = entry
                newer.append((keys[at], entry))
        await self._keep(newer)
        return newest

    async def store(self, entries: Sequence[tuple[str, Entry]]) -> None:
        """Stores entries, here and for others."""
        await self._keep(entries)
        if self._shared is not None:
            pairs = [(key, encode(entry)) for key, entry in entries]
            await self._shared.set_many(pairs, self._life_seconds)

    async def fill(self, keys: Sequence[str], fill: Fill, is_enough: IsEnough) -> dict[str, Entry]:
        """Returns entries for the keys, read by `fill` and stored, or by another process lately."""
        if self._shared is None:
            entries = await fill(keys)
            await self.store([*entries.items()])
            return {key: entries[key] for key in keys if key in entries}

        own: dict[str, Entry] = {}

        async def fill_and_store(wanted: Sequence[str]) -> Mapping[str, bytes]:
            entries = await fill(wanted)
            own.update(entries)
            await self.store([*entries.items()])
            return {key: encode(entries[key]) for key in wanted if key in entries}

        filled = await self._shared.do_many(
            keys, fill_and_store, lambda raw: is_enough(decode(raw))
        )
        others = {key: self._sound(key, raw) for key, raw in filled.items() if key not in own}
        if unsound := [key for key, entry in others.items() if entry is None]:
            await fill_and_store(unsound)
        found = {key: entry for key, entry in others.items() if entry is not None}
        await self._keep([*found.items()])
        return {**found, **{key: own[key] for key in keys if key in own}}

    def _sound(self, key: str, raw: bytes | None) -> Entry | None:
        entry = decode(raw)
        return entry if entry is not None and self._is_sound(key, entry) else None

    async def _keep(self, entries: Sequence[tuple[str, Entry]]) -> None:
        if not self._life_seconds:
            return
        held = await self._backend.get_many([key for key, _ in entries])
        await self._backend.set_many(
            [
                (key, encode(entry))
                for (key, entry), raw in zip(entries, held, strict=True)
                if (old := decode(raw)) is None or old.read_at <= entry.read_at
            ]
        )
