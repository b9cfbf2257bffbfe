"""Reads one list of the upstream in blocks, through the cache."""

import logging
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Generic

from gateway.bigcommerce.operations import Upstream
from gateway.cache.fills import Fill
from gateway.cache.policy import Entry
from gateway.cache.read_through import ReadThroughCache
from gateway.cache.single_flight import call_for_all
from gateway.data_source.collection import Collection, Keys, last_part
from gateway.data_source.learned import LearnedLimits
from gateway.errors import UpstreamError, UpstreamRefused
from gateway.pagination import Block, Orders
from gateway.row import Row

# Page sizes to try in turn if the upstream refuses the requested one.
SMALLER_PAGE_SIZES = (100, 50)
# How long blocks are served as they are after several reads in which they disagreed.
UNSTABLE_SECONDS = 15.0
# Blocks of one answer are read at most this far apart, or two ttls apart if that is longer.
SHORTEST_VERSION_SECONDS = 5.0
# The maximum number of rereads of a list, in this time, to find the row of a cursor.
SEARCHES, SEARCHES_SECONDS = 3, 30.0

log = logging.getLogger(__name__)


class Searches:
    """Counts searches for rows of cursors: cursors can be invented."""

    def __init__(self) -> None:
        self._at: deque[float] = deque(maxlen=SEARCHES)

    def allow(self, now: float) -> bool:
        """Counts a search; returns whether it is one of `SEARCHES` in `SEARCHES_SECONDS`."""
        if len(self._at) == SEARCHES and now - self._at[0] < SEARCHES_SECONDS:
            return False
        self._at.append(now)
        return True


class ListSource(Generic[Row]):
    """One list: a `gateway.pagination.BlockSource`.

    `collection` is the name of the collection, `name` that of the list in cursors. `total` is that
    of the newest answer, which was read at `total_read_at`. Blocks that were read before
    `invalid_before` may be wrong. `far_searches` are counted together with those of other lists,
    None for a list that is short enough to be searched whole.
    """

    def __init__(
        self,
        collection: Collection[Row],
        upstream: Upstream,
        cache: ReadThroughCache,
        limits: LearnedLimits,
        keys: Keys,
        keys_by_id: Keys | None,
        *,
        name: str,
        far_searches: Searches | None,
    ) -> None:
        self.name = name
        self.total: int | None = None
        self.orders: Orders[Row] = Orders()
        self.collection = collection.name
        self._listing = collection.listing
        self._blocks, self._rows = collection.blocks, collection.rows
        self._is_whole = collection.is_whole
        self._keys_by_id = keys_by_id
        self._upstream = upstream
        self._cache = cache
        self._limits = limits
        self._keys = keys
        self.total_read_at = 0.0
        self.invalid_before = 0.0
        self._unstable_until = 0.0
        self._searches = Searches()
        self._far_searches = far_searches

    @property
    def size(self) -> int:
        """Rows per page, as last learned."""
        return self._limits.page_size(self._listing.operation)

    @property
    def version_seconds(self) -> float:
        """How far apart in time the blocks of one answer may have been read."""
        # Under steady reading a block is filled again a little after its ttl.
        return max(2 * self._cache.policy.ttl, SHORTEST_VERSION_SECONDS)

    @property
    def is_unstable(self) -> bool:
        """Whether blocks recently still disagreed after several reads."""
        return self.now() < self._unstable_until

    def now(self) -> float:
        """Returns the time in seconds, a little later at each call."""
        return self._cache.now()

    def fresh_total(self) -> int | None:
        """Returns the total, None if the newest answer is not fresh."""
        is_current = self.total_read_at >= self.invalid_before
        is_fresh = is_current and self._cache.freshness.is_fresh(
            self.collection, self.total_read_at
        )
        return self.total if is_fresh else None

    def record_total(self) -> None:
        """Records that the answer contains the total."""
        self._cache.record_read(self.collection, self.total_read_at)

    def ready(self, index: int) -> Block[Row] | None:
        """Returns a block if it is served at once from memory, else None; refreshes nothing."""
        key = self._keys.block(self.size, index)
        entries = self._cache.ready(self._blocks, [key], self.invalid_before)
        return None if entries is None else entries[0].value

    def serve(self, blocks: Iterable[Block[Row]]) -> None:
        """Counts ready blocks that an answer contains as hits, and refreshes the stale ones.

        The caller records their reads.
        """
        freshness = self._cache.freshness
        since, _ = freshness.fresh_between(self.collection, self.invalid_before)
        counts = self._cache.counts[self._blocks.counted_as]
        for block in blocks:
            self._learn(block)
            if block.read_at > since:
                counts.hit += 1
                continue
            key = self._keys.block(block.size, block.index)
            fill = self._fill_of(block.size, self.invalid_before)
            entries = {key: Entry(block.read_at, block)}
            self._cache.serve(self._blocks, entries, fill, self.invalid_before)

    async def read(self, index: int, not_before: float = 0) -> Block[Row]:
        """Returns one block, fresh or stale as `ReadThroughCache.read` decides.

        A page that the upstream refuses because the list has become shorter is an empty block.
        Raises the error of its fill.
        """
        size = self.size
        key = self._keys.block(size, index)
        not_before = max(not_before, self.invalid_before)
        fill = self._fill_of(size, not_before)
        outcome = (await self._cache.read(self._blocks, [key], fill, not_before))[key]
        if isinstance(outcome, UpstreamError):
            raise outcome
        block = outcome.value
        self._learn(block)
        if outcome.stale_because is not None:
            block = replace(block, stale_because=outcome.stale_because)
        return block

    async def peek(self, maximum_rows: int) -> list[Block[Row]]:
        """Returns the fresh blocks of a list of up to `maximum_rows`; sends no request."""
        size = self.size
        keys = [self._keys.block(size, index) for index in range(-(-maximum_rows // size))]
        entries = await self._cache.peek(self._blocks, keys, self.invalid_before)
        return [entry.value for entry in entries.values()]

    def record_read(self, block: Block[Row]) -> None:
        """Records that the answer contains a block."""
        self._cache.record_read(self.collection, block.read_at, block.stale_because)

    def invalidate_before(self, read_at: float) -> None:
        """Invalidates every block that was read before `read_at`."""
        self.invalid_before = max(self.invalid_before, read_at)

    def mark_unstable(self) -> None:
        """Accepts blocks that disagree for `UNSTABLE_SECONDS`."""
        log.warning(
            "%s: the upstream's pages disagree, however often they are read",
            self._listing.operation,
        )
        self._unstable_until = self.now() + UNSTABLE_SECONDS

    def try_search(self) -> bool:
        """Counts a search; returns whether it is one of `SEARCHES` in `SEARCHES_SECONDS`."""
        return self._searches.allow(self.now())

    @property
    def is_long(self) -> bool:
        """Whether reading the list whole may take very many requests."""
        return self._far_searches is not None

    def try_far_search(self) -> bool:
        """Counts a far search; returns whether it is one of those that long lists share."""
        return self._far_searches is None or self._far_searches.allow(self.now())

    def _learn(self, block: Block[Row]) -> None:
        # Another process may have read it, or this one before its learned limits expired.
        self._limits.learn_page_size(self._listing.operation, block.size, block.read_at)
        if block.read_at > self.total_read_at:
            self.total, self.total_read_at = block.total, block.read_at

    def _fill_of(self, size: int, not_before: float) -> Fill[Block[Row]]:
        return partial(call_for_all, call=partial(self._fill, size, not_before))

    async def _fill(
        self, size: int, not_before: float, keys: Sequence[str]
    ) -> Mapping[str, Entry[Block[Row]]]:
        (key,) = keys
        ask = partial(self._ask, int(last_part(key)), size)
        not_before = max(not_before, self.invalid_before)
        return {key: await self._cache.fill_once(self._blocks, key, ask, not_before)}

    async def _ask(self, index: int, size: int) -> Entry[Block[Row]]:
        """Reads a page and stores its block and its rows; tries smaller pages if refused."""
        operation, known_size = self._listing.operation, size
        if index == 0:  # a page at the same place in pages of any size
            size = self._limits.page_size_to_try(operation)
        while True:
            read_at = self.now()
            try:
                page = await self._upstream.fetch_page(self._listing, index + 1, size)
                break
            except UpstreamRefused as refusal:
                if index > 0:
                    return await self._check_end(index, size, read_at, refusal)
                size = _next_smaller(size, refusal)
        if page.per_page != self.size:
            log.warning(
                "%s: the upstream gives %d rows to a page, not %d",
                operation,
                page.per_page,
                self.size,
            )
        self._limits.learn_page_size(operation, page.per_page, read_at)
        entry = Entry(read_at, Block(index, page.per_page, page.total, page.rows, read_at))
        # The block is stored by the size that its reader knows, and by that of later reads.
        sizes = {known_size, page.per_page}
        await self._cache.store(
            self._blocks, {self._keys.block(one, index): entry for one in sizes}
        )
        await self._store_rows(page.rows, read_at)
        return entry

    async def _store_rows(self, rows: Iterable[Row | None], read_at: float) -> None:
        """Stores rows by id if such rows are looked up by id."""
        if (keys := self._keys_by_id) is None:
            return
        whole = [row for row in rows if row is not None and self._is_whole(row)]
        await self._cache.store(
            self._rows, {keys.row(row.id): Entry(read_at, row) for row in whole}
        )

    async def _check_end(
        self, index: int, size: int, asked_at: float, refusal: UpstreamRefused
    ) -> Entry[Block[Row]]:
        """Returns an empty block if the list now ends before it; raises the refusal if it does not.

        Reads the first block again, which also updates the page size. If the page size has changed,
        returns the first block, and the reader starts again with the new size.
        """
        self.invalidate_before(asked_at)
        first = await self.read(0)
        if first.size == size:
            if index * size < first.total:
                raise refusal
            first = Block(index, size, first.total, [], first.read_at, first.stale_because)
        return Entry(first.read_at, first, first.stale_because)


def _next_smaller(refused: int, refusal: UpstreamRefused) -> int:
    """Returns the next page size to try; raises the refusal if it is not about the size."""
    smaller = next((size for size in SMALLER_PAGE_SIZES if size < refused), None)
    if smaller is None or refusal.status not in (413, 422):
        raise refusal
    return smaller
