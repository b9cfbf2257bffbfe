"""Reads entries through the cache: the one place that decides when a stale value is served.

Terms of RFC 9111 (HTTP Caching) and RFC 5861 (stale-while-revalidate, stale-if-error).
"""

import asyncio
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from gateway.cache.counts import CacheCounts
from gateway.cache.entries import EntryKind, EntryStore
from gateway.cache.fills import Fill, Fills, Outcome, outcome_of
from gateway.cache.freshness import FreshnessNow
from gateway.cache.memory import Memory
from gateway.cache.operation_states import OperationStates
from gateway.cache.policy import CachePolicy, Entry, Freshness
from gateway.cache.refreshes import Refreshes
from gateway.cache.shared_store import SharedStore
from gateway.errors import ErrorCode, QuotaExhausted, UpstreamError, UpstreamForbidden
from gateway.redis.lock import SharedLocks
from gateway.request_scope import patience_left, request_scope, seconds_left

Value = TypeVar("Value")


class ReadThroughCache:
    """Entries of all kinds, in memory and, if `shared` is given, in Redis.

    `written_at` and `rows_written` are those of `FreshnessNow`. `clock` returns seconds since the
    epoch. `counts` are those of the keys that were read, by
    `EntryKind.counted_as`.
    """

    def __init__(
        self,
        policy: CachePolicy,
        memory: Memory,
        upstream: OperationStates,
        *,
        clock: Callable[[], float],
        patience_seconds: float,
        written_at: Callable[[str], float] = lambda _collection: 0.0,
        rows_written: Callable[[str], Mapping[str, float]] = lambda _collection: {},
        shared: SharedStore | None = None,
        locks: SharedLocks | None = None,
    ) -> None:
        self.policy = policy
        self.memory = memory
        self.counts = defaultdict[str, CacheCounts](CacheCounts)
        self.fills = Fills(clock)
        self.freshness = FreshnessNow(policy, upstream, clock, written_at, rows_written)
        self._entries = EntryStore(policy, memory, shared if policy.ttl else None, clock)
        self._refreshes = Refreshes(self._entries, self.fills, upstream, self.freshness)
        self._upstream = upstream
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._locks = locks if policy.ttl else None
        self._last = 0.0

    def now(self) -> float:
        """Returns the time in seconds, increased at each call: no two reads have the same."""
        self._last = max(self._clock(), self._last + 1e-6)
        return self._last

    async def read(
        self,
        kind: EntryKind[Value],
        keys: Collection[str],
        fill: Fill[Value],
        not_before: float = 0,
    ) -> dict[str, Outcome[Value]]:
        """Returns an entry for each key, or the error of the fill that the key needed.

        A fresh entry is served as it is. A stale entry is served while a background refresh runs.
        An older one is served only if its fill fails, is deferred or takes too long. An entry read
        before `not_before` may be wrong: it is served only if its fill fails or cannot be sent.
        Errors are not stored. The caller calls `record_read` for each value in its answer.
        """
        if (entries := self.ready(kind, keys, not_before)) is not None:
            ready = dict(zip(keys, entries, strict=True))
            self.serve(kind, ready, fill, not_before)
            return {**ready}
        outcomes: dict[str, Outcome[Value]] = {}
        refresh: list[str] = []
        spare: dict[str, Entry[Value]] = {}
        for key, entry in (await self._read_newest(kind, keys, not_before)).items():
            freshness = self.freshness.of(kind, entry, not_before)
            if freshness.is_served_at_once:
                outcomes[key] = entry
                if freshness is not Freshness.FRESH:
                    refresh.append(key)
            elif freshness is Freshness.STALE_IF_ERROR:
                is_superseded = entry.read_at < not_before
                if (reason := self._defer_reason(kind, key, is_superseded)) is not None:
                    outcomes[key] = replace(entry, stale_because=reason)
                    refresh.append(key)
                elif not is_superseded:
                    spare[key] = entry
        counts = self.counts[kind.counted_as]
        counts.hit += len(outcomes) - len(refresh)
        counts.stale += len(refresh)
        self._refreshes.start(kind, refresh, fill, not_before)
        if len(outcomes) < len(keys):
            lacking = [key for key in keys if key not in outcomes]
            outcomes.update(await self._fill(kind, lacking, fill, not_before, spare))
            # In the meantime the token may have been refused, or the collection written.
            expired = [
                key
                for key in refresh
                if isinstance(stale := outcomes[key], Entry)
                and self.freshness.of(kind, stale) is Freshness.EXPIRED
            ]
            if expired:
                outcomes.update(await self._fill(kind, expired, fill, not_before, {}))
        return outcomes

    async def peek(
        self, kind: EntryKind[Value], keys: Collection[str], not_before: float = 0
    ) -> dict[str, Entry[Value]]:
        """Returns the fresh entries of these keys; fills none, and counts neither hit nor miss."""
        newest = await self._read_newest(kind, keys, not_before)
        is_fresh = partial(self.freshness.is_entry_fresh, kind, not_before=not_before)
        return {key: entry for key, entry in newest.items() if is_fresh(entry)}

    def ready(
        self, kind: EntryKind[Value], keys: Iterable[str], not_before: float = 0
    ) -> list[Entry[Value]] | None:
        """Returns an entry for each key, in order, if `read` serves all of them from memory.

        Else it returns None. It counts and refreshes nothing; `serve` does, for entries in use.
        """
        if not self.policy.ttl:
            return None
        # Most entries lie within these times. All others take a closer look.
        since, now = self.freshness.fresh_between(kind.collection, not_before)
        since = now if self.freshness.rows_written(kind.collection) else since
        entries: list[Entry[Value]] = []
        for entry in self._entries.in_memory(keys):
            if entry is None or not (
                since < entry.read_at < now
                or self.freshness.of(kind, entry, not_before).is_served_at_once
            ):
                return None
            entries.append(entry)
        return entries

    def serve(
        self,
        kind: EntryKind[Value],
        entries: Mapping[str, Entry[Value]],
        fill: Fill[Value],
        not_before: float = 0,
    ) -> None:
        """Counts ready entries that an answer contains as hits, and refreshes the stale ones."""
        since, _ = self.freshness.fresh_between(kind.collection, not_before)
        stale = [
            key
            for key, entry in entries.items()
            if entry.read_at <= since
            and not self.freshness.is_fresh(kind.collection, entry.read_at, not_before)
        ]
        counts = self.counts[kind.counted_as]
        counts.hit += len(entries) - len(stale)
        counts.stale += len(stale)
        self._refreshes.start(kind, stale, fill, not_before)

    async def fill_once(
        self,
        kind: EntryKind[Value],
        key: str,
        fill: Callable[[], Awaitable[Entry[Value]]],
        not_before: float,
    ) -> Entry[Value]:
        """Returns the result of `fill`, or the fresh entry that another process has just stored.

        Of all processes on one Redis, one at a time fills the key. `fill` must store its entry.
        """
        if self._locks is None:
            return await fill()
        async with self._locks.held(key):
            entry = (await self._entries.read_shared(kind, [key]))[key]
            if entry is not None and self.freshness.is_entry_fresh(kind, entry, not_before):
                return entry
            return await fill()

    async def store(self, kind: EntryKind[Value], entries: Mapping[str, Entry[Value]]) -> None:
        """Stores entries, in memory and for other processes."""
        if self.policy.ttl:
            await self._entries.store(kind, entries)

    async def replace(self, kind: EntryKind[Value], entries: Mapping[str, Entry[Value]]) -> None:
        """Stores the entries whose keys are in memory already."""
        await self.store(kind, self._entries.known(entries))

    def record_read(
        self, collection: str, read_at: float, stale_because: ErrorCode | None = None
    ) -> None:
        """Records in the request's scope that its answer contains a value read at `read_at`."""
        if (scope := request_scope()) is not None:
            is_stale = stale_because is not None or self.freshness.is_stale(read_at)
            scope.record_read(collection, read_at, is_stale=is_stale, stale_because=stale_because)

    def _defer_reason(
        self, kind: EntryKind[Value], key: str, is_superseded: bool
    ) -> ErrorCode | None:
        """Returns the code for which a caller with a stale entry does not wait, else None."""
        reason = self._upstream.defer_reason(kind.operation, foreground=True)
        if reason is None and not is_superseded:
            reason = self._upstream.defer_reason(kind.operation, foreground=False)
            reason = reason or self.fills.recent_error(key)
        return reason

    async def _read_newest(
        self, kind: EntryKind[Value], keys: Collection[str], not_before: float = 0
    ) -> dict[str, Entry[Value]]:
        """Returns the newest entry of each key; reads Redis unless the memory's can be served."""
        if not self.policy.ttl:
            return {}
        freshness = partial(self.freshness.of, kind, not_before=not_before)
        return await self._entries.read_newest(kind, keys, lambda e: freshness(e).is_served_at_once)

    async def _fill(
        self,
        kind: EntryKind[Value],
        keys: Sequence[str],
        fill: Fill[Value],
        not_before: float,
        spare: Mapping[str, Entry[Value]],
    ) -> dict[str, Outcome[Value]]:
        """Returns filled entries, stale ones in place of errors, or the errors.

        `spare` has the stale entries: their keys wait for `patience_seconds`, all other keys until
        the request's deadline.
        """
        outcomes = await self._wait(kind, keys, fill, spare)
        # A fill of another client may have been refused for that client's share.
        if refused := [key for key, one in outcomes.items() if isinstance(one, QuotaExhausted)]:
            outcomes.update(await self._wait(kind, refused, fill, spare))
        # A fill that was already in flight may be older than a write, or than `not_before`.
        not_before = max(not_before, self.freshness.written_at(kind.collection))
        early = [
            key
            for key, one in outcomes.items()
            if isinstance(one, Entry)
            and (one.read_at < not_before or self.freshness.is_outdated(kind, one))
        ]
        if early:
            outcomes.update(await self._wait(kind, early, fill, spare))
        if errors := {k: one for k, one in outcomes.items() if isinstance(one, UpstreamError)}:
            outcomes.update(await self._replace_errors(kind, errors, not_before, spare))
        return outcomes

    async def _wait(
        self,
        kind: EntryKind[Value],
        keys: Sequence[str],
        fill: Fill[Value],
        spare: Mapping[str, Entry[Value]],
    ) -> dict[str, Outcome[Value]]:
        """Returns the outcomes that are known in time; later fills continue in the background."""
        if (refusal := self._upstream.share_refusal()) is not None:
            return dict.fromkeys(keys, refusal)  # so that no other client joins such a fill
        flights = self.fills.run_for_reader(keys, fill, self.counts[kind.counted_as])
        if needed := [flight for key, flight in flights.items() if key not in spare]:
            await asyncio.wait(needed, timeout=seconds_left())
        if patient := [flight for key, flight in flights.items() if key in spare]:
            await asyncio.wait(patient, timeout=patience_left(self._patience_seconds))
        # A write, or an answer that refuses the token, may have come in the meantime.
        if late := [
            flights[key]
            for key, entry in spare.items()
            if key in flights and self.freshness.of(kind, entry) is Freshness.EXPIRED
        ]:
            await asyncio.wait(late, timeout=seconds_left())
        return {key: outcome_of(flight) for key, flight in flights.items()}

    async def _replace_errors(
        self,
        kind: EntryKind[Value],
        errors: Mapping[str, UpstreamError],
        not_before: float,
        spare: Mapping[str, Entry[Value]],
    ) -> dict[str, Outcome[Value]]:
        """Returns the newest entry that can be served in place of each error, else the error."""
        outcomes: dict[str, Outcome[Value]] = dict(errors)
        # The memory may have evicted a spare entry by now.
        entries = {**spare, **await self._read_newest(kind, errors, not_before)}
        for key, error in errors.items():
            entry = entries.get(key)
            if entry is None or isinstance(error, UpstreamForbidden):
                continue
            if self.freshness.is_entry_fresh(kind, entry, not_before):
                outcomes[key] = entry  # another process has filled it meanwhile
            elif self.freshness.of(kind, entry, math.inf) is Freshness.STALE_IF_ERROR:
                outcomes[key] = replace(entry, stale_because=error.code)
        return outcomes
