"""Reads one window of a list in blocks, and keeps cursors right while the list moves."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, TypeVar

from gateway.errors import UpstreamUnavailable
from gateway.pagination.cursors import REMEMBERED_ROWS, Cursor, encode_cursor, fingerprint
from gateway.pagination.windows import ConnectionArguments, Window, blocks_covering, cut_window

# A list that changes faster than it can be read twice in a row is answered as last seen.
ROUNDS = 4


class HasId(Protocol):
    """A row: all that paging knows of it is its id, a uuid in lower case."""

    @property
    def id(self) -> str:
        """The raw id."""


Row = TypeVar("Row", bound=HasId)


@dataclass(frozen=True)
class Block(Generic[Row]):
    """One page of the upstream as it was answered.

    `index` counts from 0, `size` is the answer's `per_page`, `total` the rows of the whole list,
    `read_at` the time in seconds at which the request was sent.
    """

    index: int
    size: int
    total: int
    rows: Sequence[Row]
    read_at: float

    @cached_property
    def offsets(self) -> dict[str, int]:
        """The offset in the list of each row, by id."""
        start = self.index * self.size
        return {row.id: start + at for at, row in enumerate(self.rows)}


class BlockSource(Protocol[Row]):
    """A list of the upstream, read in blocks of one size."""

    @property
    def name(self) -> str:
        """What the list is called in cursors: two lists never share a name."""

    @property
    def size(self) -> int:
        """Rows to a block, as far as is known before the next answer."""

    @property
    def total(self) -> int | None:
        """The number of rows that the newest answer told, None before the first one."""

    async def read(self, index: int) -> Block[Row]:
        """Returns the block; its `size` may differ from what was expected."""

    def supersede(self, read_at: float) -> None:
        """Takes every block read before `read_at` for out of date: the list has moved since."""


@dataclass(frozen=True)
class Slice(Generic[Row]):
    """What a connection answers: the rows of a window, in order, each once.

    `ids_by_offset` and `remembered` (fingerprints) are the rows around it that cursors remember.
    """

    rows: Sequence[Row]
    offsets: Sequence[int]
    window: Window
    total: int
    list_name: str
    ids_by_offset: dict[int, str]
    remembered: dict[int, bytes]

    @property
    def has_next(self) -> bool:
        """Whether a row follows the window."""
        return self.window.end < self.total

    @property
    def has_previous(self) -> bool:
        """Whether a row precedes the window."""
        return min(self.window.start, self.total) > 0

    def cursor(self, position: int) -> str:
        """Returns the cursor of the row at `position` in `rows`; -1 is the last."""
        offset = self.offsets[position]
        before: list[bytes] = []
        for at in range(offset - 1, max(-1, offset - 1 - REMEMBERED_ROWS), -1):
            row_id = self.ids_by_offset.get(at)
            mark = self.remembered.get(at) if row_id is None else fingerprint(row_id)
            if mark is None:
                break
            before.append(mark)
        return encode_cursor(Cursor(offset, self.rows[position].id, tuple(before)), self.list_name)


async def read_total(source: BlockSource[Row]) -> int:
    """Returns the number of rows of the list: one block tells it."""
    return (await source.read(0)).total


async def read_slice(source: BlockSource[Row], arguments: ConnectionArguments) -> Slice[Row]:
    """Reads the window that the arguments ask for.

    Costs at most ceil(rows / size) + 1 blocks while the list holds still. Raises what
    `source.read` raises.
    """
    view = _View(source)
    if source.total is None:
        # Nothing is known yet: the first block tells the total, so that no page past the end
        # is asked for.
        await view.need([_first_offset(arguments) // source.size])
    await view.need(_likely_blocks(arguments, view))
    for _ in range(ROUNDS):
        edition = view.edition
        low = (
            0
            if arguments.after is None
            else await cursor_to_offset(view, arguments.after, behind=1)
        )
        high = (
            view.total
            if arguments.before is None
            else await cursor_to_offset(view, arguments.before, behind=0)
        )
        window = cut_window(arguments.first, arguments.last, low, min(high, view.total))
        await view.need(blocks_covering(window, view.size))
        if view.edition == edition:
            break
    return view.cut(window)


def _first_offset(arguments: ConnectionArguments) -> int:
    for cursor in (arguments.after, arguments.before):
        if cursor is not None:
            return cursor.offset
    return 0


def _likely_blocks(arguments: ConnectionArguments, view: "_View[Row]") -> set[int]:
    """Returns the blocks that are needed if no row has moved, to be read side by side."""
    after, before = arguments.after, arguments.before
    low = 0 if after is None else after.offset + 1
    high = view.total if before is None else min(before.offset, view.total)
    window = cut_window(arguments.first, arguments.last, low, high)
    likely = set(blocks_covering(window, view.size))
    likely.update(c.offset // view.size for c in (after, before) if c and c.offset < view.total)
    return likely or {0}


async def cursor_to_offset(view: "_View[Row]", cursor: Cursor, behind: int) -> int:
    """Returns the offset of the gap that the cursor marks, wherever its row is now.

    `behind` is 1 for the gap behind the row (`after`), 0 for the one before it (`before`). Where
    the row is gone, the gap is behind the nearest row that the cursor remembers, and where none
    of those is left either, at the old offset.
    """
    if cursor.offset < view.total:
        block = await view.block_at(cursor.offset)
        if block.offsets.get(cursor.row_id) == cursor.offset:
            view.remember(cursor, cursor.offset)
            return cursor.offset + behind
        view.supersede(block.read_at)
    for indices in view.outward(cursor.offset // view.size):
        await view.need(indices)
        if (found := view.find(cursor.row_id)) is not None:
            view.remember(cursor, found)
            return found + behind
    for mark in cursor.before:
        if (found := view.find_fingerprint(mark)) is not None:
            return found + 1
    return min(cursor.offset, view.total)


class _View(Generic[Row]):
    """The blocks that one answer is made of, kept to one edition of the list."""

    def __init__(self, source: BlockSource[Row]) -> None:
        self.source = source
        self.size = source.size
        self.blocks: dict[int, Block[Row]] = {}
        self.remembered: dict[int, bytes] = {}
        self.edition = 0

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
        return self.blocks[offset // self.size]

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
            size = self.source.size
            if size != self.size or any(block.size != size for block in self.blocks.values()):
                wanted = self._resize(wanted, size)
            elif round_ < ROUNDS and not self._agree():
                wanted |= set(self.blocks)
                self.supersede(max(block.read_at for block in self.blocks.values()))
        if not wanted <= set(self.blocks):
            raise UpstreamUnavailable("The store's API changes the size of its pages all the time.")

    def _resize(self, wanted: set[int], size: int) -> set[int]:
        """Drops blocks of another size; returns the blocks of the new size at the same places."""
        starts = {index * self.size for index in wanted}
        self.blocks = {i: block for i, block in self.blocks.items() if block.size == size}
        self.size = size
        self.edition += 1
        return {start // size for start in starts}

    def _agree(self) -> bool:
        """Tells whether the blocks can be of one edition: the same total, and no row twice."""
        blocks = self.blocks.values()
        if len(blocks) == 1:
            return True
        ids = {row_id for block in blocks for row_id in block.offsets}
        return len({block.total for block in blocks}) == 1 and len(ids) == sum(
            len(block.rows) for block in blocks
        )

    def supersede(self, read_at: float) -> None:
        """Drops what was read before `read_at`, here and in the source."""
        self.source.supersede(read_at)
        kept = {i: block for i, block in self.blocks.items() if block.read_at >= read_at}
        if len(kept) < len(self.blocks):
            self.blocks = kept
            self.edition += 1

    def remember(self, cursor: Cursor, offset: int) -> None:
        """Hands what a cursor at `offset` remembers on to those of the rows behind it."""
        self.remembered.update(
            (offset - distance, mark) for distance, mark in enumerate(cursor.before, 1)
        )

    def outward(self, index: int) -> Iterable[list[int]]:
        """Yields the blocks of the list from `index` outward: its neighbours, then all others."""
        last = max(0, (self.total - 1) // self.size)
        near = [i for i in (index - 1, index, index + 1) if 0 <= i <= last]
        yield near
        yield [i for i in range(last + 1) if i not in near]

    def find(self, row_id: str) -> int | None:
        """Returns the offset of the row if a block that is here holds it."""
        for block in self.blocks.values():
            if (offset := block.offsets.get(row_id)) is not None:
                return offset
        return None

    def find_fingerprint(self, mark: bytes) -> int | None:
        """Returns the offset of the row with this fingerprint if a block here holds it."""
        for block in self.blocks.values():
            for row_id, offset in block.offsets.items():
                if fingerprint(row_id) == mark:
                    return offset
        return None

    def cut(self, window: Window) -> Slice[Row]:
        """Returns the rows of the window, each once."""
        ids: dict[int, str] = {}
        rows: dict[str, tuple[int, Row]] = {}
        for index in sorted(self.blocks):
            start = index * self.size
            for offset, row in enumerate(self.blocks[index].rows, start):
                ids[offset] = row.id
                if window.start <= offset < window.end and row.id not in rows:
                    rows[row.id] = (offset, row)
        return Slice(
            rows=[row for _, row in rows.values()],
            offsets=[offset for offset, _ in rows.values()],
            window=window,
            total=self.total,
            list_name=self.source.name,
            ids_by_offset=ids,
            remembered=self.remembered,
        )
