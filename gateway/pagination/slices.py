"""One window of a list as it was read, and the cursors of its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic

from gateway.pagination.cursors import REMEMBERED_ROWS, Cursor, encode_cursor, fingerprint
from gateway.pagination.windows import Window
from gateway.row import Row


@dataclass(frozen=True)
class Slice(Generic[Row]):
    """The usable rows of a window, in order, each once.

    `places` holds the rows from up to `REMEMBERED_ROWS` before the window to its end, None for a
    row that cannot be used.
    """

    places: Sequence[Row | None]
    window: Window
    total: int
    list_name: str

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The usable rows of the window, in order, each once."""
        return [row for _, row in self._shown]

    @cached_property
    def _shown(self) -> Sequence[tuple[int, Row]]:
        """The rows of the window, each with its index in `places`."""
        first = len(self.places) - (self.window.end - self.window.start)
        shown: dict[str, tuple[int, Row]] = {}
        for at, row in enumerate(self.places):
            if at >= first and row is not None:
                shown.setdefault(row.id, (at, row))
        return [*shown.values()]

    @cached_property
    def _fingerprints(self) -> Sequence[bytes | None]:
        return [None if row is None else fingerprint(row.id) for row in self.places]

    @property
    def has_next(self) -> bool:
        """Whether a row follows the window, usable or not."""
        return self.window.end < self.total

    @property
    def has_previous(self) -> bool:
        """Whether a row precedes the window, usable or not."""
        return min(self.window.start, self.total) > 0

    def cursor(self, position: int) -> str:
        """Returns the cursor of the row at `position` in `rows`; -1 is the last.

        It depends only on the list, so that a row has the same cursor on every page.
        """
        at, row = self._shown[position]
        before = self._fingerprints[max(0, at - REMEMBERED_ROWS) : at]
        offset = self.window.end - len(self.places) + at
        cursor = Cursor(offset, row.id, tuple(filter(None, reversed(before))))
        return encode_cursor(cursor, self.list_name)
