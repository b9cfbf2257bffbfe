"""Reads a list whole, to sort or to filter it: all of its blocks, of one version of the list."""

from collections.abc import Sequence
from typing import Final

from gateway.errors import BadUserInput, UpstreamUnavailable
from gateway.pagination.blocks import PAGE_SIZE_CHANGES, Block, BlockSource
from gateway.pagination.view import ROUNDS, ListView
from gateway.row import Row

# Twice what a store holds at most. A longer list would cost each sort and each filter many upstream
# requests, and much memory.
MAXIMUM_SORTED_ROWS: Final = 2000


async def read_whole(source: BlockSource[Row]) -> Sequence[Block[Row]]:
    """Returns all blocks of a list, in order, and records their reads.

    They agree as those of `read_slice` do. Raises `BadUserInput` for a list of more than
    `MAXIMUM_SORTED_ROWS`, and the errors of `source.read`.
    """
    view = ListView(source)
    if source.total is None or source.total > MAXIMUM_SORTED_ROWS:  # it may be shorter by now
        await view.need([0])
    for round_ in range(ROUNDS + 1):
        version = view.version
        # The last round accepts blocks that disagree, so that the loop ends with an answer.
        view.accepts_any_blocks = round_ == ROUNDS
        await view.need(_all_blocks(view))
        if view.version == version and view.blocks.keys() >= set(_all_blocks(view)):
            break
    wanted = _all_blocks(view)
    if not view.blocks.keys() >= set(wanted):
        raise UpstreamUnavailable(PAGE_SIZE_CHANGES)
    blocks = [view.blocks[index] for index in wanted]
    for block in blocks:
        source.record_read(block)
    return blocks


def _all_blocks(view: ListView[Row]) -> range:
    """Returns the indices of all blocks; the first one is read also of an empty list."""
    if view.total > MAXIMUM_SORTED_ROWS:
        raise BadUserInput(
            f"The list has {view.total} rows, and up to {MAXIMUM_SORTED_ROWS} can be sorted or "
            "filtered. Leave out `filter`, `sortKey` and `reverse`, and page through the list."
        )
    return range(max(1, -(-view.total // view.size)))
