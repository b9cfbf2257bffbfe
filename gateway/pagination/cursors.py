"""Opaque, versioned cursors: the offset of a row, its id, and the rows before it.

Layout, big-endian, base64url without padding: version (1 byte) · fingerprint of the list (4) ·
offset (4) · id of the row (16) · fingerprints of up to five rows before it, nearest first (5 each).
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from uuid import UUID

from gateway.errors import BadCursor

VERSION = 1
# Those of sorted lists are of another layout.
VERSION_OF_SORTED_LISTS = 2
VERSIONS = (VERSION, VERSION_OF_SORTED_LISTS)
# The rows before its own that a cursor remembers: they mark its position if its row is deleted.
REMEMBERED_ROWS = 5
# 40 bits: among 1000 rows, a wrong match of five rows is one in 200 million.
FINGERPRINT_BYTES = 5
LIST_BYTES = 4
# In characters; the longest of a list has 67, the longest of a sorted list has 563.
LONGEST_CURSOR = 600
NO_CURSOR = (
    "`{}` is not a cursor. Pass a `cursor`, `startCursor` or `endCursor` that this connection "
    "answered, or leave the argument out."
)

_HEAD = Struct(f">B{LIST_BYTES}sI16s")
_LENGTHS = {_HEAD.size + FINGERPRINT_BYTES * rows for rows in range(REMEMBERED_ROWS + 1)}
_ALPHABET = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a list: `offset` is from 0, `before` holds fingerprints, nearest row first."""

    offset: int
    row_id: str
    before: tuple[bytes, ...] = ()


@lru_cache(maxsize=8192)
def fingerprint(row_id: str) -> bytes:
    """Returns the short hash of a row's id by which cursors remember a row."""
    return blake2b(row_id.encode(), digest_size=FINGERPRINT_BYTES).digest()


@lru_cache(maxsize=1024)
def list_fingerprint(list_name: str) -> bytes:
    """Returns the short hash of a list's name that its cursors have."""
    return blake2b(list_name.encode(), digest_size=LIST_BYTES).digest()


def encode_cursor(cursor: Cursor, list_name: str) -> str:
    """Returns the text that a client sees; `list_name` names its list."""
    row_id = bytes.fromhex(cursor.row_id.replace("-", ""))  # three times as fast as UUID
    head = _HEAD.pack(VERSION, list_fingerprint(list_name), cursor.offset, row_id)
    return to_text(head + b"".join(cursor.before))


@lru_cache(maxsize=2048)  # all clients who page through a list send the same cursors
def decode_cursor(text: str, list_name: str, argument: str) -> Cursor:
    """Returns the cursor that `text` encodes.

    Raises `BadCursor`, with the name of the `argument`, unless this version of the gateway minted
    exactly this text for this list.
    """
    raw = open_cursor(text, list_name, argument, VERSION)
    if len(raw) not in _LENGTHS:
        raise BadCursor(NO_CURSOR.format(argument))
    _, _, offset, row_id = _HEAD.unpack_from(raw)
    tail = raw[_HEAD.size :]
    before = tuple(
        tail[at : at + FINGERPRINT_BYTES] for at in range(0, len(tail), FINGERPRINT_BYTES)
    )
    return Cursor(offset, str(UUID(bytes=row_id)), before)


def open_cursor(text: str, list_name: str, argument: str, version: int) -> bytes:
    """Returns the bytes of a cursor of this version and this list; raises `BadCursor`."""
    raw = _decoded(text)
    if raw is None or len(raw) <= LIST_BYTES:
        raise BadCursor(NO_CURSOR.format(argument))
    if raw[0] in VERSIONS and raw[1 : 1 + LIST_BYTES] != list_fingerprint(list_name):
        raise BadCursor(
            f"`{argument}` is a cursor of another list, or of another order of this list. "
            "Pass one that this connection answered."
        )
    if raw[0] != version:
        raise BadCursor(
            f"`{argument}` is not a cursor of this version of the gateway. Start again without it."
        )
    return raw


def to_text(raw: bytes) -> str:
    """Returns the bytes of a cursor as base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes | None:
    """Returns the bytes of base64url text, None if the text is not their canonical form."""
    if len(text) > LONGEST_CURSOR or not _ALPHABET.fullmatch(text) or len(text) % 4 == 1:
        return None
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return raw if to_text(raw) == text else None
