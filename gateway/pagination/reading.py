"""Reads one window of a list, and finds the row of a cursor even if it has moved."""

from gateway.errors import UpstreamUnavailable
from gateway.pagination.blocks import PAGE_SIZE_CHANGES, BlockSource
from gateway.pagination.cursors import REMEMBERED_ROWS, Cursor
from gateway.pagination.slices import Slice
from gateway.pagination.view import ROUNDS, SEARCHED_ROWS, ListView
from gateway.pagination.windows import (
    ConnectionArguments,
    Window,
    blocks_to_cut,
    cut_window,
    likely_window,
    windows_beside,
)
from gateway.row import Row

# Blocks read within this time are searched for a moved row without being read again. Otherwise two
# clients whose cursors' rows are gone would keep invalidating each other's fresh blocks.
SAME_VERSION_SECONDS = 5.0


async def read_total(source: BlockSource[Row]) -> int:
    """Returns the number of rows of the list, from any fresh block."""
    total = source.fresh_total()
    if total is not None:
        source.record_total()
        return total
    block = await source.read(0)
    source.record_read(block)
    return block.total


async def read_slice(source: BlockSource[Row], arguments: ConnectionArguments) -> Slice[Row]:
    """Reads the window that the arguments ask for.

    It reads the blocks of the window and of the `REMEMBERED_ROWS` before it. While the list does
    not change, it reads at most one more for each cursor outside of them, and one if no total is
    known.
    Raises the errors of `source.read`.
    """
    view = ListView(source)
    if source.total is None:
        # The answer has the total, so that no further page past the end is requested.
        await view.need([_first_offset(arguments) // source.size])
    _, likely = likely_window(arguments, view.total, view.size)
    await view.need(likely)
    for round_ in range(ROUNDS + 1):
        version = view.version
        # The last round accepts blocks that disagree, so that the loop ends with an answer.
        view.accepts_any_blocks = round_ == ROUNDS
        low, high = 0, view.total
        if arguments.after is not None:
            low = await find_gap(view, arguments.after, behind=1)
        if arguments.before is not None:
            high = await find_gap(view, arguments.before, behind=0)
        window = await read_window(view, arguments, low, min(high, view.total))
        if view.version == version:
            break
    if not view.blocks.keys() >= set(blocks_to_cut(window, view.size)):
        raise UpstreamUnavailable(PAGE_SIZE_CHANGES)
    return view.cut(window)


async def read_window(
    view: ListView[Row], arguments: ConnectionArguments, low: int, high: int
) -> Window:
    """Reads the window that the counts select from `low`..`high`, and returns it.

    A page without rows has no cursor to continue from, so a window without a usable row is widened
    until it has one. Raises `UpstreamUnavailable` if there is none among `SEARCHED_ROWS`.
    """
    window = newest = cut_window(arguments.first, arguments.last, low, high)
    version = view.version
    await view.need(blocks_to_cut(window, view.size))
    for beside in windows_beside(window, arguments, low, high):
        if view.version != version or view.holds_any_row(newest):
            break
        if window.end - window.start >= SEARCHED_ROWS:
            raise UpstreamUnavailable("The store's API sends a list of rows without usable ids.")
        newest = beside
        window = Window(min(window.start, beside.start), max(window.end, beside.end))
        await view.need(blocks_to_cut(beside, view.size))
    return window


def _first_offset(arguments: ConnectionArguments) -> int:
    for cursor in (arguments.after, arguments.before):
        if cursor is not None:
            return cursor.offset
    return 0


async def find_gap(view: ListView[Row], cursor: Cursor, behind: int) -> int:
    """Returns the offset of the gap between rows that the cursor marks.

    `behind` is 1 for the gap after the row (`after`), 0 for the one before it (`before`). If the
    row is gone, the gap is after the nearest anchor row that is left. If none is left, it is at the
    start of the list if the anchors were all rows before this one, else at the old offset.
    """
    if (found := await cursor_to_offset(view, cursor)) is not None:
        return found + behind
    for remembered in cursor.before:
        if (found := view.find_fingerprint(remembered)) is not None:
            return found + 1
    return gap_of_offset(cursor, view.total)


def gap_of_offset(cursor: Cursor, total: int) -> int:
    """Returns the offset of the gap that the cursor marks if no row is left that it remembers."""
    return 0 if cursor.offset <= REMEMBERED_ROWS else min(cursor.offset, total)


async def cursor_to_offset(view: ListView[Row], cursor: Cursor) -> int | None:
    """Returns the current offset of the cursor's row, None if the row is gone.

    It is gone only if it is missing from blocks that were read for this view: another process may
    have minted the cursor from newer blocks than this process has cached.
    """
    if cursor.offset < view.total:
        block = await view.block_at(cursor.offset)
        if block.offsets.get(cursor.row_id) == cursor.offset:
            return cursor.offset
        view.invalidate_before(block.read_at - SAME_VERSION_SECONDS)
    found = await search_row(view, cursor)
    if found is None and view.has_older_blocks() and view.source.try_search():
        view.invalidate_before(view.started_at)
        found = await search_row(view, cursor)
    return found


async def search_row(view: ListView[Row], cursor: Cursor) -> int | None:
    """Returns the offset of the cursor's row, None if it is not near its old offset.

    It is searched in the blocks there, then further away. In a long list it is searched further
    away only if nothing that it stood behind is in these blocks: rows never change places.
    """
    near, far = view.outward(cursor.offset // view.size)
    await view.need(near)
    if (found := view.find(cursor.row_id)) is not None:
        return found
    is_unlikely = view.source.is_long and _holds_place(view, cursor)
    if not far or is_unlikely or not view.source.try_far_search():
        return None
    await view.need(far)
    return view.find(cursor.row_id)


def _holds_place(view: ListView[Row], cursor: Cursor) -> bool:
    """Whether the view has a row that the cursor remembers, and the rows behind that one."""
    for remembered in cursor.before:
        if (found := view.find_fingerprint(remembered)) is not None:
            behind = min(found + REMEMBERED_ROWS, view.total - 1)
            return behind // view.size in view.blocks
    return False
