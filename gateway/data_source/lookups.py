"""Rows by id, for all requests of the process: from the cache, else from the upstream in batches.

The contract: `load(ids)` returns a list as long as `ids` and in the same order, with None for a row
that does not exist, and the upstream's error for a row that could not be read.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Generic

from gateway.cache.fills import Outcome
from gateway.cache.policy import Entry
from gateway.data_source.batcher import LOOKUP_IDS, Batcher
from gateway.data_source.by_id import RowsById
from gateway.data_source.collection import Collection, last_part
from gateway.data_source.lists import Lists
from gateway.data_source.whole_list import WholeList
from gateway.errors import UpstreamError
from gateway.instrumentation import OFF, Instrumentation
from gateway.row import Row


class Lookups(Generic[Row]):
    """Looks up rows of one collection, in the store of its `lists`.

    `batches` counts the batches of ids sent upstream.
    """

    def __init__(
        self,
        collection: Collection[Row],
        lists: Lists,
        *,
        window_seconds: float,
        instrumentation: Instrumentation = OFF,
    ) -> None:
        self.batches = 0
        self._kind = collection.rows
        self._operation = collection.listing.operation
        self._keys = lists.keys_of(collection)
        self._cache = lists.cache
        self._upstream = lists.upstream
        self._limits = lists.limits
        self._by_id = RowsById(collection.listing, lists.upstream, lists.cache, lists.limits)
        self._whole_list = WholeList(collection, lists)
        self._batcher: Batcher[Entry[Row | None]] = Batcher(
            self._ask,
            lists.upstream.least_used,
            name=collection.name,
            window_seconds=window_seconds,
            is_one_batch=self._is_list_cheaper,
            instrumentation=instrumentation,
        )

    async def load(
        self, ids: Sequence[str], beside: Callable[[], Sequence[str]] | None = None
    ) -> list[Row | UpstreamError | None]:
        """Returns the rows with these ids, in their order; a uuid is in lower case.

        If any of them has to be asked for, rows with the ids that `beside` returns are asked for in
        the same batch, for later calls.
        """
        keys = {row_id: self._keys.row(row_id) for row_id in ids}
        fill = self._fill if beside is None else partial(self._fill, beside=beside)
        outcomes = await self._cache.read(self._kind, keys.values(), fill)
        rows: dict[str, Row | UpstreamError | None] = {}
        for row_id, key in keys.items():
            outcome = outcomes[key]
            if isinstance(outcome, UpstreamError):
                rows[row_id] = outcome
            else:
                self._cache.record_read(
                    self._kind.collection, outcome.read_at, outcome.stale_because
                )
                rows[row_id] = outcome.value
        return [rows[row_id] for row_id in ids]

    def ready(self, ids: Sequence[str]) -> list[Entry[Row | None]] | None:
        """Returns an entry for each id, in order, if all are served at once from memory.

        Else it returns None. It counts and refreshes nothing.
        """
        return self._cache.ready(self._kind, map(self._keys.row, ids))

    @property
    def version(self) -> int:
        """A number that grows whenever `ready` may return other entries, but for their age."""
        return self._cache.memory.version

    def fresh_between(self) -> tuple[float, float]:
        """Returns the times between which an entry that `ready` returned before is still fresh."""
        return self._cache.freshness.fresh_between(self._kind.collection)

    def count_hits(self, hits: int) -> None:
        """Counts fresh entries that an answer contains."""
        self._cache.counts[self._kind.counted_as].hit += hits

    def serve(self, ids: Sequence[str], entries: Sequence[Entry[Row | None]]) -> None:
        """Counts ready entries that an answer contains as hits, and refreshes the stale ones.

        The caller records their reads.
        """
        since, _ = self.fresh_between()
        stale = {
            self._keys.row(row_id): entry
            for row_id, entry in zip(ids, entries, strict=True)
            if entry.read_at <= since
        }
        self.count_hits(len(set(ids)) - len(stale))
        if stale:
            self._cache.serve(self._kind, stale, self._fill)

    def _fill(
        self, keys: Sequence[str], *, beside: Callable[[], Sequence[str]] | None = None
    ) -> Mapping[str, "asyncio.Future[Entry[Row | None]]"]:
        if beside is not None:
            others = (key for key in map(self._keys.row, beside()) if key not in keys)
            self._cache.fills.run(
                [key for key in others if self._cache.ready(self._kind, [key]) is None], self._fill
            )
        futures = self._batcher.load([last_part(key) for key in keys])
        return {self._keys.row(row_id): future for row_id, future in futures.items()}

    def _is_list_cheaper(self, ids: int) -> bool:
        """Whether reading the list is expected to cost less than asking for this many ids."""
        at_once = self._limits.lookup_ids(self._operation)
        return self._whole_list.costs_less(-(-ids // at_once))

    async def _ask(self, ids: Sequence[str]) -> dict[str, Outcome[Row | None]]:
        """Returns the outcome of each id of a batch: from the list if that costs less."""
        found: dict[str, Outcome[Row | None]] = {}
        if self._is_list_cheaper(len(ids)):
            at_once = self._limits.lookup_ids(self._operation)
            found = await self._whole_list.find(ids, at_once)
        left = [row_id for row_id in ids if row_id not in found]
        batches = [left[at : at + LOOKUP_IDS] for at in range(0, len(left), LOOKUP_IDS)]
        for answered in await asyncio.gather(*map(self._ask_by_id, batches)):
            found.update(answered)
        return found

    async def _ask_by_id(self, ids: Sequence[str]) -> dict[str, Outcome[Row | None]]:
        rows = await self._whole_list.complete()
        if rows is not None:
            found = {row_id: rows.find(row_id) for row_id in ids}
            # What takes the place of an older row is stored. All else is not: ids are invented by
            # clients, and the list knows them again.
            await self._cache.replace(self._kind, self._by_key(found))
            return dict(found)
        reason = self._upstream.defer_reason(self._kind.operation, foreground=True)
        if reason is not None and (rows := self._whole_list.recall(reason)) is not None:
            return {row_id: rows.find(row_id) for row_id in ids}
        self.batches += 1
        outcomes = await self._by_id.ask(ids)
        entries = {row_id: one for row_id, one in outcomes.items() if isinstance(one, Entry)}
        await self._cache.store(self._kind, self._by_key(entries))
        return {row_id: self._or_absence(row_id, one) for row_id, one in outcomes.items()}

    def _by_key(self, entries: Mapping[str, Entry[Row | None]]) -> dict[str, Entry[Row | None]]:
        return {self._keys.row(row_id): entry for row_id, entry in entries.items()}

    def _or_absence(self, row_id: str, outcome: Outcome[Row | None]) -> Outcome[Row | None]:
        """Returns an absence that an older list shows in place of an error; rows have entries."""
        if not isinstance(outcome, UpstreamError):
            return outcome
        rows = self._whole_list.recall(outcome.code)
        entry = None if rows is None else rows.find(row_id)
        return entry if entry is not None and entry.value is None else outcome
