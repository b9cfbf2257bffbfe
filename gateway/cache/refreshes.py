"""Background refreshes of stale entries."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from gateway.cache.entries import EntryKind, EntryStore
from gateway.cache.fills import Fill, Fills, Outcome, outcome_of
from gateway.cache.freshness import FreshnessNow
from gateway.cache.operation_states import OperationStates
from gateway.cache.single_flight import call_for_all

Value = TypeVar("Value")


class Refreshes:
    """Fills stale entries while they are served; an entry of another process spares the fill."""

    def __init__(
        self,
        entries: EntryStore,
        fills: Fills,
        upstream: OperationStates,
        freshness: FreshnessNow,
    ) -> None:
        self._entries = entries
        self._fills = fills
        self._upstream = upstream
        self._freshness = freshness

    def start(
        self, kind: EntryKind[Value], keys: Sequence[str], fill: Fill[Value], not_before: float
    ) -> None:
        """Fills keys in the background, unless the upstream or the keys have just failed."""
        wanted = [key for key in keys if self._fills.recent_error(key) is None]
        if not wanted or self._upstream.defer_reason(kind.operation, foreground=False) is not None:
            return
        if self._entries.are_shared:
            fill = partial(call_for_all, call=partial(self._refill, kind, fill, not_before))
        self._fills.run(wanted, fill)

    async def _refill(
        self, kind: EntryKind[Value], fill: Fill[Value], not_before: float, keys: Sequence[str]
    ) -> dict[str, Outcome[Value]]:
        """Returns the entries that other processes have filled, and fills the rest."""
        outcomes: dict[str, Outcome[Value]] = {
            key: entry
            for key, entry in (await self._entries.read_shared(kind, keys)).items()
            if entry is not None and self._freshness.is_entry_fresh(kind, entry, not_before)
        }
        if lacking := [key for key in keys if key not in outcomes]:
            flights = fill(lacking)
            await asyncio.wait(flights.values())
            outcomes.update((key, outcome_of(flight)) for key, flight in flights.items())
        return outcomes
