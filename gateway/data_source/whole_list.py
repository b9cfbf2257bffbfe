"""One list read whole: to find many rows by id, and to know which ids have no row."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Generic

from gateway.cache.fills import Outcome
from gateway.cache.policy import Entry, Freshness
from gateway.cache.single_flight import SingleFlight, call_for_all
from gateway.data_source.collection import Collection
from gateway.data_source.complete_list import CompleteList, complete_list
from gateway.data_source.lists import Lists
from gateway.errors import ErrorCode, UpstreamError
from gateway.pagination import Block
from gateway.row import Row

# Blocks younger than this share of the ttl are not read again for a complete list.
RECENT_SHARE = 0.2


class WholeList(Generic[Row]):
    """One list whose rows are looked up by id.

    Before the first answer, its total is assumed to be the collection's `maximum_rows`. Without
    `maximum_rows`, the list is never read. Without a cache, it proves no absence.
    """

    def __init__(self, collection: Collection[Row], lists: Lists) -> None:
        self._collection = collection
        self._lists = lists
        self._cache = lists.cache
        # When lookups by id were sent since the list was last read, the oldest first.
        self._lookups: deque[float] = deque()
        self._newest: CompleteList[Row] | None = None
        # When blocks were last read that may lack a row: they are read again for the next try.
        self._torn_at = 0.0
        self._reads = SingleFlight[str, CompleteList[Row] | None]()

    def costs_less(self, requests_by_id: int) -> bool:
        """Whether the list is expected to take fewer requests."""
        maximum = self._collection.maximum_rows
        return maximum is not None and self._pages(maximum) < requests_by_id

    async def find(self, ids: Sequence[str], at_once: int) -> dict[str, Outcome[Row | None]]:
        """Returns the rows found in the list; `at_once` ids take one request by id.

        An id that is not found is left out, and may exist: rows may move during the read, and the
        rest of the list is not read if requests by id are fewer. If a block cannot be read, every
        id that is in no other block has its error.
        """
        fresh = self._cache.now() - self._cache.policy.ttl
        first = await self._try_to_read(0, fresh)
        read = [first]
        if isinstance(first, Block):
            left = sum(row_id not in first.offsets for row_id in ids)
            others = range(1, -(-first.total // first.size))
            if len(others) < -(-left // at_once):
                read += await asyncio.gather(*(self._try_to_read(i, fresh) for i in others))
        found: dict[str, Outcome[Row | None]] = {}
        for block in read:
            if isinstance(block, UpstreamError):
                found = {**dict.fromkeys(ids, block), **found}
            else:
                found.update(
                    (row.id, Entry(block.read_at, row, block.stale_because))
                    for row in block.rows
                    if row is not None
                )
        return {row_id: found[row_id] for row_id in ids if row_id in found}

    async def complete(self) -> CompleteList[Row] | None:
        """Returns all rows, none of them read before the ttl, or None.

        Reads the list if as many lookups by id as it has pages were sent within the ttl: so any
        number of lookups costs at most twice as much as the better of the two ways. Records a
        lookup if it returns None.
        """
        maximum = self._collection.maximum_rows
        if maximum is None or not self._cache.policy.ttl:
            return None
        if not self._is_fresh(self._newest):
            blocks = await self._lists.of(self._collection).peek(maximum)
            self._newest = complete_list(blocks, self._collection.created_at) or self._newest
        if not self._is_fresh(self._newest) and self._is_due(maximum):
            name = self._collection.name
            flight = self._reads.run([name], partial(call_for_all, call=self._read))[name]
            await asyncio.wait([flight])
            self._newest = flight.result() or self._newest
        if self._is_fresh(self._newest):
            return self._newest
        self._lookups.append(self._cache.now())
        return None

    def recall(self, stale_because: ErrorCode) -> CompleteList[Row] | None:
        """Returns the newest complete list if it may be served for an error, else None."""
        if self._newest is None:
            return None
        absence: Entry[Row | None] = Entry(self._newest.read_at, None)
        freshness = self._cache.freshness.of(self._collection.rows, absence)
        is_expired = freshness is Freshness.EXPIRED
        return None if is_expired else replace(self._newest, stale_because=stale_because)

    def _pages(self, maximum: int) -> int:
        source = self._lists.of(self._collection)
        total = maximum if source.total is None else source.total
        return max(1, -(-total // source.size))

    def _is_fresh(self, rows: CompleteList[Row] | None) -> bool:
        return rows is not None and self._cache.freshness.is_fresh(
            self._collection.name, rows.read_at
        )

    def _is_due(self, maximum: int) -> bool:
        expired = self._cache.now() - self._cache.policy.ttl
        while self._lookups and self._lookups[0] <= expired:
            self._lookups.popleft()
        if len(self._lookups) < self._pages(maximum):
            return False
        operation = self._collection.listing.operation
        return self._lists.upstream.defer_reason(operation, foreground=True) is None

    async def _read(self, names: Sequence[str]) -> dict[str, CompleteList[Row] | None]:
        """Reads the list anew; answers None if it failed, or may lack a row."""
        (name,) = names
        now = self._cache.now()
        recent = max(now - self._cache.policy.ttl * RECENT_SHARE, self._torn_at)
        first = await self._try_to_read(0, recent)
        read = [first]
        if isinstance(first, Block):
            others = range(1, -(-first.total // first.size))
            if len(others) >= len(self._lookups):  # it is longer, or its pages are smaller
                return {name: None}
            read += await asyncio.gather(*(self._try_to_read(i, recent) for i in others))
        # As many lookups again are sent before the next try.
        self._lookups.clear()
        blocks = [one for one in read if isinstance(one, Block) and one.stale_because is None]
        rows = complete_list(blocks, self._collection.created_at)
        if rows is None:
            self._torn_at = self._cache.now()
        return {name: rows}

    async def _try_to_read(self, index: int, not_before: float) -> Block[Row] | UpstreamError:
        try:
            return await self._lists.of(self._collection).read(index, not_before)
        except UpstreamError as error:
            return error
