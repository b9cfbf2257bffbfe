"""From cursor to page number, and back: pure, all reading is handed in.

`cursors` says where a row stood, `windows` does Relay's arithmetic, `blocks` is what is read; a
`view` keeps the blocks of one answer to one edition of the list, `reading` finds the window in it,
`slices` is what comes out.
"""

from gateway.pagination.blocks import PAGE_SIZE_CHANGES, Block, BlockSource
from gateway.pagination.cursors import Cursor, decode_cursor, encode_cursor, fingerprint
from gateway.pagination.reading import read_slice, read_total
from gateway.pagination.slices import Slice
from gateway.pagination.windows import (
    DEFAULT_ROWS,
    MAXIMUM_ROWS,
    ConnectionArguments,
    Window,
    blocks_covering,
    connection_arguments,
    cut_window,
)

__all__ = [
    "DEFAULT_ROWS",
    "MAXIMUM_ROWS",
    "PAGE_SIZE_CHANGES",
    "Block",
    "BlockSource",
    "ConnectionArguments",
    "Cursor",
    "Slice",
    "Window",
    "blocks_covering",
    "connection_arguments",
    "cut_window",
    "decode_cursor",
    "encode_cursor",
    "fingerprint",
    "read_slice",
    "read_total",
]
