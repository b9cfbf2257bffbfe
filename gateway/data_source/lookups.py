"""Rows by id, for all requests of the process: from the cache, else from the upstream in batches.

The contract: `load(ids)` returns a list as long as `ids` and in the same order, with None for a row
that does not exist, and the upstream's error for a row that could not be read.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import Generic

from gateway.cache.fills import Outcome, outcome_of
from gateway.cache.policy import Entry
from gateway.cache.single_flight import call_for_all
from gateway.data_source.batcher import Batcher
from gateway.data_source.by_id import RowsById
from gateway.data_source.collection import Collection, last_part
from gateway.data_source.lists import Lists
from gateway.data_source.whole_list import WholeList
from gateway.errors import UpstreamError
from gateway.row import Row


class Lookups(Generic[Row]):
    """Looks up rows of one collection, in the store of its `lists`."""

    def __init__(
        self,
        collection: Collection[Row],
        lists: Lists,
        *,
        window_seconds: float,
    ) -> None:
        self._kind = collection.rows
        self._operation = collection.listing.operation
        self._keys = lists.keys_of(collection)
        self._cache = lists.cache
        self._limits = lists.limits
        self._by_id = RowsById(collection.listing, lists.upstream, lists.cache, lists.limits)
        self._whole_list = WholeList(collection, lists)
        self._batcher: Batcher[Entry[Row | None]] = Batcher(
            self._ask, lists.upstream.least_used, window_seconds=window_seconds
        )

    @property
    def batches(self) -> int:
        """The number of batches of ids sent upstream."""
        return self._batcher.batches

    async def load(self, ids: Sequence[str]) -> list[Row | UpstreamError | None]:
        """Returns the rows with these uuids (lower case), in their order."""
        keys = {row_id: self._keys.row(row_id) for row_id in ids}
        outcomes = await self._cache.read(self._kind, keys.values(), self._fill)
        rows: dict[str, Row | UpstreamError | None] = {}
        for row_id, key in keys.items():
            outcome = outcomes[key]
            if isinstance(outcome, UpstreamError):
                rows[row_id] = outcome
            else:
                self._cache.record_read(outcome.read_at, outcome.stale_because)
                rows[row_id] = outcome.value
        return [rows[row_id] for row_id in ids]

    def _fill(self, keys: Sequence[str]) -> Mapping[str, "asyncio.Future[Entry[Row | None]]"]:
        ids = [last_part(key) for key in keys]
        absent = self._whole_list.absent(ids)
        futures = call_for_all([*absent], partial(self._settle, absent)) if absent else {}
        left = [row_id for row_id in ids if row_id not in absent]
        at_once = self._limits.lookup_ids(self._operation)
        if left and self._whole_list.costs_less(-(-len(left) // at_once)):
            futures.update(call_for_all(left, partial(self._find, at_once)))
        elif left:
            futures.update(self._batcher.load(left))
        return {self._keys.row(row_id): future for row_id, future in futures.items()}

    async def _settle(
        self, absent: Mapping[str, Entry[Row | None]], _ids: Sequence[str]
    ) -> Mapping[str, Entry[Row | None]]:
        """Returns the absence of ids by the list, which takes the place of rows in the cache.

        Other absences are not stored: made-up ids would fill the memory, and the list knows them.
        """
        entries = {self._keys.row(row_id): entry for row_id, entry in absent.items()}
        await self._cache.replace(self._kind, entries)
        return absent

    async def _find(self, at_once: int, ids: Sequence[str]) -> dict[str, Outcome[Row | None]]:
        """Reads the list, then requests the ids that it leaves open."""
        found = await self._whole_list.find(ids, at_once)
        await self._settle(self._whole_list.absent(ids), ids)
        left = [row_id for row_id in ids if row_id not in found]
        if left:
            futures = self._batcher.load(left)
            await asyncio.wait(futures.values())
            found.update((row_id, outcome_of(future)) for row_id, future in futures.items())
        return found

    def _ask(self, ids: Sequence[str]) -> Awaitable[dict[str, Outcome[Row | None]]]:
        self._whole_list.record_request()
        return self._request(ids)

    async def _request(self, ids: Sequence[str]) -> dict[str, Outcome[Row | None]]:
        outcomes = await self._by_id.ask(ids)
        found = {
            self._keys.row(row_id): outcome
            for row_id, outcome in outcomes.items()
            if isinstance(outcome, Entry)
        }
        await self._cache.store(self._kind, found)
        return outcomes
