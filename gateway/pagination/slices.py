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
    """What a connection answers: the usable rows of a window, in order, each once.

    `marks_before` are the fingerprints of the rows before the window, nearest first: of those that
    the walk showed last, where a cursor before the window tells them, else of the list's own.
    """

    rows: Sequence[Row]
    offsets: Sequence[int]
    window: Window
    total: int
    list_name: str
    marks_before: tuple[bytes, ...]

    @cached_property
    def _marks(self) -> list[bytes]:
        """The fingerprints of the rows before the window and in it, in order."""
        return [*reversed(self.marks_before), *(fingerprint(row.id) for row in self.rows)]

    @property
    def has_next(self) -> bool:
        """Whether a row follows the window, usable or not."""
        return self.window.end < self.total

    @property
    def has_previous(self) -> bool:
        """Whether a row precedes the window, usable or not."""
        return min(self.window.start, self.total) > 0

    def cursor(self, position: int) -> str:
        """Returns the cursor of the row at `position` in `rows`; -1 is the last."""
        at = len(self.marks_before) + range(len(self.rows))[position]
        before = tuple(reversed(self._marks[max(0, at - REMEMBERED_ROWS) : at]))
        row_id = self.rows[position].id
        return encode_cursor(Cursor(self.offsets[position], row_id, before), self.list_name)
