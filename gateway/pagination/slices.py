"""One window of a list as it was read, and the cursors of its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Generic, cast

from gateway.pagination.blocks import Block
from gateway.pagination.cursors import REMEMBERED_ROWS
from gateway.pagination.windows import Window, blocks_covering
from gateway.row import Row


@dataclass(frozen=True)
class Slice(Generic[Row]):
    """The usable rows of a window, in order, each once.

    `blocks` has all blocks that were read for it, each of `size` rows: those of the window, of the
    `REMEMBERED_ROWS` before it, and of the cursors that it was asked with.
    """

    blocks: Mapping[int, Block[Row]]
    size: int
    window: Window
    total: int
    list_name: str

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The usable rows of the window, in order, each once."""
        if self._shows_all:
            parts = [block.rows[low:high] for block, low, high in self._parts]
            rows = parts[0] if len(parts) == 1 else [*chain.from_iterable(parts)]
            return cast(Sequence[Row], rows)
        return [row for offset in self._offsets if (row := self._row_at(offset)) is not None]

    @cached_property
    def cursors(self) -> Sequence[str]:
        """The cursors of `rows`.

        They depend only on the list, so that a row has the same cursor on every page.
        """
        if self._shows_all:
            parts = [self._cursors_in(*part) for part in self._parts]
            cursors = parts[0] if len(parts) == 1 else [*chain.from_iterable(parts)]
            return cast(Sequence[str], cursors)
        return [self._cursor_at(offset) for offset in self._offsets]

    @property
    def has_next(self) -> bool:
        """Whether a row follows the window, usable or not."""
        return self.window.end < self.total

    @property
    def has_previous(self) -> bool:
        """Whether a row precedes the window, usable or not."""
        return min(self.window.start, self.total) > 0

    def cursor(self, position: int) -> str:
        """Returns one of `cursors`, without the others; -1 is the last."""
        return self._cursor_at(self._offsets[position])

    @cached_property
    def _parts(self) -> Sequence[tuple[Block[Row], int, int]]:
        """The blocks of the window, with the start and the end of the window's rows in each."""
        start, end, size = self.window.start, self.window.end, self.size
        return [
            (self.blocks[index], max(0, start - index * size), min(size, end - index * size))
            for index in blocks_covering(self.window, size)
        ]

    @cached_property
    def _shows_all(self) -> bool:
        """Whether each place of the window has a usable row, and each row stands there once."""
        parts = self._parts
        if not all(block.is_whole and high <= len(block.rows) for block, _, high in parts):
            return False
        if len(parts) == 1:
            return True
        rows = [row for block, low, high in parts for row in block.rows[low:high]]
        return len({row.id for row in rows if row is not None}) == len(rows)

    @cached_property
    def _offsets(self) -> Sequence[int]:
        """The offsets of `rows` in the list."""
        window = range(self.window.start, self.window.end)
        if self._shows_all:
            return window
        shown: dict[str, int] = {}
        for offset in window:
            if (row := self._row_at(offset)) is not None:
                shown.setdefault(row.id, offset)
        return [*shown.values()]

    def _cursor_at(self, offset: int) -> str:
        index, at = divmod(offset, self.size)
        (cursor,) = self._cursors_in(self.blocks[index], at, at + 1)
        return cast(str, cursor)

    def _cursors_in(self, block: Block[Row], low: int, high: int) -> Sequence[str | None]:
        before: Sequence[Row | None] = ()
        if low < REMEMBERED_ROWS and block.index:
            start = block.index * self.size
            before = [self._row_at(at) for at in range(max(0, start - REMEMBERED_ROWS), start)]
        return block.cursors(self.list_name, low, high, before)

    def _row_at(self, offset: int) -> Row | None:
        """Returns the row at an offset, None if no block holds it or it cannot be used."""
        index, at = divmod(offset, self.size)
        block = self.blocks.get(index)
        return block.rows[at] if block is not None and at < len(block.rows) else None
