"""A collection: one list of the upstream, as all layers use it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Generic

from gateway.bigcommerce.models import Segment
from gateway.bigcommerce.protocol import SEGMENTS, Listing
from gateway.cache.entries import EntryKind
from gateway.data_source.codec import Codec
from gateway.pagination import Block
from gateway.redis.keys import key
from gateway.row import Row


@dataclass(frozen=True, slots=True)
class Collection(Generic[Row]):
    """One list of the upstream.

    A new list needs a row in `bigcommerce.models`, a `Listing` in `bigcommerce.protocol`, a
    `Collection` here, and a type and a field in `schema`. Its ids have to be uuids: cursors and
    Redis check that.

    `name` is unique in the store, such as "segments" or "segments/<uuid>/shopper-profiles"; it is
    part of cursors, cache keys and invalidations. `maximum_rows` is the upstream's limit for the
    list, None for a list that may be too long to be read whole. `created_at` returns when a row was
    created, None if the row does not say: without it, a list of several pages proves no absence.
    """

    name: str
    listing: Listing[Row]
    codec: Codec[Row]
    maximum_rows: int | None = None
    created_at: Callable[[Row], datetime | None] = lambda _row: None

    @property
    def blocks(self) -> EntryKind[Block[Row]]:
        """The list's blocks in the cache."""
        return EntryKind(self.name, self.listing.operation, self.codec.blocks)

    @property
    def rows(self) -> EntryKind[Row | None]:
        """The list's rows by id in the cache; None for an id that does not exist."""
        return EntryKind(self.name, self.listing.operation_by_id, self.codec.rows)


# BigCommerce's limit for a store.
MAXIMUM_SEGMENTS = 1000

ALL_SEGMENTS = Collection(
    "segments", SEGMENTS, Codec(Segment), MAXIMUM_SEGMENTS, attrgetter("created_at")
)


class Keys:
    """The cache keys of one collection of a store, `<store_key>:<collection>:…`."""

    def __init__(self, store_key: str, collection: str) -> None:
        self._prefix = f"{store_key}:{key(collection)}"

    # Indices, sizes and ids need no encoding.
    def block(self, size: int, index: int) -> str:
        """Returns the key of a block."""
        return f"{self._prefix}:block:{size}:{index}"

    def row(self, row_id: str) -> str:
        """Returns the key of a row, or of its absence."""
        return f"{self._prefix}:id:{row_id}"


def last_part(of_key: str) -> str:
    """Returns the last part of a key: the index of a block, the id of a row."""
    return of_key.rpartition(":")[2]
