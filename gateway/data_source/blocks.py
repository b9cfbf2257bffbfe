"""The list of segments in blocks, from the cache or the upstream."""

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from cachetools import LRUCache

from gateway.bigcommerce.models import Segment
from gateway.bigcommerce.protocol import list_segments
from gateway.bigcommerce.upstream import Upstream
from gateway.cache.lives import Entry
from gateway.cache.read_through import ReadThroughCache
from gateway.data_source.answers import SegmentReader
from gateway.data_source.learned import LearnedLimits
from gateway.data_source.stored import StoredBlock, StoredKeys, decode_block, encode
from gateway.errors import UpstreamRefused
from gateway.pagination import Block

# Page sizes to try, in turn, where the upstream refuses the one that was asked for.
SMALLER_PAGE_SIZES = (100, 50)
# A decoded block weighs about as many times its bytes in the cache.
DECODED_WEIGHT = 3
# How long blocks that do not agree, however often they are read, are answered as they are.
RESTLESS_SECONDS = 15.0
# Blocks of one answer are read at most this far apart, or two lives apart where that is longer.
SHORTEST_EDITION_SECONDS = 5.0
# How often in how many seconds the list may be read anew to find the row of a cursor.
SEARCHES, SEARCHES_SECONDS = 3, 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Decoded:
    block: Block[Segment]
    weight: int


class SegmentSource:
    """The segments of one store: a `gateway.pagination.BlockSource`.

    `total` is what the newest answer told. Up to `decoded_bytes` of blocks are kept ready for use
    beside the cache: a warm page then costs no decoding.
    """

    def __init__(
        self,
        upstream: Upstream,
        cache: ReadThroughCache,
        keys: StoredKeys,
        limits: LearnedLimits,
        reader: SegmentReader,
        *,
        name: str,
        decoded_bytes: int,
    ) -> None:
        self.name = name
        self.total: int | None = None
        self._upstream = upstream
        self._cache = cache
        self._keys = keys
        self._limits = limits
        self._reader = reader
        self._total_read_at = 0.0
        self._superseded_at = 0.0
        self._restless_until = 0.0
        self._searched_at: deque[float] = deque(maxlen=SEARCHES)
        self._decoded: LRUCache[str, _Decoded] = LRUCache(
            decoded_bytes, getsizeof=lambda decoded: decoded.weight
        )

    @property
    def size(self) -> int:
        """Rows that the upstream gives to a page, as far as is known."""
        return self._limits.page_size

    @property
    def edition_seconds(self) -> float:
        """How far apart in time blocks of one answer may have been read."""
        # Under steady reading a block is filled again a little after its life has ended.
        return max(2 * self._cache.lives.fresh, SHORTEST_EDITION_SECONDS)

    def take_fresh_total(self) -> int | None:
        """Returns the total while the answer that told it is fresh, else None."""
        is_current = self._total_read_at >= self._superseded_at
        if not (is_current and self._cache.is_fresh(self._total_read_at)):
            return None
        self._cache.note(self._total_read_at)
        return self.total

    @property
    def is_restless(self) -> bool:
        """Whether blocks were lately found not to agree, however often they were read."""
        return self.now() < self._restless_until

    def now(self) -> float:
        """Returns the time in seconds, a little later at each call."""
        return self._cache.now()

    async def read(self, index: int) -> Block[Segment]:
        """Returns one block: fresh, or as stale as `ReadThroughCache.read` lets it be.

        Where the upstream refuses the page's size, smaller ones are tried and remembered; a page
        that it refuses because the list has become shorter is an empty block.
        """
        asked_at, size = self.now(), self.size
        wanted = self._keys.block(size, index)
        while True:
            key, fill = self._keys.block(size, index), partial(self._fill, index, size)
            try:
                return self._block(key, await self._cache.read(key, fill, self._superseded_at))
            except UpstreamRefused as refusal:
                if index > 0:
                    return await self._past_the_end(index, size, asked_at, refusal)
                smaller = _next_smaller(size, refusal)
                if smaller is None:
                    return self._block(
                        wanted, await self._cache.in_place_of(refusal, wanted, self._superseded_at)
                    )
                size = smaller

    def use(self, block: Block[Segment]) -> None:
        """Counts a block as part of the answer."""
        self._cache.note(block.read_at, block.stale_for)

    def supersede(self, read_at: float) -> None:
        """Takes every block read before `read_at` for out of date."""
        self._superseded_at = max(self._superseded_at, read_at)

    def mark_restless(self) -> None:
        """Lets blocks that do not agree be answered as they are for `RESTLESS_SECONDS`."""
        log.warning("the upstream's pages do not agree with each other, however often read")
        self._restless_until = self.now() + RESTLESS_SECONDS

    def may_search_anew(self) -> bool:
        """Takes one of `SEARCHES` turns in `SEARCHES_SECONDS`, if one is left."""
        now = self.now()
        if len(self._searched_at) == SEARCHES and now - self._searched_at[0] < SEARCHES_SECONDS:
            return False
        self._searched_at.append(now)
        return True

    def _block(self, key: str, entry: Entry) -> Block[Segment]:
        """Returns the entry's block, decoded once: no two entries of a key share a `read_at`."""
        kept = self._decoded.get(key)
        if kept is not None and kept.block.read_at == entry.read_at:
            block = kept.block
        else:
            block = self._decode(key, entry)
        # Another process may have read it, or this one before it forgot.
        self._limits.learn_page_size(block.size, block.read_at)
        return block.stale_because_of(entry.stale_for)

    def _decode(self, key: str, entry: Entry) -> Block[Segment]:
        stored = decode_block(entry.value)
        block = Block(stored.index, stored.size, stored.total, stored.rows, entry.read_at)
        if block.read_at > self._total_read_at:
            self.total, self._total_read_at = block.total, block.read_at
        decoded = _Decoded(block, len(entry.value) * DECODED_WEIGHT)
        if decoded.weight <= self._decoded.maxsize:
            self._decoded[key] = decoded
        return block

    async def _fill(self, index: int, size: int, _: Sequence[str]) -> Mapping[str, Entry]:
        read_at = self.now()
        request = list_segments(index + 1, size)
        page = await self._upstream.ask(
            request, partial(self._reader.read, request, page=index + 1, limit=size)
        )
        if page.per_page != self.size:
            log.warning("the upstream gives %d rows to a page, not %d", page.per_page, self.size)
        self._limits.learn_page_size(page.per_page, read_at)
        entry = Entry(
            read_at, encode(StoredBlock(index, page.per_page, page.total, list(page.rows)))
        )
        # The same block under the size that was asked for, and under the one to be asked for.
        keys = {self._keys.block(size, index), self._keys.block(page.per_page, index)}
        rows = {
            self._keys.segment(row.id): Entry(read_at, encode(row))
            for row in page.rows
            if row is not None
        }
        return {**rows, **dict.fromkeys(keys, entry)}

    async def _past_the_end(
        self, index: int, size: int, asked_at: float, refusal: UpstreamRefused
    ) -> Block[Segment]:
        """Returns an empty block if the first one now tells that the list ends before it.

        The first block is read again, which also settles the size of pages; where that is not the
        one that was asked for, it is what is returned, and the reader plans anew.
        """
        self.supersede(asked_at)
        first = await self.read(0)
        if first.size != size:
            return first
        if index * size < first.total:
            key = self._keys.block(size, index)
            return self._block(
                key, await self._cache.in_place_of(refusal, key, self._superseded_at)
            )
        return Block(index, size, first.total, [], first.read_at)


def _next_smaller(refused: int, refusal: UpstreamRefused) -> int | None:
    """Returns the next page size to try, None where the refusal is not about the size."""
    smaller = next((size for size in SMALLER_PAGE_SIZES if size < refused), None)
    return smaller if refusal.status in (413, 422) else None
