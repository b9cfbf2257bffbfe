"""The blocks of one answer, kept to one version of a list that may move."""

import asyncio
from collections.abc import Iterable
from typing import Generic

from gateway.errors import UpstreamUnavailable
from gateway.pagination.blocks import PAGE_SIZE_CHANGES, Block, BlockSource, do_agree
from gateway.pagination.cursors import fingerprint
from gateway.pagination.slices import Slice
from gateway.pagination.windows import Window
from gateway.row import Row

# The reads of a list that keeps changing; after them, its blocks are served as last read.
ROUNDS = 4
# How far from its old offset a moved row is searched: in all segments, at most 1000 in a store.
SEARCHED_ROWS = 2000


class ListView(Generic[Row]):
    """The blocks of one answer, kept to one version of the list.

    `version` grows when blocks are dropped. `has_nothing_newer`: an invalidated block was served
    again, because the upstream fails. `accepts_any_blocks`: blocks may disagree.
    """

    def __init__(self, source: BlockSource[Row]) -> None:
        self.source = source
        self.started_at = source.now()
        self.size = source.size
        self.blocks: dict[int, Block[Row]] = {}
        self.version = 0
        self.invalid_before = 0.0
        self.has_nothing_newer = False
        self.accepts_any_blocks = False

    @property
    def total(self) -> int:
        """The total of the newest block; without blocks, that of the source."""
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
        """Reads the blocks that are missing, until all blocks of the view agree.

        Raises `UpstreamUnavailable` if the page size keeps changing.
        """
        wanted = set(indices)
        for round_ in range(ROUNDS + 1):
            missing = [index for index in wanted if index not in self.blocks]
            if not missing:
                return
            for block in await asyncio.gather(*map(self.source.read, missing)):
                self.blocks[block.index] = block
                if block.read_at < self.invalid_before:
                    self.has_nothing_newer = True  # the upstream fails
            size = self.source.size
            if size != self.size or any(block.size != size for block in self.blocks.values()):
                wanted = self._resize(wanted, size)
            elif not (
                self._accepts_blocks()
                or do_agree(self.blocks.values(), self.source.version_seconds)
            ):
                if round_ == ROUNDS:
                    self.source.mark_unstable()
                else:
                    wanted |= set(self.blocks)
                    # First, the blocks older than the newest one are read again. After that, all
                    # blocks are read again, to be as close in time as possible.
                    newest = max(block.read_at for block in self.blocks.values())
                    self.invalidate_before(self.source.now() if round_ else newest)
        if not wanted <= set(self.blocks):
            raise UpstreamUnavailable(PAGE_SIZE_CHANGES)

    def _resize(self, wanted: set[int], size: int) -> set[int]:
        """Drops blocks of another size; returns the blocks of the new size at the same offsets."""
        starts = {index * self.size for index in wanted}
        self.blocks = {i: block for i, block in self.blocks.items() if block.size == size}
        self.size = size
        self.version += 1
        return {start // size for start in starts}

    def _accepts_blocks(self) -> bool:
        """Whether blocks are served even if they disagree."""
        return self.accepts_any_blocks or self.has_nothing_newer or self.source.is_unstable

    def invalidate_before(self, read_at: float) -> None:
        """Drops the blocks that were read before `read_at`, from the view and from the source."""
        self.source.invalidate_before(read_at)
        self.invalid_before = max(self.invalid_before, read_at)
        kept = {i: block for i, block in self.blocks.items() if block.read_at >= read_at}
        if len(kept) < len(self.blocks):
            self.blocks = kept
            self.version += 1

    def outward(self, index: int) -> tuple[list[int], list[int]]:
        """Returns the blocks around `index`: neighbours, and others up to `SEARCHED_ROWS` away."""
        last = max(0, (self.total - 1) // self.size)
        index = min(index, last)
        far = -(-SEARCHED_ROWS // self.size)
        near = [i for i in (index - 1, index, index + 1) if 0 <= i <= last]
        around = range(max(0, index - far), min(last, index + far) + 1)
        return near, [i for i in around if i not in near]

    def has_older_blocks(self) -> bool:
        """Whether a block of the view was read before the view began."""
        return any(block.read_at < self.started_at for block in self.blocks.values())

    def find(self, row_id: str) -> int | None:
        """Returns the offset of the row, None if no block of the view holds it."""
        for block in self.blocks.values():
            if (offset := block.offsets.get(row_id)) is not None:
                return offset
        return None

    def find_fingerprint(self, wanted: bytes) -> int | None:
        """Returns the offset of the row with this fingerprint, None if no block holds it."""
        for block in self.blocks.values():
            for row_id, offset in block.offsets.items():
                if fingerprint(row_id) == wanted:
                    return offset
        return None

    def holds_any_row(self, window: Window) -> bool:
        """Whether the window has a usable row."""
        return any(self._row_at(offset) is not None for offset in range(window.start, window.end))

    def cut(self, window: Window) -> Slice[Row]:
        """Returns the window, and records the reads of all blocks."""
        for block in self.blocks.values():
            self.source.record_read(block)
        return Slice(self.blocks, self.size, window, self.total, self.source.name)

    def _row_at(self, offset: int) -> Row | None:
        """Returns the row at an offset, None if no block holds it or it cannot be used."""
        index, at = divmod(offset, self.size)
        block = self.blocks.get(index)
        return block.rows[at] if block is not None and at < len(block.rows) else None
