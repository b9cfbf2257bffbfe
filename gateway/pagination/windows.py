"""Relay's arithmetic: from `first`, `after`, `last` and `before` to a window, to blocks.

Source: the GraphQL Cursor Connections Specification, section 4.4 "Pagination algorithm".
"""

from collections.abc import Iterator
from typing import NamedTuple

from gateway.errors import BadUserInput
from gateway.pagination.cursors import REMEMBERED_ROWS, Cursor, decode_cursor

DEFAULT_ROWS = 50
MAXIMUM_ROWS = 250


class ConnectionArguments(NamedTuple):
    """Checked arguments of a connection: counts are 0 to 250, and at least one count is set."""

    first: int | None = None
    after: Cursor | None = None
    last: int | None = None
    before: Cursor | None = None


class Window(NamedTuple):
    """The rows of a list from offset `start` up to, not including, offset `end`."""

    start: int
    end: int

    def with_rows_before(self, rows: int) -> "Window":
        """Returns the window with up to `rows` rows before it; an empty one stays as it is."""
        if self.start >= self.end:
            return self
        return Window(max(0, self.start - rows), self.end)


def connection_arguments(
    first: int | None, after: str | None, last: int | None, before: str | None, list_name: str
) -> ConnectionArguments:
    """Returns the checked arguments of one connection.

    Without `first` and `last`, 50 rows are read: the last 50 before `before` if that is the only
    cursor, else the first 50. Raises `BadUserInput` for a count that is negative or
    above 250, `BadCursor` for a cursor that `list_name` did not mint.
    """
    first, last = checked_counts(first, after, last, before)
    return ConnectionArguments(
        first,
        None if after is None else decode_cursor(after, list_name, "after"),
        last,
        None if before is None else decode_cursor(before, list_name, "before"),
    )


def checked_counts(
    first: int | None, after: str | None, last: int | None, before: str | None
) -> tuple[int | None, int | None]:
    """Returns `first` and `last` as `connection_arguments` checks and completes them."""
    for argument, count in (("first", first), ("last", last)):
        if count is not None and not 0 <= count <= MAXIMUM_ROWS:
            raise BadUserInput(
                f"`{argument}` is {count}. Ask for 0 to {MAXIMUM_ROWS} rows at once, "
                "and page on with a cursor."
            )
    if first is None and last is None:
        if before is not None and after is None:
            last = DEFAULT_ROWS
        else:
            first = DEFAULT_ROWS
    return first, last


def cut_window(first: int | None, last: int | None, low: int, high: int) -> Window:
    """Returns the part of `low`..`high`, the rows between the cursors, that the counts select."""
    start, end = low, max(low, high)
    if first is not None:  # Relay Connections, 4.4, EdgesToReturn 3
        end = min(end, start + first)
    if last is not None:  # Relay Connections, 4.4, EdgesToReturn 4
        start = max(start, end - last)
    return Window(start, end)


def windows_beside(
    window: Window, arguments: ConnectionArguments, low: int, high: int
) -> Iterator[Window]:
    """Yields the adjacent windows of the same number of rows, within `low`..`high`.

    With `last`, they go towards the start of the list; with `first`, towards its end.
    """
    rows = window.end - window.start
    if rows and arguments.last is not None:
        for end in range(window.start, low, -rows):
            yield Window(max(low, end - rows), end)
    if rows and arguments.first is not None:
        for start in range(window.end, high, rows):
            yield Window(start, min(high, start + rows))


def blocks_covering(window: Window, size: int) -> range:
    """Returns the indices (page number - 1) of the blocks of `size` rows that hold the window."""
    if window.start >= window.end:
        return range(0)
    return range(window.start // size, (window.end - 1) // size + 1)


def blocks_to_cut(window: Window, size: int) -> range:
    """Returns the blocks of a window and of its anchor rows, which its cursors remember."""
    return blocks_covering(window.with_rows_before(REMEMBERED_ROWS), size)


def likely_window(arguments: ConnectionArguments, total: int, size: int) -> tuple[Window, set[int]]:
    """Returns the window if no row has moved, and the blocks that are needed for it."""
    after, before = arguments.after, arguments.before
    low = 0 if after is None else after.offset + 1
    high = total if before is None else min(before.offset, total)
    window = cut_window(arguments.first, arguments.last, low, high)
    needed = set(blocks_to_cut(window, size))
    if after is not None and after.offset < total:
        needed.add(after.offset // size)
    if before is not None and before.offset < total:
        needed.add(before.offset // size)
    return window, needed or {0}
