"""Encodes rows and blocks for Redis. Decoding validates them: Redis may contain anything."""

from datetime import datetime, timedelta
from typing import Generic, cast

import msgspec

from gateway.bigcommerce.models import uuid_in_lower_case
from gateway.bigcommerce.protocol import LARGEST
from gateway.pagination import Block
from gateway.row import Row

ABSENT = b""

_encode = msgspec.msgpack.Encoder().encode


class _StoredBlock(msgspec.Struct, Generic[Row], array_like=True):
    """A block without the time of its read."""

    index: int
    size: int
    total: int
    rows: list[Row | None]


class Codec(Generic[Row]):
    """The codecs of one type of rows, a `msgspec.Struct`, and of blocks of them."""

    def __init__(self, row_type: type[Row]) -> None:
        self.rows = _RowCodec(row_type)
        self.blocks = _BlockCodec(row_type)


class _RowCodec(Generic[Row]):
    def __init__(self, row_type: type[Row]) -> None:
        self._decode = msgspec.msgpack.Decoder(row_type).decode

    def encode(self, value: Row | None) -> bytes:
        """Returns the bytes of a row, or of its absence."""
        return ABSENT if value is None else _encode(value)

    def decode(self, key: str, raw: bytes, read_at: float) -> Row | None:
        """Returns the row with the id in the key, None for its absence."""
        if raw == ABSENT:
            return None
        try:
            row = self._decode(raw)
        except RecursionError as error:
            raise ValueError from error
        if not _is_sound(row) or row.id != key.rpartition(":")[2]:
            raise ValueError
        return row


class _BlockCodec(Generic[Row]):
    def __init__(self, row_type: type[Row]) -> None:
        # msgspec resolves the subscript at run time; mypy accepts only a static type there.
        stored: type[_StoredBlock[Row]] = _StoredBlock[row_type]  # type: ignore[valid-type]
        self._decode = msgspec.msgpack.Decoder(stored).decode

    def encode(self, value: Block[Row]) -> bytes:
        """Returns the bytes of a block."""
        return _encode(_StoredBlock(value.index, value.size, value.total, list(value.rows)))

    def decode(self, key: str, raw: bytes, read_at: float) -> Block[Row]:
        """Returns the block with the index in the key; checks it for missing rows."""
        try:
            stored = self._decode(raw)
        except RecursionError as error:
            raise ValueError from error
        index, size, total, rows = stored.index, stored.size, stored.total, stored.rows
        if str(index) != key.rpartition(":")[2]:
            raise ValueError
        if not (1 <= size <= LARGEST and 0 <= total <= LARGEST):
            raise ValueError
        usable = [row for row in rows if row is not None]
        are_distinct = len({row.id for row in usable}) == len(usable)
        expected = max(0, min(size, total - index * size))
        if len(rows) != expected or not are_distinct or not all(map(_is_sound, usable)):
            raise ValueError
        return Block(index, size, total, rows, read_at)


def _is_sound(row: Row) -> bool:
    """Whether the id is a uuid in lower case, and every time is in UTC."""
    values = msgspec.structs.astuple(cast(msgspec.Struct, row))
    times = (value for value in values if isinstance(value, datetime))
    are_in_utc = all(time.utcoffset() == timedelta(0) for time in times)
    return are_in_utc and uuid_in_lower_case(row.id) == row.id
