"""The upstream's rows and pages, typed."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Generic

import msgspec

from gateway.row import Row

UUID_DIGITS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Segment(msgspec.Struct, frozen=True, gc=False):
    """A customer segment; `id` is a uuid in lower case, every other field can be missing."""

    id: str
    name: str | None = None
    description: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class ShopperProfile(msgspec.Struct, frozen=True, gc=False):
    """The profile that links a customer to segments; `id` is a uuid in lower case."""

    id: str
    customer_id: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Customer(msgspec.Struct, frozen=True, gc=False):
    """A customer, with what the graph shows of it; `id` is a whole number in decimal digits.

    `shopper_profile_id` is None without a profile. `segment_ids` are uuids in lower case, None if
    the upstream sends none.
    """

    id: str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    shopper_profile_id: str | None = None
    segment_ids: tuple[str, ...] | None = None


class Page(msgspec.Struct, Generic[Row], frozen=True):
    """One page of a list, with the page size and the number of rows that the upstream reports.

    A row without a usable id is None, so that the others keep their offsets.
    """

    rows: Sequence[Row | None]
    per_page: int
    total: int


@lru_cache(maxsize=8192)  # the same ids come again and again
def uuid_in_lower_case(text: str) -> str | None:
    """Returns the uuid in lower case, None if the text is not a uuid of 8-4-4-4-12 digits."""
    lowered = text.lower()
    return lowered if UUID_DIGITS.fullmatch(lowered) else None
