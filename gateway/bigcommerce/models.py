"""What the upstream holds, as the gateway reads it: lenient on the way in, typed from here on."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Segment(msgspec.Struct, frozen=True, gc=False):
    """A customer segment; `id` is a uuid in lower case. Nothing but the id is sure to be there."""

    id: str
    name: str | None = None
    description: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


Row = TypeVar("Row")


class Page(msgspec.Struct, Generic[Row], frozen=True):
    """One page of a list: `per_page` rows to a page as answered, `total` rows in all.

    A row without a usable id is None, so that the others keep their places.
    """

    rows: Sequence[Row | None]
    per_page: int
    total: int


def uuid_in_lower_case(text: str) -> str | None:
    """Returns the uuid in lower case, None for text that is no uuid of 8-4-4-4-12 digits."""
    lowered = text.lower()
    return lowered if _UUID.fullmatch(lowered) else None
