"""Encodes rows and blocks for Redis. Decoding validates them: Redis may contain anything."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, cast

import msgspec

from gateway.bigcommerce.listings import customer_number
from gateway.bigcommerce.models import Customer, uuid_in_lower_case
from gateway.bigcommerce.protocol import LARGEST
from gateway.pagination import Block
from gateway.row import Identified, Row

ABSENT = b""

_encode = msgspec.msgpack.Encoder().encode


class _StoredBlock(msgspec.Struct, Generic[Row], array_like=True):
    """A block without the time of its read."""

    index: int
    size: int
    total: int
    rows: list[Row | None]


def has_uuid(row: Identified) -> bool:
    """Whether the id of a row is a uuid in lower case."""
    return uuid_in_lower_case(row.id) == row.id


def has_customer_ids(row: Customer) -> bool:
    """Whether a customer has a whole number for an id, and uuids for those of what it has."""
    uuids = row.segment_ids or ()
    if row.shopper_profile_id is not None:
        uuids = (row.shopper_profile_id, *uuids)
    is_number = str(customer_number(row.id)) == row.id
    return is_number and all(uuid_in_lower_case(one) == one for one in uuids)


class Codec(Generic[Row]):
    """The codecs of one type of rows, a `msgspec.Struct`, and of blocks of them.

    `has_ids` checks the ids in a row: they go into requests and cursors.
    """

    def __init__(self, row_type: type[Row], has_ids: Callable[[Row], bool] = has_uuid) -> None:
        self.rows = _RowCodec(row_type, has_ids)
        self.blocks = _BlockCodec(row_type, has_ids)


class _RowCodec(Generic[Row]):
    def __init__(self, row_type: type[Row], has_ids: Callable[[Row], bool]) -> None:
        self._has_ids = has_ids
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
        if not _is_sound(row, self._has_ids) or row.id != key.rpartition(":")[2]:
            raise ValueError
        return row


class _BlockCodec(Generic[Row]):
    def __init__(self, row_type: type[Row], has_ids: Callable[[Row], bool]) -> None:
        self._has_ids = has_ids
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
        are_sound = all(_is_sound(row, self._has_ids) for row in usable)
        if len(rows) != expected or not are_distinct or not are_sound:
            raise ValueError
        return Block(index, size, total, rows, read_at)


class EmailCodec:
    """The codec of a customer's id, which is None for an e-mail address that no customer has."""

    def encode(self, value: str | None) -> bytes:
        """Returns the bytes of an id, or of its absence."""
        return ABSENT if value is None else value.encode()

    def decode(self, key: str, raw: bytes, read_at: float) -> str | None:
        """Returns the id, None for its absence."""
        if raw == ABSENT:
            return None
        text = raw.decode("ascii")
        if str(customer_number(text)) != text:
            raise ValueError
        return text


def _is_sound(row: Row, has_ids: Callable[[Row], bool]) -> bool:
    """Whether its ids are such ids, and every time is in UTC."""
    values = msgspec.structs.astuple(cast(msgspec.Struct, row))
    times = (value for value in values if isinstance(value, datetime))
    return has_ids(row) and all(time.utcoffset() == timedelta(0) for time in times)
