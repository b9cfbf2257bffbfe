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

    `ids_by_offset` and `remembered` (fingerprints) are the rows around it that cursors remember.
    """

    rows: Sequence[Row]
    offsets: Sequence[int]
    window: Window
    total: int
    list_name: str
    ids_by_offset: dict[int, str]
    remembered: dict[int, bytes]

    @cached_property
    def _marks(self) -> dict[int, bytes]:
        """The fingerprints of the rows in the window and right before it, by offset."""
        marks = {at: fingerprint(row_id) for at, row_id in self.ids_by_offset.items()}
        return self.remembered | marks

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
                break
            before.append(mark)
        return encode_cursor(Cursor(offset, self.rows[position].id, tuple(before)), self.list_name)
