"""From cursor to page number, and back. Pure: blocks are read through a `BlockSource`.

`cursors` encodes the position of a row, `windows` does Relay's arithmetic, `blocks` defines what is
read. `view` keeps the blocks of one answer to one version of the list, `reading` finds the window
in it, and `slices` is the result. `still` finds the window without waiting, if nothing has moved.

`sorted_lists` pages through a list whose rows are all known; `sorted_cursors` are its cursors.
`whole` reads all blocks of a list for that, `orders` keeps its orders and what filters keep of
them, `store_order` is the upstream's order of such a list, and `collation` that of names.
"""

from gateway.pagination.blocks import PAGE_SIZE_CHANGES, Block, BlockCursors, BlockSource
from gateway.pagination.collation import folded
from gateway.pagination.cursors import Cursor, decode_cursor, encode_cursor, fingerprint
from gateway.pagination.orders import Filter, Kept, Order, Orders
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
from gateway.pagination.whole import MAXIMUM_SORTED_ROWS, read_whole
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
    "MAXIMUM_SORTED_ROWS",
    "PAGE_SIZE_CHANGES",
    "SORTED_CHARACTERS",
    "Block",
    "BlockCursors",
    "BlockSource",
    "ConnectionArguments",
    "Cursor",
    "Filter",
    "Kept",
    "Order",
    "OrderedPage",
    "OrderedRows",
    "Orders",
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
    "folded",
    "ordered_page",
    "read_slice",
    "read_total",
    "read_whole",
    "still_page",
]
