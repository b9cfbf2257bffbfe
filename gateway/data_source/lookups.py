"""Segments by id: from the cache, and by `id:in` or the whole list from the upstream."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from cachetools import TTLCache

from gateway.bigcommerce.models import Segment
from gateway.bigcommerce.protocol import list_segments_by_id
from gateway.bigcommerce.upstream import Upstream
from gateway.cache.lives import Entry, Use
from gateway.cache.read_through import ReadThroughCache
from gateway.data_source.answers import SegmentReader
from gateway.data_source.blocks import SegmentSource
from gateway.data_source.learned import LearnedLimits
from gateway.data_source.stored import ABSENT, StoredKeys, decode_segment, encode
from gateway.errors import (
    ErrorCode,
    UpstreamError,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamUnreadable,
)
from gateway.pagination import MAXIMUM_ROWS, PAGE_SIZE_CHANGES, Block

# How often ids that the upstream refused, or did not answer whole, are asked for again in smaller
# parts. Two cost at most 7 requests for 100 ids, of which each part has 25 in the end.
SMALLER_PARTS = 2
# One odd answer must not turn a lookup of 100 ids into as many requests.
SMALLEST_PART = 10
# How long an id whose lookup brought no answer is not looked up again in the background, and how
# many such ids are remembered. Where this many failed and none was answered since, it is not one of
# them that is bad: all others wait, too.
FAILED_SECONDS, FAILED_IDS, FAILED_FOR_ALL = 1.0, 10_000, 5
# BigCommerce's limit for a store: what the list is taken to hold while no answer has told.
MOST_SEGMENTS = 1000


class Kept(NamedTuple):
    """A segment as it was read, None for one that does not exist, and what it may be used for."""

    segment: Segment | None
    use: Use
    entry: Entry


Listed = Mapping[str, Segment | UpstreamError]
Found = Mapping[str, Kept | UpstreamError]


class SegmentLookups:
    """Looks segments up in one store."""

    def __init__(
        self,
        upstream: Upstream,
        cache: ReadThroughCache,
        keys: StoredKeys,
        limits: LearnedLimits,
        reader: SegmentReader,
        blocks: SegmentSource,
    ) -> None:
        self._upstream = upstream
        self._cache = cache
        self._keys = keys
        self._limits = limits
        self._reader = reader
        self._blocks = blocks
        self._failed: TTLCache[str, None] = TTLCache(FAILED_IDS, FAILED_SECONDS, timer=cache.now)

    async def kept_segments(
        self, ids: Sequence[str], *, by_others: bool = False
    ) -> dict[str, Kept]:
        """Returns those of the segments that are of use, and ids known not to exist.

        That an id does not exist is fresh, then of use only where the upstream fails. What other
        processes keep a lookup finds by itself; it counts here `by_others`, where one has failed.
        """
        keys = [self._keys.segment(row_id) for row_id in ids]
        entries = await self._cache.kept_many(keys, by_others=by_others)
        kept = {}
        for row_id, entry in zip(ids, entries, strict=True):
            use = self._cache.use_of(entry)
            if entry is not None and use is not None:
                kept[row_id] = _kept(entry, use)
        return kept

    def obstacle(self) -> ErrorCode | None:
        """Returns why not to wait for a lookup where something stale is at hand."""
        return self._cache.obstacle()

    def welcomes_lookups(self) -> bool:
        """Tells whether to look up what nobody waits for."""
        return self._cache.reluctance(urgent=False) is None

    def has_just_failed(self, row_id: str) -> bool:
        """Tells whether the last second's lookups of this id, or of all ids, brought no answer."""
        return row_id in self._failed or len(self._failed) >= FAILED_FOR_ALL

    def is_from_before_a_write(self, kept: Kept) -> bool:
        """Tells whether a lookup has to be made again, since it left before a write."""
        return self._cache.is_from_before_a_write(kept.entry)

    def use(self, kept: Kept, error: ErrorCode | None = None) -> Segment | None:
        """Counts it as part of the answer, stale because of `error`; returns the segment."""
        self._cache.note(kept.entry.read_at, error)
        return kept.segment

    async def listed_segments(self, ids: Sequence[str]) -> Listed:
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
            left = [row_id for row_id in ids if row_id not in first.offsets]
            others = range(1, -(-first.total // first.size))
            if len(others) < self._requests_by_id(left):
                read += await asyncio.gather(*(self._try_to_read(index) for index in others))
        found: dict[str, Segment | UpstreamError] = {}
        for block in read:
            if isinstance(block, UpstreamError):
                found = {**dict.fromkeys(ids, block), **found}
            else:
                self._blocks.use(block)
                found.update((row.id, row) for row in block.rows if row is not None)
        return {row_id: found[row_id] for row_id in ids if row_id in found}

    def _requests_by_id(self, ids: Sequence[str]) -> int:
        return -(-len(ids) // self._limits.lookup_ids)

    async def _try_to_read(self, index: int) -> Block[Segment] | UpstreamError:
        try:
            return await self._blocks.read(index)
        except UpstreamError as error:
            return error

    async def look_up_segments(self, ids: Sequence[str]) -> Found:
        """Asks the upstream for segments by id, unless another process has just done so.

        One request for each 100 ids, more where the upstream takes or gives fewer at once. Where it
        refuses one of them, or what it answers cannot be read, that error stands in the place of
        that id and of its neighbours. Raises every other error.
        """
        id_of = {self._keys.segment(row_id): row_id for row_id in ids}
        refused: dict[str, UpstreamError] = {}

        async def fill(keys: Sequence[str]) -> Mapping[str, Entry]:
            wanted = [id_of[key] for key in keys]
            found = await self._look_up(wanted, self._limits.lookup_ids, SMALLER_PARTS)
            entries = {}
            for row_id, entry in found.items():
                if isinstance(entry, Entry):
                    entries[self._keys.segment(row_id)] = entry
                else:
                    refused[row_id] = entry
            return entries

        try:
            found = await self._cache.fill_many([*id_of], fill)
        except UpstreamUnreadable:
            self._failed.update(dict.fromkeys(ids))
            raise
        if found:
            self._failed.clear()
        self._failed.update(dict.fromkeys(refused))
        return {**refused, **{id_of[key]: _kept(e, Use.FRESH) for key, e in found.items()}}

    async def _look_up(
        self, ids: Sequence[str], at_once: int, smaller_parts: int
    ) -> Mapping[str, Entry | UpstreamError]:
        """Asks for parts of the ids side by side; where not all fail, errors stand in place."""
        parts = [ids[at : at + at_once] for at in range(0, len(ids), at_once)]
        if len(parts) == 1:
            return await self._ask(ids, smaller_parts)
        found: dict[str, Entry | UpstreamError] = {}
        failed: list[UpstreamError] = []

        async def ask(part: Sequence[str]) -> None:
            try:
                found.update(await self._ask(part, smaller_parts))
            except UpstreamError as error:
                failed.append(error)
                found.update(dict.fromkeys(part, error))

        try:
            await asyncio.gather(*map(ask, parts))
        except asyncio.CancelledError:
            if len(found) < len(ids):
                raise
            # Abandoned with all parts on the wire: they were carried out, and may be stored.
        if len(failed) == len(parts):
            raise failed[0]
        return found

    async def _ask(
        self, ids: Sequence[str], smaller_parts: int
    ) -> Mapping[str, Entry | UpstreamError]:
        read_at = self._cache.now()
        many, is_part = len(ids), smaller_parts < SMALLER_PARTS
        request = list_segments_by_id(ids, 1, many)
        read = partial(self._reader.read, request, page=1, limit=many, at_most=many)
        try:
            page = await self._upstream.ask(
                request, read, retry_unreadable=many == 1 and not is_part
            )
        except (UpstreamRefused, UpstreamUnreadable) as error:
            if many == 1 or not smaller_parts:
                if isinstance(error, UpstreamUnreadable):
                    raise
                return dict.fromkeys(ids, error)
            half = -(-many // 2)
            parts = await self._look_up(ids, half, smaller_parts - 1)
            if _is_about_size(error) and not any(
                isinstance(part, UpstreamError) for part in parts.values()
            ):
                self._learn(half)  # it was their number, and none of them
            return parts
        found: dict[str, Entry | UpstreamError] = {
            row.id: Entry(read_at, encode(row)) for row in page.rows if row is not None
        }
        left = [row_id for row_id in ids if row_id not in found]
        if page.total == len(page.rows):
            return {**found, **dict.fromkeys(left, Entry(read_at, ABSENT))}
        # What is missing on the first page of a list that goes on may be on the next one. That one
        # could have moved by then, so the ids are asked for again, as many as a page holds.
        try:
            if not smaller_parts:
                raise UpstreamUnavailable(PAGE_SIZE_CHANGES)
            at_once = max(page.per_page, SMALLEST_PART)
            self._learn(at_once)
            return {**found, **await self._look_up(left, at_once, smaller_parts - 1)}
        except UpstreamError as error:
            return {**found, **dict.fromkeys(left, error)}

    def _learn(self, ids: int) -> None:
        self._limits.lookup_ids = min(self._limits.lookup_ids, max(ids, SMALLEST_PART))


def _is_about_size(error: UpstreamError) -> bool:
    """Tells whether the upstream may have refused the number of ids, not one of them."""
    return isinstance(error, UpstreamRefused) and error.status in (413, 414, 422)


def _kept(entry: Entry, use: Use) -> Kept:
    if entry.value != ABSENT:
        return Kept(decode_segment(entry.value), use, entry)
    return Kept(None, Use.IF_ERROR if use is Use.WHILE_REVALIDATE else use, entry)
