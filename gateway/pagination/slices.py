"""One window of a list as it was read, and the cursors of its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic

from gateway.pagination.blocks import Row
from gateway.pagination.cursors import REMEMBERED_ROWS, Cursor, encode_cursor, fingerprint
from gateway.pagination.windows import Window


@dataclass(frozen=True)
class Slice(Generic[Row]):
    """What a connection answers: the rows of a window, in order, each once.

    `ids_by_offset` are the rows of the window and some before it, `inherited` the fingerprints that
    the cursor before the window brought: of its row and of those before that one, nearest first.
    """

    rows: Sequence[Row]
    offsets: Sequence[int]
    window: Window
    total: int
    list_name: str
    ids_by_offset: dict[int, str]
    inherited: tuple[bytes, ...]

    @cached_property
    def _marks(self) -> dict[int, bytes]:
        """The fingerprints of the rows in the window and right before it, by offset."""
        return {at: fingerprint(row_id) for at, row_id in self.ids_by_offset.items()}

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
        for at in range(offset - 1, offset - 1 - REMEMBERED_ROWS, -1):
            if (mark := self._marks.get(at)) is None:
                before += self._inherited_before(before)[: REMEMBERED_ROWS - len(before)]
                break
            before.append(mark)
        return encode_cursor(Cursor(offset, self.rows[position].id, tuple(before)), self.list_name)

    def _inherited_before(self, marks: Sequence[bytes]) -> tuple[bytes, ...]:
        """Returns what was inherited of rows before all of these, which stand next to each other.

        No row of the list that was shown may lie between two that a cursor remembers: whoever goes
        on behind the farther one would see it twice.
        """
        for mark in reversed(marks):
            if mark in self.inherited:
                return self.inherited[self.inherited.index(mark) + 1 :]
        return ()
