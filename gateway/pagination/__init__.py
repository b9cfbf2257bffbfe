"""From cursor to page number, and back. Pure: blocks are read through a `BlockSource`.

`cursors` encodes the position of a row, `windows` does Relay's arithmetic, `blocks` defines what is
read. `view` keeps the blocks of one answer to one version of the list, `reading` finds the window
in it, and `slices` is the result. `still` finds the window without waiting, if nothing has moved.

`sorted_lists` pages through a list whose rows are all known; `sorted_cursors` are its cursors.
"""

from gateway.pagination.blocks import PAGE_SIZE_CHANGES, Block, BlockCursors, BlockSource
from gateway.pagination.cursors import Cursor, decode_cursor, encode_cursor, fingerprint
from gateway.pagination.reading import read_slice, read_total
from gateway.pagination.slices import Slice
from gateway.pagination.sorted_cursors import SORTED_CHARACTERS, SortValue
from gateway.pagination.sorted_lists import (
    OrderedPage,
    OrderedRows,
    SortedRows,
    SortKey,
    ordered_page,
)
from gateway.pagination.still import still_page
from gateway.pagination.windows import (
    DEFAULT_ROWS,
    MAXIMUM_ROWS,
    ConnectionArguments,
    Window,
    blocks_covering,
    checked_counts,
    connection_arguments,
    cut_window,
)

__all__ = [
    "DEFAULT_ROWS",
    "MAXIMUM_ROWS",
    "PAGE_SIZE_CHANGES",
    "SORTED_CHARACTERS",
    "Block",
    "BlockCursors",
    "BlockSource",
    "ConnectionArguments",
    "Cursor",
    "OrderedPage",
    "OrderedRows",
    "Slice",
    "SortKey",
    "SortValue",
    "SortedRows",
    "Window",
    "blocks_covering",
    "checked_counts",
    "connection_arguments",
    "cut_window",
    "decode_cursor",
    "encode_cursor",
    "fingerprint",
    "ordered_page",
    "read_slice",
    "read_total",
    "still_page",
]
