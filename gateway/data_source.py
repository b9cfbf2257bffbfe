"""Segments, read through the cache: the only room that knows both the client and the cache."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec
from cachetools import LRUCache

from gateway.bigcommerce.client import BigCommerceClient
from gateway.bigcommerce.models import Page, Segment
from gateway.bigcommerce.protocol import list_segments, list_segments_by_id, read_segments
from gateway.cache.read_through import Entry, ReadThroughCache
from gateway.errors import UpstreamRefused, UpstreamUnavailable
from gateway.pagination import Block

# How many ids travel in one `id:in`: 100 uuids make a URL of 4 KB, which every proxy lets through.
LOOKUP_IDS = 100
# What to try, in turn, where the upstream refuses so many rows to a page, or so many ids at once.
SMALLER_PAGE_SIZES = (100, 50)
SMALLER_LOOKUPS = (50, 20)
# Part of every key: entries of another layout are not found, rather than misread.
CACHE_LAYOUT = "v1"

# Blocks kept decoded: a warm page then costs no decoding. 64 of them weigh some 10 MB at the most.
DECODED_BLOCKS = 64

ABSENT = b""

log = logging.getLogger(__name__)


class _StoredBlock(msgspec.Struct, array_like=True):
    index: int
    size: int
    total: int
    rows: list[Segment]


_encode = msgspec.msgpack.Encoder().encode
_decode_block = msgspec.msgpack.Decoder(_StoredBlock).decode
_decode_segment = msgspec.msgpack.Decoder(Segment).decode


class SegmentSource:
    """The segments of one store: a `gateway.pagination.BlockSource`, and lookups by id.

    `size` is what the upstream really gives to a page, `total` what its newest answer told.
    """

    def __init__(
        self,
        client: BigCommerceClient,
        cache: ReadThroughCache,
        *,
        store_hash: str,
        page_size: int,
    ) -> None:
        self.name = f"segments of {store_hash}"
        self.size = page_size
        self.total: int | None = None
        self._client = client
        self._cache = cache
        self._prefix = f"{CACHE_LAYOUT}:{store_hash}:segments"
        self._superseded_at = 0.0
        self._lookup_ids = LOOKUP_IDS
        self._decoded: LRUCache[tuple[int, int], Block[Segment]] = LRUCache(DECODED_BLOCKS)

    async def read(self, index: int) -> Block[Segment]:
        """Returns one block, at most `ttl_seconds` old and not superseded.

        Where the upstream refuses the page's size, smaller ones are tried and remembered; a page
        that it refuses because the list has become shorter is an empty block.
        """
        asked_at, size = self._cache.now(), self.size
        while True:
            try:
                entry = await self._cache.read(
                    f"{self._prefix}:block:{size}:{index}",
                    partial(self._fill_block, index, size),
                    self._superseded_at,
                )
            except UpstreamRefused as refusal:
                if index > 0:
                    return await self._past_the_end(index, size, asked_at, refusal)
                size = _next_smaller(size, SMALLER_PAGE_SIZES, refusal)
            else:
                return self._block(size, index, entry)

    def _block(self, size: int, index: int, entry: Entry) -> Block[Segment]:
        """Returns the entry's block, decoded once: no two entries share a `read_at`."""
        block = self._decoded.get((size, index))
        if block is None or block.read_at != entry.read_at:
            stored = _decode_block(entry.value)
            block = Block(stored.index, stored.size, stored.total, stored.rows, entry.read_at)
            self._decoded[size, index] = block
        return block

    def supersede(self, read_at: float) -> None:
        """Takes every block read before `read_at` for out of date."""
        self._superseded_at = max(self._superseded_at, read_at)

    async def cached_segments(self, ids: Sequence[str]) -> dict[str, Segment | None]:
        """Returns those of the segments that are fresh, None for ids known not to exist."""
        entries = await self._cache.peek_many([self._segment_key(row_id) for row_id in ids])
        return {
            row_id: None if entry.value == ABSENT else _decode_segment(entry.value)
            for row_id, entry in zip(ids, entries, strict=True)
            if entry is not None
        }

    async def look_up_segments(self, ids: Sequence[str]) -> Mapping[str, Segment]:
        """Asks the upstream for segments by id, `LOOKUP_IDS` at the most; absent ones are missing.

        One request, or as many as the upstream's size of pages makes of it. Where it refuses so
        many ids, fewer at a time are tried and remembered.
        """
        asked = number = min(len(ids), self._lookup_ids, self.size)
        while True:
            try:
                found = await self._look_up(ids[:number])
                break
            except UpstreamRefused as refusal:
                number = _next_smaller(number, SMALLER_LOOKUPS, refusal)
        if number < asked:
            self._lookup_ids = number
        others = range(number, len(ids), number)
        for more in await asyncio.gather(*(self._look_up(ids[at : at + number]) for at in others)):
            found.update(more)
        return found

    async def _look_up(self, ids: Sequence[str]) -> dict[str, Segment]:
        read_at = self._cache.now()
        first = await self._look_up_page(ids, 1, len(ids))
        if first.total > len(ids):
            raise UpstreamUnavailable("The store's API sent more segments than it was asked for.")
        others = range(2, -(-first.total // first.per_page) + 1)
        pages = await asyncio.gather(
            *(self._look_up_page(ids, page, first.per_page) for page in others)
        )
        found = {row.id: row for page in (first, *pages) for row in page.rows}
        await self._cache.store_many(
            [
                (self._segment_key(i), Entry(read_at, _encode(found[i]) if i in found else ABSENT))
                for i in ids
            ]
        )
        return found

    async def _look_up_page(self, ids: Sequence[str], page: int, limit: int) -> Page[Segment]:
        answer = await self._client.send(list_segments_by_id(ids, page, limit))
        return read_segments(answer, page, limit)

    async def _fill_block(self, index: int, size: int) -> Entry:
        read_at = self._cache.now()
        answer = await self._client.send(list_segments(index + 1, size))
        page = read_segments(answer, index + 1, size)
        if page.per_page != self.size:
            log.warning("the upstream gives %d rows to a page, not %d", page.per_page, self.size)
        self.size, self.total = page.per_page, page.total
        stored = _StoredBlock(index, page.per_page, page.total, list(page.rows))
        entry = Entry(read_at, _encode(stored))
        primed = [(self._segment_key(row.id), Entry(read_at, _encode(row))) for row in page.rows]
        if page.per_page != size:
            # The same block under the size that will be asked for from now on.
            primed.append((f"{self._prefix}:block:{page.per_page}:{index}", entry))
        await self._cache.store_many(primed)
        return entry

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
            raise refusal
        return Block(index, size, first.total, [], first.read_at)

    def _segment_key(self, row_id: str) -> str:
        return f"{self._prefix}:id:{row_id}"


def _next_smaller(refused: int, sizes: Sequence[int], refusal: UpstreamRefused) -> int:
    """Returns the next size to try; raises the refusal where it is not about the size."""
    smaller = next((size for size in sizes if size < refused), None)
    if smaller is None or refusal.status not in (413, 414, 422):
        raise refusal
    return smaller
