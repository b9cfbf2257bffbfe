"""A page of blocks that are ready: what `read_slice` returns, without waiting for a read."""

from gateway.pagination.blocks import Block, BlockSource, do_agree
from gateway.pagination.slices import Slice
from gateway.pagination.windows import (
    ConnectionArguments,
    blocks_to_cut,
    cut_window,
    likely_blocks,
)
from gateway.row import Row


def still_page(source: BlockSource[Row], arguments: ConnectionArguments) -> Slice[Row] | None:
    """Returns what `read_slice` returns if it need not wait, else None. It changes nothing.

    All of its blocks are ready and agree, and the rows of the cursors have not moved. The caller
    records the reads of the slice's blocks.
    """
    total, size = source.total, source.size
    if total is None:
        return None
    blocks: dict[int, Block[Row]] = {}
    for index in likely_blocks(arguments, total, size):
        block = source.ready(index)
        if block is None or block.size != size:
            return None
        blocks[index] = block
    if not do_agree(blocks.values(), source.version_seconds):
        return None
    total = next(iter(blocks.values())).total
    low, high = 0, total
    if (after := arguments.after) is not None:
        low = after.offset + 1
    if (before := arguments.before) is not None:
        high = before.offset
    for cursor in (after, before):
        if cursor is not None:
            block = blocks.get(cursor.offset // size) if cursor.offset < total else None
            if block is None or block.offsets.get(cursor.row_id) != cursor.offset:
                return None
    window = cut_window(arguments.first, arguments.last, low, high)
    if not blocks.keys() >= set(blocks_to_cut(window, size)):
        return None
    page = Slice(blocks, size, window, total, source.name)
    # A window without a usable row is widened, with further reads.
    return page if window.start == window.end or page.rows else None
