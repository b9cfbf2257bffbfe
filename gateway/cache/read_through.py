"""Reads entries through the cache: the one place that decides when a stale value is served.

Terms of RFC 9111 (HTTP Caching) and RFC 5861 (stale-while-revalidate, stale-if-error).
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from gateway.cache.entries import EntryKind, EntryStore
from gateway.cache.fills import Fill, Fills, Outcome, outcome_of
from gateway.cache.memory import Memory
from gateway.cache.operation_states import OperationStates
from gateway.cache.policy import CachePolicy, Entry, Freshness
from gateway.cache.shared_store import SharedStore
from gateway.cache.single_flight import call_for_all
from gateway.errors import ErrorCode, QuotaExhausted, UpstreamError, UpstreamForbidden
from gateway.redis.lock import SharedLocks
from gateway.request_scope import patience_left, request_scope, seconds_left

Value = TypeVar("Value")


class ReadThroughCache:
    """Entries of all kinds, in memory and, if `shared` is given, in Redis.

    `written_at` returns the time of the last write to a collection: values read before it are not
    served. `clock` returns seconds since the epoch. `hits` (with `stale_hits`) and `misses` count
    keys.
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
        shared: SharedStore | None = None,
        locks: SharedLocks | None = None,
    ) -> None:
        self.policy = policy
        self.hits = self.stale_hits = self.misses = 0
        self.fills = Fills(clock)
        self._entries = EntryStore(policy, memory, shared if policy.ttl else None, clock)
        self._upstream = upstream
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._written_at = written_at
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
        outcomes: dict[str, Outcome[Value]] = {}
        refresh: list[str] = []
        spare: dict[str, Entry[Value]] = {}
        for key, entry in (await self._read_newest(kind, keys, not_before)).items():
            match self.freshness_of(kind, entry, not_before):
                case Freshness.FRESH:
                    outcomes[key] = entry
                case Freshness.STALE_WHILE_REVALIDATE:
                    outcomes[key] = entry
                    refresh.append(key)
                case Freshness.STALE_IF_ERROR:
                    is_superseded = entry.read_at < not_before
                    if (reason := self._defer_reason(kind, key, is_superseded)) is not None:
                        outcomes[key] = replace(entry, stale_because=reason)
                        refresh.append(key)
                    elif not is_superseded:
                        spare[key] = entry
        self.hits += len(outcomes)
        self.stale_hits += len(refresh)
        if refresh:
            self._refresh(kind, refresh, fill, not_before)
        if len(outcomes) < len(keys):
            lacking = [key for key in keys if key not in outcomes]
            self.misses += len(lacking)
            outcomes.update(await self._fill(kind, lacking, fill, not_before, spare))
            # In the meantime the token may have been refused, or the collection written.
            expired = [
                key
                for key in refresh
                if isinstance(stale := outcomes[key], Entry)
                and self.freshness_of(kind, stale) is Freshness.EXPIRED
            ]
            if expired:
                outcomes.update(await self._fill(kind, expired, fill, not_before, {}))
        return outcomes

    async def peek(
        self, kind: EntryKind[Value], keys: Collection[str], not_before: float = 0
    ) -> dict[str, Entry[Value]]:
        """Returns the fresh entries of these keys; fills none, and counts neither hit nor miss."""
        newest = (await self._read_newest(kind, keys, not_before)).items()
        return {key: one for key, one in newest if self._is_fresh(kind, one, not_before)}

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
            if entry is not None and self._is_fresh(kind, entry, not_before):
                return entry
            return await fill()

    async def store(self, kind: EntryKind[Value], entries: Mapping[str, Entry[Value]]) -> None:
        """Stores entries, in memory and for other processes."""
        if self.policy.ttl:
            await self._entries.store(kind, entries)

    async def replace(self, kind: EntryKind[Value], entries: Mapping[str, Entry[Value]]) -> None:
        """Stores the entries whose keys are in memory already."""
        await self.store(kind, await self._entries.known(entries))

    def freshness_of(
        self, kind: EntryKind[Value], entry: Entry[Value], not_before: float = 0
    ) -> Freshness:
        """Returns how an entry may be served."""
        if entry.read_at < self._written_at(kind.collection):
            return Freshness.EXPIRED
        is_superseded = entry.read_at < not_before
        # The absence of a row is not served while it is refreshed: the row may exist by now.
        may_revalidate = entry.value is not None and not is_superseded
        freshness = self.policy.freshness_at(
            self._clock() - entry.read_at, may_revalidate=may_revalidate
        )
        if freshness is Freshness.FRESH and not is_superseded:
            return freshness
        if self._upstream.is_forbidden(kind.operation):
            return Freshness.EXPIRED  # the token no longer gives access to this value
        return Freshness.STALE_IF_ERROR if freshness is Freshness.FRESH else freshness

    def is_fresh(self, collection: str, read_at: float) -> bool:
        """Whether a value of a collection that was read at `read_at` is fresh (RFC 9111, 4.2)."""
        is_current = read_at >= self._written_at(collection)
        age = self._clock() - read_at
        return is_current and self.policy.freshness_at(age) is Freshness.FRESH

    def record_read(self, read_at: float, stale_because: ErrorCode | None = None) -> None:
        """Records in the request's scope that its answer contains a value read at `read_at`."""
        if (scope := request_scope()) is not None:
            is_old = self._clock() - read_at >= self.policy.ttl > 0
            is_stale = is_old or stale_because is not None
            scope.record_read(read_at, is_stale=is_stale, stale_because=stale_because)

    def _is_fresh(self, kind: EntryKind[Value], entry: Entry[Value], not_before: float) -> bool:
        return self.freshness_of(kind, entry, not_before) is Freshness.FRESH

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
        freshness = partial(self.freshness_of, kind, not_before=not_before)
        return await self._entries.read_newest(kind, keys, lambda e: freshness(e).is_served_at_once)

    def _refresh(
        self, kind: EntryKind[Value], keys: Sequence[str], fill: Fill[Value], not_before: float
    ) -> None:
        """Fills keys in the background, unless the upstream or the keys have just failed."""
        wanted = [key for key in keys if self.fills.recent_error(key) is None]
        if not wanted or self._upstream.defer_reason(kind.operation, foreground=False) is not None:
            return
        if self._entries.are_shared:
            fill = partial(call_for_all, call=partial(self._refill, kind, fill, not_before))
        self.fills.run(wanted, fill)

    async def _refill(
        self, kind: EntryKind[Value], fill: Fill[Value], not_before: float, keys: Sequence[str]
    ) -> dict[str, Outcome[Value]]:
        """Returns the entries that other processes have filled, and fills the rest."""
        outcomes: dict[str, Outcome[Value]] = {
            key: entry
            for key, entry in (await self._entries.read_shared(kind, keys)).items()
            if entry is not None and self._is_fresh(kind, entry, not_before)
        }
        if lacking := [key for key in keys if key not in outcomes]:
            flights = fill(lacking)
            await asyncio.wait(flights.values())
            outcomes.update((key, outcome_of(flight)) for key, flight in flights.items())
        return outcomes

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
        not_before = max(not_before, self._written_at(kind.collection))
        early = [
            key
            for key, outcome in outcomes.items()
            if isinstance(outcome, Entry) and outcome.read_at < not_before
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
        flights = self.fills.run(keys, fill)
        if needed := [flight for key, flight in flights.items() if key not in spare]:
            await asyncio.wait(needed, timeout=seconds_left())
        if patient := [flight for key, flight in flights.items() if key in spare]:
            await asyncio.wait(patient, timeout=patience_left(self._patience_seconds))
        # A write, or an answer that refuses the token, may have come in the meantime.
        if late := [
            flights[key]
            for key, entry in spare.items()
            if key in flights and self.freshness_of(kind, entry) is Freshness.EXPIRED
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
            if self._is_fresh(kind, entry, not_before):  # another process has filled it meanwhile
                outcomes[key] = entry
            elif self.freshness_of(kind, entry, math.inf) is Freshness.STALE_IF_ERROR:
                outcomes[key] = replace(entry, stale_because=error.code)
        return outcomes
