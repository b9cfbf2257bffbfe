"""How segments and blocks of them lie in the cache: their keys, and their bytes."""

from datetime import timedelta

import msgspec

from gateway.bigcommerce.models import Segment, uuid_in_lower_case
from gateway.bigcommerce.protocol import LARGEST
from gateway.redis.keys import key

ABSENT = b""


class StoredBlock(msgspec.Struct, array_like=True):
    """One page of the list as it was answered; a row without a usable id is None."""

    index: int
    size: int
    total: int
    rows: list[Segment | None]


class StoredKeys:
    """The keys of one collection of a store; `store_key` tells the layout of what lies there, too.

    Indices, sizes and uuids hold nothing that would have to be quoted.
    """

    def __init__(self, store_key: str, collection: str) -> None:
        self._prefix = f"{store_key}:{key(collection)}"

    def block(self, size: int, index: int) -> str:
        """The key of a block."""
        return f"{self._prefix}:block:{size}:{index}"

    def segment(self, row_id: str) -> str:
        """The key of a segment, or of its absence."""
        return f"{self._prefix}:id:{row_id}"

    def is_sound(self, key: str, value: bytes) -> bool:
        """Tells whether the value is what this key names. Redis may hold anything."""
        *_, kind, last = key.removeprefix(f"{self._prefix}:").split(":")
        return is_segment(last, value) if kind == "id" else is_block(int(last), value)


def is_segment(row_id: str, value: bytes) -> bool:
    """Tells whether this is the segment with this id, or its absence."""
    try:
        return value == ABSENT or _is_sound(decode_segment(value), row_id)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def is_block(index: int, value: bytes) -> bool:
    """Tells whether this is the block with this index, with all rows that its total demands."""
    try:
        block = decode_block(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    if block.index != index or not (1 <= block.size <= LARGEST and 0 <= block.total <= LARGEST):
        return False
    rows = max(0, min(block.size, block.total - index * block.size))
    usable = [row for row in block.rows if row is not None]
    are_distinct = len({row.id for row in usable}) == len(usable)
    return len(block.rows) == rows and are_distinct and all(map(_is_sound, usable))


def _is_sound(row: Segment, row_id: str | None = None) -> bool:
    times = (row.created_at, row.updated_at)
    are_in_utc = all(time is None or time.utcoffset() == timedelta(0) for time in times)
    return are_in_utc and uuid_in_lower_case(row.id) == row.id and row_id in (None, row.id)


encode = msgspec.msgpack.Encoder().encode
decode_block = msgspec.msgpack.Decoder(StoredBlock).decode
decode_segment = msgspec.msgpack.Decoder(Segment).decode
