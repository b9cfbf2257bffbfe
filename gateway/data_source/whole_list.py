"""Finds many rows by reading their whole list, if that takes fewer requests than their ids."""

import asyncio
from collections.abc import Sequence
from typing import Generic

from gateway.cache.fills import Outcome
from gateway.cache.policy import Entry
from gateway.data_source.collection import Collection
from gateway.data_source.lists import Lists
from gateway.errors import UpstreamError
from gateway.pagination import MAXIMUM_ROWS, Block
from gateway.row import Row


class WholeList(Generic[Row]):
    """One list, read to find rows by id.

    Before the first answer, its total is assumed to be the collection's `maximum_rows`. Without
    `maximum_rows`, the list is never read.
    """

    def __init__(self, collection: Collection[Row], lists: Lists) -> None:
        self._collection = collection
        self._lists = lists

    def costs_less(self, ids: int, requests_by_id: int) -> bool:
        """Whether the list is expected to take fewer requests.

        Only for more ids than one field of a client's request takes.
        """
        maximum = self._collection.maximum_rows
        if maximum is None:
            return False
        source = self._lists.of(self._collection)
        total = maximum if source.total is None else source.total
        return ids > MAXIMUM_ROWS and -(-total // source.size) < requests_by_id

    async def find(self, ids: Sequence[str], at_once: int) -> dict[str, Outcome[Row | None]]:
        """Returns the rows found in the list; `at_once` ids take one request by id.

        An id that is not found is left out, and may exist: rows may move during the read, and the
        rest of the list is not read if requests by id are fewer. If a block cannot be read, every
        id that is in no other block has its error.
        """
        first = await self._try_to_read(0)
        read = [first]
        if isinstance(first, Block):
            left = sum(row_id not in first.offsets for row_id in ids)
            others = range(1, -(-first.total // first.size))
            if len(others) < -(-left // at_once):
                read += await asyncio.gather(*(self._try_to_read(index) for index in others))
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

    async def _try_to_read(self, index: int) -> Block[Row] | UpstreamError:
        try:
            return await self._lists.of(self._collection).read(index)
        except UpstreamError as error:
            return error
