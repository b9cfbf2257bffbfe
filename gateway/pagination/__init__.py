"""From cursor to page number, and back: pure, all reading is handed in.

`cursors` says where a row stood, `windows` does Relay's arithmetic, `reading` puts the two
together over the blocks of a list that may move between two reads.
"""

from gateway.pagination.cursors import Cursor, decode_cursor, encode_cursor, fingerprint
from gateway.pagination.reading import Block, BlockSource, Slice, read_slice, read_total
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
