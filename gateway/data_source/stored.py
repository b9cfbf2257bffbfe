"""How segments and blocks of them lie in the cache: their keys, and their bytes."""

import msgspec

from gateway.bigcommerce.models import Segment

# Part of every key: entries of another layout are not found, rather than misread.
CACHE_LAYOUT = "v1"
ABSENT = b""


class StoredBlock(msgspec.Struct, array_like=True):
    """One page of the list as it was answered."""

    index: int
    size: int
    total: int
    rows: list[Segment]


class StoredKeys:
    """The keys of one store's segments; a store hash has no colon."""

    def __init__(self, store_hash: str) -> None:
        self._prefix = f"{CACHE_LAYOUT}:{store_hash}:segments"

    def block(self, size: int, index: int) -> str:
        """The key of a block."""
        return f"{self._prefix}:block:{size}:{index}"

    def segment(self, row_id: str) -> str:
        """The key of a segment, or of its absence."""
        return f"{self._prefix}:id:{row_id}"


encode = msgspec.msgpack.Encoder().encode
decode_block = msgspec.msgpack.Decoder(StoredBlock).decode
decode_segment = msgspec.msgpack.Decoder(Segment).decode
