"""A page of blocks that are ready: what `read_slice` returns, without waiting for a read."""

from gateway.pagination.blocks import Block, BlockSource, do_agree
from gateway.pagination.slices import Slice
from gateway.pagination.windows import ConnectionArguments, likely_window
from gateway.row import Row


def still_page(source: BlockSource[Row], arguments: ConnectionArguments) -> Slice[Row] | None:
    """Returns what `read_slice` returns if it need not wait, else None. It changes nothing.

    All of its blocks are ready and agree, and the rows of the cursors have not moved. The caller
    records the reads of the slice's blocks.
    """
    total, size = source.total, source.size
    if total is None:
        return None
    window, needed = likely_window(arguments, total, size)
    blocks: dict[int, Block[Row]] = {}
    for index in needed:
        block = source.ready(index)
        if block is None or block.size != size:
            return None
        blocks[index] = block
    if not do_agree(blocks.values(), source.version_seconds):
        return None
    if (total_now := next(iter(blocks.values())).total) != total:
        total = total_now
        window, needed = likely_window(arguments, total, size)
        if not blocks.keys() >= needed:
            return None
    for cursor in (arguments.after, arguments.before):
        if cursor is not None:
            block = blocks.get(cursor.offset // size) if cursor.offset < total else None
            if block is None or block.offsets.get(cursor.row_id) != cursor.offset:
                return None
    page = Slice(blocks, size, window, total, source.name)
    # A window without a usable row is widened, with further reads.
    return page if page.parts is not None or page.rows else None
