"""Segments by id: from the cache, and by `id:in` or the whole list from the upstream."""

import asyncio
from collections.abc import Mapping, Sequence

from gateway.bigcommerce.client import BigCommerceClient
from gateway.bigcommerce.models import Segment
from gateway.bigcommerce.protocol import list_segments_by_id
from gateway.cache.read_through import Entry, ReadThroughCache
from gateway.data_source.answers import page_of_segments
from gateway.data_source.blocks import SegmentSource
from gateway.data_source.learned import LearnedLimits
from gateway.data_source.stored import ABSENT, StoredKeys, decode_segment, encode
from gateway.errors import UpstreamError, UpstreamRefused, UpstreamUnavailable
from gateway.pagination import MAXIMUM_ROWS, PAGE_SIZE_CHANGES, Block

# How often ids that the upstream refused, or did not answer whole, are asked for again in smaller
# parts. Two cost at most 7 requests for 100 ids, of which each part has 25 in the end.
SMALLER_PARTS = 2
# One odd answer must not turn a lookup of 100 ids into as many requests.
SMALLEST_PART = 10
# BigCommerce's limit for a store: what the list is taken to hold while no answer has told.
MOST_SEGMENTS = 1000

Found = Mapping[str, Segment | UpstreamError]


class SegmentLookups:
    """Looks segments up in one store."""

    def __init__(
        self,
        client: BigCommerceClient,
        cache: ReadThroughCache,
        keys: StoredKeys,
        limits: LearnedLimits,
        blocks: SegmentSource,
    ) -> None:
        self._client = client
        self._cache = cache
        self._keys = keys
        self._limits = limits
        self._blocks = blocks

    async def cached_segments(self, ids: Sequence[str]) -> dict[str, Segment | None]:
        """Returns those of the segments that are fresh, None for ids known not to exist."""
        entries = await self._cache.peek_many([self._keys.segment(row_id) for row_id in ids])
        return {
            row_id: None if entry.value == ABSENT else decode_segment(entry.value)
            for row_id, entry in zip(ids, entries, strict=True)
            if entry is not None
        }

    async def listed_segments(self, ids: Sequence[str]) -> Found:
        """Finds segments in the list, where that seems to take fewer requests than the ids do.

        Only for more ids than one field of a client takes. What is not found is missing, and may
        exist: rows move while a list is read, and the first block may tell that the rest of it
        does not pay. Where a block cannot be read, the error stands in the place of every id that
        no other block shows.
        """
        total = MOST_SEGMENTS if self._blocks.total is None else self._blocks.total
        seems_to_pay = -(-total // self._blocks.size) < self._requests_by_id(ids)
        if len(ids) <= MAXIMUM_ROWS or not seems_to_pay:
            return {}
        first = await self._try_to_read(0)
        read = [first]
        if isinstance(first, Block):
            shown = {row.id for row in first.rows}
            left = [row_id for row_id in ids if row_id not in shown]
            others = range(1, -(-first.total // first.size))
            if len(others) < self._requests_by_id(left):
                read += await asyncio.gather(*(self._try_to_read(index) for index in others))
        found: dict[str, Segment | UpstreamError] = {}
        for block in read:
            if isinstance(block, UpstreamError):
                found = {**dict.fromkeys(ids, block), **found}
            else:
                found.update((row.id, row) for row in block.rows)
        return {row_id: found[row_id] for row_id in ids if row_id in found}

    def _requests_by_id(self, ids: Sequence[str]) -> int:
        return -(-len(ids) // self._limits.lookup_ids)

    async def _try_to_read(self, index: int) -> Block[Segment] | UpstreamError:
        try:
            return await self._blocks.read(index)
        except UpstreamError as error:
            return error

    async def look_up_segments(self, ids: Sequence[str]) -> Found:
        """Asks the upstream for segments by id; absent ones are missing.

        One request for each 100 ids, more where the upstream takes or gives fewer at once. Where
        it refuses one of them, its refusal stands in the place of that id and of its neighbours.
        Raises whatever else goes wrong.
        """
        return await self._look_up(ids, self._limits.lookup_ids, SMALLER_PARTS)

    async def _look_up(self, ids: Sequence[str], at_once: int, smaller_parts: int) -> Found:
        parts = [ids[at : at + at_once] for at in range(0, len(ids), at_once)]
        found: dict[str, Segment | UpstreamError] = {}
        for part in await asyncio.gather(*(self._ask(part, smaller_parts) for part in parts)):
            found.update(part)
        return found

    async def _ask(self, ids: Sequence[str], smaller_parts: int) -> Found:
        read_at = self._cache.now()
        answer = await self._client.send(list_segments_by_id(ids, 1, len(ids)))
        try:
            page = page_of_segments("list_segments_by_id", answer, 1, len(ids), at_most=len(ids))
        except UpstreamRefused as refusal:
            if len(ids) == 1 or not smaller_parts:
                return dict.fromkeys(ids, refusal)
            half = -(-len(ids) // 2)
            found = await self._look_up(ids, half, smaller_parts - 1)
            is_about_number = refusal.status in (413, 414, 422)
            if is_about_number and all(isinstance(row, Segment) for row in found.values()):
                self._learn(half)  # it was their number, and none of them
            return found
        rows = {row.id: row for row in page.rows}
        # What is missing on the first page of a list that goes on may be on the next one. That one
        # could have moved by then, so the ids are asked for again, as many as a page holds.
        is_whole = page.total == len(rows)
        settled = ids if is_whole else [*rows]
        await self._cache.store_many(
            [
                (self._keys.segment(i), Entry(read_at, encode(rows[i]) if i in rows else ABSENT))
                for i in settled
            ]
        )
        if is_whole:
            return rows
        if not smaller_parts:
            raise UpstreamUnavailable(PAGE_SIZE_CHANGES)
        at_once = max(page.per_page, SMALLEST_PART)
        self._learn(at_once)
        left = [row_id for row_id in ids if row_id not in rows]
        return {**rows, **await self._look_up(left, at_once, smaller_parts - 1)}

    def _learn(self, ids: int) -> None:
        self._limits.lookup_ids = min(self._limits.lookup_ids, max(ids, SMALLEST_PART))
