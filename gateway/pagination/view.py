"""The blocks that one answer is made of, kept to one edition of a list that may move."""

import asyncio
from collections.abc import Iterable
from typing import Generic

from gateway.errors import UpstreamUnavailable
from gateway.pagination.blocks import PAGE_SIZE_CHANGES, Block, BlockSource, Row
from gateway.pagination.cursors import REMEMBERED_ROWS, fingerprint
from gateway.pagination.slices import Slice
from gateway.pagination.windows import Window

# A list that changes faster than it can be read twice in a row is answered as last seen.
ROUNDS = 4
# How far from its old place a moved row is searched: in all segments, of which a store has 1000.
SEARCHED_ROWS = 2000


class ListView(Generic[Row]):
    """The blocks that one answer is made of, kept to one edition of the list."""

    def __init__(self, source: BlockSource[Row]) -> None:
        self.source = source
        self.started_at = source.now()
        self.size = source.size
        self.blocks: dict[int, Block[Row]] = {}
        self.edition = 0
        self.superseded_at = 0.0
        self.has_nothing_newer = False
        self.takes_blocks_as_they_are = False

    @property
    def total(self) -> int:
        """The total that the newest block told, or the source's memory of it."""
        if self.blocks:
            return max(self.blocks.values(), key=lambda block: block.read_at).total
        return self.source.total or 0

    async def block_at(self, offset: int) -> Block[Row]:
        """Returns the block that holds the offset."""
        await self.need([offset // self.size])
        if offset // self.size not in self.blocks:  # the size has just changed
            await self.need([offset // self.size])
        if (block := self.blocks.get(offset // self.size)) is None:
            raise UpstreamUnavailable(PAGE_SIZE_CHANGES)
        return block

    async def need(self, indices: Iterable[int]) -> None:
        """Reads the blocks that are not here yet, until all that are here agree on the list.

        Raises `UpstreamUnavailable` where the upstream gives pages of another size each time.
        """
        wanted = set(indices)
        for round_ in range(ROUNDS + 1):
            missing = [index for index in wanted if index not in self.blocks]
            if not missing:
                return
            for block in await asyncio.gather(*map(self.source.read, missing)):
                self.blocks[block.index] = block
                if block.read_at < self.superseded_at:
                    self.has_nothing_newer = True  # as where the upstream fails: it has to do
            size = self.source.size
            if size != self.size or any(block.size != size for block in self.blocks.values()):
                wanted = self._resize(wanted, size)
            elif not (self._takes_any_blocks() or self._agree()):
                if round_ == ROUNDS:
                    self.source.mark_restless()
                else:
                    wanted |= set(self.blocks)
                    # At first what is older than the newest block is read again. If that does not
                    # do, all are, side by side: the less time lies between them, the better.
                    newest = max(block.read_at for block in self.blocks.values())
                    self.supersede(self.source.now() if round_ else newest)
        if not wanted <= set(self.blocks):
            raise UpstreamUnavailable(PAGE_SIZE_CHANGES)

    def _resize(self, wanted: set[int], size: int) -> set[int]:
        """Drops blocks of another size; returns the blocks of the new size at the same places."""
        starts = {index * self.size for index in wanted}
        self.blocks = {i: block for i, block in self.blocks.items() if block.size == size}
        self.size = size
        self.edition += 1
        return {start // size for start in starts}

    def _takes_any_blocks(self) -> bool:
        """Tells whether blocks are answered even if they do not agree."""
        has_to = self.takes_blocks_as_they_are or self.has_nothing_newer
        return has_to or self.source.is_restless

    def _agree(self) -> bool:
        """Tells whether the blocks can be of one edition.

        They have the same total and no row twice, and little time lies between them.
        """
        blocks = self.blocks.values()
        if len(blocks) == 1:
            return True
        times = [block.read_at for block in blocks]
        if max(times) - min(times) > self.source.edition_seconds:
            return False
        ids = {row_id for block in blocks for row_id in block.offsets}
        return len({block.total for block in blocks}) == 1 and len(ids) == sum(
            len(block.offsets) for block in blocks
        )

    def supersede(self, read_at: float) -> None:
        """Drops what was read before `read_at`, here and in the source."""
        self.source.supersede(read_at)
        self.superseded_at = max(self.superseded_at, read_at)
        kept = {i: block for i, block in self.blocks.items() if block.read_at >= read_at}
        if len(kept) < len(self.blocks):
            self.blocks = kept
            self.edition += 1

    def outward(self, index: int) -> Iterable[list[int]]:
        """Yields the blocks around `index`: its neighbours, then others, `SEARCHED_ROWS` away."""
        last = max(0, (self.total - 1) // self.size)
        index = min(index, last)
        far = -(-SEARCHED_ROWS // self.size)
        near = [i for i in (index - 1, index, index + 1) if 0 <= i <= last]
        yield near
        yield [i for i in range(max(0, index - far), min(last, index + far) + 1) if i not in near]

    def is_from_before(self) -> bool:
        """Tells whether a block that is here was read before this view began."""
        return any(block.read_at < self.started_at for block in self.blocks.values())

    def find(self, row_id: str) -> int | None:
        """Returns the offset of the row if a block that is here holds it."""
        for block in self.blocks.values():
            if (offset := block.offsets.get(row_id)) is not None:
                return offset
        return None

    def find_fingerprint(self, wanted: bytes) -> int | None:
        """Returns the offset of the row with this fingerprint if a block here holds it."""
        for block in self.blocks.values():
            for row_id, offset in block.offsets.items():
                if fingerprint(row_id) == wanted:
                    return offset
        return None

    def holds_any_row(self, window: Window) -> bool:
        """Tells whether a row of the window can be used."""
        return any(self._row_at(offset) is not None for offset in range(window.start, window.end))

    def cut(self, window: Window) -> Slice[Row]:
        """Returns the window, with the rows before it that its cursors remember."""
        for block in self.blocks.values():
            self.source.use(block)
        places = window.with_rows_before(REMEMBERED_ROWS)
        return Slice(
            places=[self._row_at(offset) for offset in range(places.start, places.end)],
            window=window,
            total=self.total,
            list_name=self.source.name,
        )

    def _row_at(self, offset: int) -> Row | None:
        """Returns the row at an offset, None where it is not here or cannot be used."""
        index, at = divmod(offset, self.size)
        block = self.blocks.get(index)
        return block.rows[at] if block is not None and at < len(block.rows) else None
