"""Opaque, versioned cursors of sorted lists: the value by which a row is sorted, and its id.

Layout, big-endian, base64url without padding: version (1 byte) · fingerprint of the list, which
includes its order (4) · id of the row (16) · the value: nothing if the row has none, a number (8),
or text in UTF-8 after a byte of 1.
"""

from functools import lru_cache
from struct import Struct
from typing import NamedTuple
from uuid import UUID

from gateway.errors import BadCursor
from gateway.pagination.cursors import (
    LIST_BYTES,
    NO_CURSOR,
    VERSION_OF_SORTED_LISTS,
    list_fingerprint,
    open_cursor,
    to_text,
)

# The characters of text by which rows are sorted. What differs only behind them counts as equal, so
# that a cursor holds all that decides the place of its row.
SORTED_CHARACTERS = 100

_HEAD = Struct(f">B{LIST_BYTES}s16s")
_NUMBER = Struct(">q")
_TEXT = b"\x01"

# What a row is sorted by, None if the row has no such value.
SortValue = str | int | None


class SortedCursor(NamedTuple):
    """A position in a sorted list."""

    value: SortValue
    row_id: str


def encode_sorted_cursor(cursor: SortedCursor, list_name: str) -> str:
    """Returns the text that a client sees; `list_name` names the list and its order."""
    row_id = bytes.fromhex(cursor.row_id.replace("-", ""))
    head = _HEAD.pack(VERSION_OF_SORTED_LISTS, list_fingerprint(list_name), row_id)
    match cursor.value:
        case None:
            return to_text(head)
        case str() as text:
            return to_text(head + _TEXT + text.encode())
        case number:
            return to_text(head + _NUMBER.pack(number))


@lru_cache(maxsize=2048)  # as `decode_cursor`
def decode_sorted_cursor(
    text: str, list_name: str, argument: str, *, is_text: bool
) -> SortedCursor:
    """Returns the cursor that `text` encodes; `is_text` is whether the list is sorted by text.

    Raises `BadCursor`, with the name of the `argument`, unless this version of the gateway minted
    exactly this text for this list in this order.
    """
    raw = open_cursor(text, list_name, argument, VERSION_OF_SORTED_LISTS)
    if len(raw) < _HEAD.size:
        raise BadCursor(NO_CURSOR.format(argument))
    _, _, row_id = _HEAD.unpack_from(raw)
    try:
        return SortedCursor(_value(raw[_HEAD.size :], is_text=is_text), str(UUID(bytes=row_id)))
    except ValueError as error:
        raise BadCursor(NO_CURSOR.format(argument)) from error


def _value(raw: bytes, *, is_text: bool) -> SortValue:
    """Returns the value of a cursor; raises `ValueError` if it is of another kind."""
    if not raw:
        return None
    if not is_text:
        if len(raw) != _NUMBER.size:
            raise ValueError("a number of another length")
        number: int = _NUMBER.unpack(raw)[0]
        return number
    text = raw[1:].decode()
    if raw[:1] != _TEXT or len(text) > SORTED_CHARACTERS:
        raise ValueError("a text that no row is sorted by")
    return text
