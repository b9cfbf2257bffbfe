"""The rows of a list in the upstream's order, all of them known: to filter them, or turn them."""

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from typing import Generic

from gateway.pagination.cursors import (
    REMEMBERED_ROWS,
    Cursor,
    decode_cursor,
    encode_cursor,
    fingerprint,
)
from gateway.pagination.reading import gap_of_offset
from gateway.row import Row


class StoreOrderedRows(Generic[Row]):
    """The rows of a list in the upstream's order, or in the reverse order: an `OrderedRows`.

    `slots` has the row of each offset of the list, None for a row that cannot be used. Cursors are
    those of `read_slice`, and mark the same gap.
    """

    def __init__(
        self, slots: Sequence[Row | None], list_name: str, *, is_reversed: bool = False
    ) -> None:
        # The offsets of the rows, ascending, by id: of a row that stands twice, the first.
        self._offsets: dict[str, int] = {}
        for offset, row in enumerate(slots):
            if row is not None:
                self._offsets.setdefault(row.id, offset)
        self._ascending = [*self._offsets.values()]
        self._slots = slots
        self._name = f"{list_name} reversed" if is_reversed else list_name
        self._is_reversed = is_reversed
        self._cursors: dict[int, str] = {}
        rows = [row for offset in self._ascending if (row := slots[offset]) is not None]
        self.rows: Sequence[Row] = rows[::-1] if is_reversed else rows

    def cursor(self, at: int) -> str:
        """Returns the cursor of a row: the same for each filter, while the list holds still."""
        if (made := self._cursors.get(at)) is None:
            offset = self._ascending[-1 - at if self._is_reversed else at]
            before = self._slots[max(0, offset - REMEMBERED_ROWS) : offset]
            marks = tuple(fingerprint(row.id) for row in reversed(before) if row is not None)
            made = encode_cursor(Cursor(offset, self.rows[at].id, marks), self._name)
            self._cursors[at] = made
        return made

    def gap(self, cursor: str, argument: str) -> int:
        """Returns how many rows stand before the gap that the cursor marks."""
        known = decode_cursor(cursor, self._name, argument)
        is_behind = (argument == "after") is not self._is_reversed
        before = bisect_left(self._ascending, self._offset_of_gap(known, int(is_behind)))
        return len(self.rows) - before if self._is_reversed else before

    def _offset_of_gap(self, cursor: Cursor, behind: int) -> int:
        """Returns what `find_gap` returns if it has read all blocks."""
        if (found := self._offsets.get(cursor.row_id)) is not None:
            return found + behind
        for remembered in cursor.before:
            if (found := self._by_fingerprint.get(remembered)) is not None:
                return found + 1
        return gap_of_offset(cursor, len(self._slots))

    @cached_property
    def _by_fingerprint(self) -> dict[bytes, int]:
        return {fingerprint(row_id): offset for row_id, offset in self._offsets.items()}
