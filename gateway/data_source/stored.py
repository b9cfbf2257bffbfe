"""How segments and blocks of them lie in the cache: their keys, and their bytes."""

import msgspec

from gateway.bigcommerce.models import Segment
from gateway.shared.keys import key

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


encode = msgspec.msgpack.Encoder().encode
decode_block = msgspec.msgpack.Decoder(StoredBlock).decode
decode_segment = msgspec.msgpack.Decoder(Segment).decode
