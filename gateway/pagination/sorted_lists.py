"""Connections over a list whose rows are all known, sorted by a value and filtered.

A cursor holds the value and the id of its row, and so marks one place in the order, whatever rows
are added, deleted or changed: `after` goes on with the first row behind this place. A row that got
another value has moved, and is shown where it stands now.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Generic, Protocol

from gateway.pagination.sorted_cursors import (
    SORTED_CHARACTERS,
    SortedCursor,
    SortValue,
    decode_sorted_cursor,
    encode_sorted_cursor,
)
from gateway.pagination.windows import checked_counts, cut_window
from gateway.row import Row


@dataclass(frozen=True, slots=True)
class SortKey(Generic[Row]):
    """What rows are sorted by: `value` returns it, None for a row that has none.

    `name` names the order in cursors. Values are whole numbers, or all of them are text, of which
    the first `SORTED_CHARACTERS` count.
    """

    name: str
    value: Callable[[Row], SortValue]
    is_text: bool = False


class OrderedRows(Protocol[Row]):
    """All rows of a list in one order, each once."""

    rows: Sequence[Row]

    def cursor(self, at: int) -> str:
        """Returns the cursor of `rows[at]`."""

    def gap(self, cursor: str, argument: str) -> int:
        """Returns how many of `rows` stand before the place where `argument` cuts the list.

        `after` cuts it behind the place that the cursor marks, `before` before it. Raises
        `BadCursor` for a cursor of another list or another order.
        """


class SortedRows(Generic[Row]):
    """The rows of a list in the order of a key, None for that of the ids: an `OrderedRows`.

    Rows without a value are last, and ids decide between rows of one value. `is_reversed` turns all
    of this round: rows without a value are first, and the greatest ids.
    """

    def __init__(
        self,
        rows: Iterable[Row],
        key: SortKey[Row] | None,
        list_name: str,
        *,
        is_reversed: bool = False,
    ) -> None:
        placed = sorted(((_place(key, row), row) for row in rows), key=itemgetter(0))
        # In ascending order, also if the rows are not.
        self._places = [place for place, _ in placed]
        self._is_text = key is not None and key.is_text
        order = f"by {'id' if key is None else key.name}{' reversed' if is_reversed else ''}"
        self._name = f"{list_name} {order}"
        self._is_reversed = is_reversed
        self._cursors: dict[int, str] = {}
        self.rows: Sequence[Row] = [row for _, row in (reversed(placed) if is_reversed else placed)]

    def cursor(self, at: int) -> str:
        """Returns the cursor of a row: the same for each filter, while the row has its value."""
        if (made := self._cursors.get(at)) is None:
            _, value, row_id = self._places[-1 - at if self._is_reversed else at]
            made = encode_sorted_cursor(SortedCursor(value, row_id), self._name)
            self._cursors[at] = made
        return made

    def gap(self, cursor: str, argument: str) -> int:
        """Returns how many rows stand before the place that the cursor marks, or are its row."""
        value, row_id = decode_sorted_cursor(cursor, self._name, argument, is_text=self._is_text)
        place = (value is None, value, row_id)
        if self._is_reversed:
            bisect = bisect_left if argument == "after" else bisect_right
            return len(self._places) - bisect(self._places, place)
        bisect = bisect_right if argument == "after" else bisect_left
        return bisect(self._places, place)


# A row without a value is behind the others.
Place = tuple[bool, SortValue, str]


def _place(key: SortKey[Row] | None, row: Row) -> Place:
    if key is None:
        return True, None, row.id
    value = key.value(row)
    if isinstance(value, str):
        value = value[:SORTED_CHARACTERS]
    return value is None, value, row.id


@dataclass(frozen=True)
class OrderedPage(Generic[Row]):
    """A page of ordered rows: those at `places`. `total` counts the rows that the filter keeps."""

    ordered: OrderedRows[Row]
    places: Sequence[int]
    has_next: bool
    has_previous: bool
    total: int

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The rows, in order."""
        return [self.ordered.rows[at] for at in self.places]

    @cached_property
    def cursors(self) -> Sequence[str]:
        """The cursors of `rows`."""
        return [self.ordered.cursor(at) for at in self.places]

    @property
    def start_cursor(self) -> str | None:
        """The cursor of the first row, None if there is no row."""
        return self.ordered.cursor(self.places[0]) if self.places else None

    @property
    def end_cursor(self) -> str | None:
        """The cursor of the last row, None if there is no row."""
        return self.ordered.cursor(self.places[-1]) if self.places else None


def ordered_page(
    ordered: OrderedRows[Row],
    kept: Sequence[int] | None = None,
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> OrderedPage[Row]:
    """Returns the page that Relay's arguments select.

    `kept` has the places in `ordered.rows` of the rows that a filter keeps, ascending; None keeps
    all. Cursors belong to the order, not to the filter: one that was taken under another filter
    goes on at the same place. Raises `BadUserInput` as `connection_arguments`, and `BadCursor`.
    """
    first, last = checked_counts(first, after, last, before)
    places = range(len(ordered.rows)) if kept is None else kept
    low, high = 0, len(places)
    if after is not None:
        low = bisect_left(places, ordered.gap(after, "after"))
    if before is not None:
        high = bisect_left(places, ordered.gap(before, "before"))
    window = cut_window(first, last, low, high)
    return OrderedPage(
        ordered,
        places[window.start : window.end],
        has_next=window.end < len(places),
        has_previous=window.start > 0,
        total=len(places),
    )
