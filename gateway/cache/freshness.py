"""How an entry may be served now: by its age, by writes, and by what its token may read."""

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

from gateway.cache.entries import EntryKind
from gateway.cache.operation_states import OperationStates
from gateway.cache.policy import CachePolicy, Entry, Freshness

Value = TypeVar("Value")


class FreshnessNow:
    """The freshness of entries at the time of each call.

    `written_at` returns the time of the last write to a collection, `rows_written` those of the
    last writes to single rows of it by id: values read before are not served. `clock` returns
    seconds since the epoch.
    """

    def __init__(
        self,
        policy: CachePolicy,
        upstream: OperationStates,
        clock: Callable[[], float],
        written_at: Callable[[str], float],
        rows_written: Callable[[str], Mapping[str, float]],
    ) -> None:
        self._policy = policy
        self._upstream = upstream
        self._clock = clock
        self.written_at = written_at
        self.rows_written = rows_written

    def of(self, kind: EntryKind[Value], entry: Entry[Value], not_before: float = 0) -> Freshness:
        """Returns how an entry may be served; before `not_before`, it may be wrong."""
        if self.is_outdated(kind, entry):
            return Freshness.EXPIRED
        is_superseded = entry.read_at < not_before
        # The absence of a row is not served while it is refreshed: the row may exist by now.
        may_revalidate = entry.value is not None and not is_superseded
        freshness = self._policy.freshness_at(
            self._clock() - entry.read_at, may_revalidate=may_revalidate
        )
        if freshness is Freshness.FRESH and not is_superseded:
            return freshness
        if self._upstream.is_forbidden(kind.operation):
            return Freshness.EXPIRED  # the token no longer gives access to this value
        return Freshness.STALE_IF_ERROR if freshness is Freshness.FRESH else freshness

    def is_outdated(self, kind: EntryKind[Value], entry: Entry[Value]) -> bool:
        """Whether the collection, or the row that the entry is, was written since its read."""
        if entry.read_at < self.written_at(kind.collection):
            return True
        rows = self.rows_written(kind.collection)
        return bool(rows) and entry.read_at < rows.get(getattr(entry.value, "id", ""), 0.0)

    def changed_at(self, collection: str) -> float:
        """Returns the time of the last write to a collection or to one of its rows."""
        return max(self.written_at(collection), *self.rows_written(collection).values(), 0.0)

    def is_entry_fresh(
        self, kind: EntryKind[Value], entry: Entry[Value], not_before: float = 0
    ) -> bool:
        """Whether an entry is fresh, and what it shows was not written since."""
        is_fresh = self.is_fresh(kind.collection, entry.read_at, not_before)
        return is_fresh and not self.is_outdated(kind, entry)

    def is_fresh(self, collection: str, read_at: float, not_before: float = 0) -> bool:
        """Whether a value of a collection that was read at `read_at` is fresh (RFC 9111, 4.2)."""
        is_current = read_at >= max(not_before, self.written_at(collection))
        age = self._clock() - read_at
        return is_current and self._policy.freshness_at(age) is Freshness.FRESH

    def fresh_between(self, collection: str, not_before: float = 0) -> tuple[float, float]:
        """Returns the times between which the fresh values of a collection were read.

        The first is infinite if the cache is off. A value of another time may be fresh all the
        same, if the clock was set back.
        """
        now = self._clock()
        if not self._policy.ttl:
            return math.inf, now
        return max(now - self._policy.ttl, self.written_at(collection), not_before), now

    def is_stale(self, read_at: float) -> bool:
        """Whether a value is past its ttl; without a cache, none is."""
        return self._clock() - read_at >= self._policy.ttl > 0
