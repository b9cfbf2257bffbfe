"""One window of a list as it was read, and the cursors of its rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, NamedTuple, cast

from gateway.pagination.blocks import Block, BlockCursors, are_apart
from gateway.pagination.cursors import REMEMBERED_ROWS
from gateway.pagination.windows import Window, blocks_covering
from gateway.row import Row


class Part(NamedTuple, Generic[Row]):
    """The rows `low`..`high` of a block, of which each can be used."""

    block: Block[Row]
    low: int
    high: int


@dataclass
class Slice(Generic[Row]):
    """The usable rows of a window, in order, each once.

    `blocks` has all blocks that were read for it, each of `size` rows: those of the window, of the
    `REMEMBERED_ROWS` before it, and of the cursors that it was asked with. `parts` are the parts of
    blocks that it consists of, None if a row of the window cannot be used, or stands there twice.
    """

    blocks: Mapping[int, Block[Row]]
    size: int
    window: Window
    total: int
    list_name: str
    parts: Sequence[Part[Row]] | None = field(init=False)

    def __post_init__(self) -> None:
        self.parts = self._parts()

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The usable rows of the window, in order, each once."""
        if self.parts is None:
            return [row for offset in self._offsets if (row := self.row_at(offset)) is not None]
        rows = [row for block, low, high in self.parts for row in block.rows[low:high]]
        return cast("Sequence[Row]", rows)

    @cached_property
    def cursors(self) -> Sequence[str]:
        """The cursors of `rows`.

        They depend only on the list, so that a row has the same cursor on every page.
        """
        if self.parts is None:
            places = [divmod(offset, self.size) for offset in self._offsets]
            return [self._cursor_in(self.blocks[index], at) for index, at in places]
        found = [self.block_cursors(part.block, part.low).between(*part[1:]) for part in self.parts]
        return cast("Sequence[str]", [cursor for cursors in found for cursor in cursors])

    def rows_beside(self, number: int, *, are_before: bool) -> Sequence[Row]:
        """Returns the next rows behind the window, or before it, that were read with it."""
        start, end = self.window
        offsets = range(start - number, start) if are_before else range(end, end + number)
        return [row for offset in offsets if (row := self.row_at(offset)) is not None]

    @property
    def has_next(self) -> bool:
        """Whether a row follows the window, usable or not."""
        return self.window.end < self.total

    @property
    def has_previous(self) -> bool:
        """Whether a row precedes the window, usable or not."""
        return min(self.window.start, self.total) > 0

    @property
    def start_cursor(self) -> str | None:
        """The cursor of the first row, None if there is no row."""
        if self.parts:
            return self._cursor_in(self.parts[0].block, self.parts[0].low)
        return self.cursors[0] if self.cursors else None

    @property
    def end_cursor(self) -> str | None:
        """The cursor of the last row, None if there is no row."""
        if self.parts:
            return self._cursor_in(self.parts[-1].block, self.parts[-1].high - 1)
        return self.cursors[-1] if self.cursors else None

    def block_cursors(self, block: Block[Row], low: int) -> BlockCursors[Row]:
        """Returns the cursors of a block's rows, of which those from `low` on may be asked for."""
        before: Sequence[Row | None] | None = None
        if low < REMEMBERED_ROWS and block.index:
            start = block.index * self.size
            before = [self.row_at(at) for at in range(max(0, start - REMEMBERED_ROWS), start)]
        return block.cursors(self.list_name, before)

    def _parts(self) -> Sequence[Part[Row]] | None:
        start, end, size = self.window.start, self.window.end, self.size
        parts = []
        for index in blocks_covering(self.window, size):
            block, first = self.blocks[index], index * size
            low, high = max(0, start - first), min(size, end - first)
            if not block.is_whole or high > len(block.rows):
                return None
            parts.append(Part(block, low, high))
        return parts if len(parts) < 2 or are_apart([part.block for part in parts]) else None

    @cached_property
    def _offsets(self) -> Sequence[int]:
        """The offsets of `rows` in the list, if it does not consist of parts."""
        shown: dict[str, int] = {}
        for offset in range(self.window.start, self.window.end):
            if (row := self.row_at(offset)) is not None:
                shown.setdefault(row.id, offset)
        return [*shown.values()]

    def _cursor_in(self, block: Block[Row], at: int) -> str:
        (cursor,) = self.block_cursors(block, at).between(at, at + 1)
        return cast(str, cursor)

    def row_at(self, offset: int) -> Row | None:
        """Returns the row at an offset of the list, None if no block of the slice holds it.

        A row that cannot be used is None, too.
        """
        index, at = divmod(offset, self.size)
        block = self.blocks.get(index)
        return block.rows[at] if block is not None and at < len(block.rows) else None
