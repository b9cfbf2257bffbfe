"""Finds rows by reading their whole list, which also settles which rows do not exist."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

from gateway.cache.fills import Outcome
from gateway.cache.policy import Entry
from gateway.data_source.collection import Collection
from gateway.data_source.lists import Lists
from gateway.errors import UpstreamError
from gateway.pagination import Block
from gateway.row import Row

# The blocks of one reading are read at most this far apart: a row could move between them.
READING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Reading:
    """The ids of all rows of a list, of which the oldest was read at `read_at`."""

    read_at: float
    ids: frozenset[str]


class WholeList(Generic[Row]):
    """One list, read to find rows by id, and to learn which ids do not exist.

    The choice between the list and requests by id is that between buying and renting: the list is
    read when the requests by id within the last ttl would exceed its own. So made-up ids, however
    many, cost at most twice the requests of the list in each ttl. A list without `maximum_rows` is
    never read.
    """

    def __init__(self, collection: Collection[Row], lists: Lists) -> None:
        self._collection = collection
        self._lists = lists
        self._cache = lists.cache
        self._ttl = lists.cache.policy.ttl
        self._reading = _Reading(0.0, frozenset())
        self._asked_at: deque[float] = deque()

    def record_request(self) -> None:
        """Counts a request by id that is sent now."""
        if self._ttl:
            self._asked_at.append(self._cache.now())

    def costs_less(self, requests_by_id: int, blocks_read: int = 0) -> bool:
        """Whether to read the list, or the rest of it, in place of these requests by id."""
        maximum = self._collection.maximum_rows
        since = self._cache.now() - self._ttl
        while self._asked_at and self._asked_at[0] <= since:
            self._asked_at.popleft()
        if maximum is None:
            return False
        # Before the first answer, the list is assumed to be as long as it may be.
        source = self._lists.of(self._collection)
        total = maximum if source.total is None else source.total
        blocks = max(1, -(-total // source.size)) - blocks_read
        return len(self._asked_at) + requests_by_id > blocks

    def absent(self, ids: Sequence[str]) -> dict[str, Entry[Row | None]]:
        """Returns the ids that do not exist by a fresh reading of the list; none without one."""
        reading = self._reading
        if not self._cache.is_fresh(self._collection.name, reading.read_at):
            return {}
        absence: Entry[Row | None] = Entry(reading.read_at, None)
        return {row_id: absence for row_id in ids if row_id not in reading.ids}

    async def find(self, ids: Sequence[str], at_once: int) -> dict[str, Outcome[Row | None]]:
        """Returns the rows found in the list, and the absence of the others.

        An id is left out if it is not found and the blocks disagree, since the list has moved, and
        if the first block shows that requests by id are fewer, with `at_once` ids in each. If a
        block cannot be read, every id that is in no other block has its error.
        """
        source = self._lists.of(self._collection)
        read = [await self._try_to_read(0, source.now() - self._ttl)]
        first = read[0]
        if isinstance(first, Block) and first.total > first.size:
            left = sum(row_id not in first.offsets for row_id in ids)
            if self.costs_less(-(-left // at_once), blocks_read=1):
                read = await self._read_all(first)
        found: dict[str, Outcome[Row | None]] = {}
        blocks: list[Block[Row]] = []
        for block in read:
            if isinstance(block, UpstreamError):
                found = {**dict.fromkeys(ids, block), **found}
            else:
                blocks.append(block)
                found.update(
                    (row.id, Entry(block.read_at, row, block.stale_because))
                    for row in block.rows
                    if row is not None
                )
        self._settle(blocks)
        return {**{i: found[i] for i in ids if i in found}, **self.absent(ids)}

    async def _read_all(self, first: Block[Row]) -> list[Block[Row] | UpstreamError]:
        """Returns all blocks of the list, the first one as it is if it is recent."""
        not_before = self._cache.now() - READING_SECONDS
        is_recent = first.read_at >= not_before
        indices = range(int(is_recent), -(-first.total // first.size))
        rest = await asyncio.gather(*(self._try_to_read(index, not_before) for index in indices))
        return [first, *rest] if is_recent else rest

    def _settle(self, blocks: Sequence[Block[Row]]) -> None:
        """Keeps the ids of these blocks if they are one complete version of the list."""
        ids = frozenset(row_id for block in blocks for row_id in block.offsets)
        read_at = min((block.read_at for block in blocks), default=0.0)
        newest = max((block.read_at for block in blocks), default=0.0)
        # A row that has moved between two blocks stands twice, or is missing from the number.
        is_complete = {block.total for block in blocks} == {len(ids)}
        if is_complete and newest - read_at <= READING_SECONDS and read_at > self._reading.read_at:
            self._reading = _Reading(read_at, ids)

    async def _try_to_read(self, index: int, not_before: float) -> Block[Row] | UpstreamError:
        try:
            return await self._lists.of(self._collection).read(index, not_before)
        except UpstreamError as error:
            return error
