"""A collection: one list of the upstream, as all layers use it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Final, Generic
from urllib.parse import unquote

from gateway.bigcommerce.listings import (
    CUSTOMERS_BY_ID,
    SEGMENTS,
    SHOPPER_PROFILES,
    listing_of_members,
    listing_of_memberships,
)
from gateway.bigcommerce.models import Customer, Segment, ShopperProfile
from gateway.bigcommerce.protocol import Listing
from gateway.cache.entries import EntryKind
from gateway.data_source.codec import Codec, has_customer_ids
from gateway.pagination import Block
from gateway.redis.keys import key
from gateway.row import Row


@dataclass(frozen=True, slots=True)
class Collection(Generic[Row]):
    """One list of the upstream.

    A new list needs a row in `bigcommerce.models`, a `Listing` in `bigcommerce.listings`, a
    `Collection` here, and a type and a field in `schema`. The ids of a list have to be uuids, as
    cursors hold them.

    `name` is unique in the store, such as "segments" or "segments/<uuid>/shopper-profiles"; it is
    part of cursors, cache keys and invalidations. `maximum_rows` is the upstream's limit for the
    list, None for a list that may be too long to be read whole. `created_at` returns when a row was
    created, None if the row does not say: without it, a list of several pages proves no absence.
    `pool` is the name of the collection in which rows of the list are looked up by id, None if none
    is; `is_whole` is whether a row of the list has all that its lookup would have.
    """

    name: str
    listing: Listing[Row]
    codec: Codec[Row]
    maximum_rows: int | None = None
    created_at: Callable[[Row], datetime | None] = lambda _row: None
    pool: str | None = None
    is_whole: Callable[[Row], bool] = lambda _row: True

    @property
    def blocks(self) -> EntryKind[Block[Row]]:
        """The list's blocks in the cache."""
        return EntryKind(self.name, self.listing.operation, self.codec.blocks, self.shape)

    @property
    def rows(self) -> EntryKind[Row | None]:
        """The rows by id in the cache; None for an id that does not exist."""
        return EntryKind(
            self.pool or self.name,
            self.listing.lookup_operation,
            self.codec.rows,
            self.pool or self.shape,
        )

    @property
    def shape(self) -> str:
        """The name, with `*` in place of an id: "segments/*/shopper-profiles"."""
        first, *id_and_last = self.name.split("/")
        return "/".join([first, "*", *id_and_last[1:]]) if id_and_last else first


# BigCommerce's limit for a store.
MAXIMUM_SEGMENTS = 1000
_SEGMENT_CODEC: Final = Codec(Segment)
_PROFILE_CODEC: Final = Codec(ShopperProfile)

ALL_SEGMENTS = Collection(
    "segments",
    SEGMENTS,
    _SEGMENT_CODEC,
    MAXIMUM_SEGMENTS,
    attrgetter("created_at"),
    pool="segments",
)
ALL_SHOPPER_PROFILES = Collection("shopper-profiles", SHOPPER_PROFILES, _PROFILE_CODEC)
# Looked up, never listed.
CUSTOMERS = Collection(
    "customers", CUSTOMERS_BY_ID, Codec(Customer, has_customer_ids), pool="customers"
)


def members_of(segment_id: str) -> Collection[ShopperProfile]:
    """Returns the shopper profiles of a segment, whose id is a uuid in lower case."""
    listing = listing_of_members(segment_id)
    return Collection(f"segments/{segment_id}/shopper-profiles", listing, _PROFILE_CODEC)


def segments_of(profile_id: str) -> Collection[Segment]:
    """Returns the segments of a shopper profile, whose id is a uuid in lower case.

    A row without a name may be the id alone, and is looked up.
    """
    return Collection(
        f"shopper-profiles/{profile_id}/segments",
        listing_of_memberships(profile_id),
        _SEGMENT_CODEC,
        pool="segments",
        is_whole=lambda row: row.name is not None,
    )


# The names of all lists of one shape, as writes invalidate them.
ALL_MEMBERS: Final = members_of("*").name
ALL_MEMBERSHIPS: Final = segments_of("*").name


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

    def email(self, email: str) -> str:
        """Returns the key of the id that the customer of an e-mail address has."""
        return f"{self._prefix}:email:{key(email)}"


def last_part(of_key: str) -> str:
    """Returns the last part of a key: the index of a block, the id of a row, an e-mail address."""
    return unquote(of_key.rpartition(":")[2])
