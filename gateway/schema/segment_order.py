"""The arguments that sort and filter segments, and what they mean for rows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Final

import strawberry
from strawberry import UNSET

from gateway.bigcommerce import models
from gateway.errors import BadUserInput
from gateway.pagination import MAXIMUM_SORTED_ROWS, Filter, Order, SortKey, folded
from gateway.schema.federation import SHARED_TAGS, TAGS, enum_value

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


@strawberry.federation.enum(tags=TAGS, description="What segments are sorted by.")
class SegmentSortKey(Enum):
    """The orders of segments."""

    STORE_ORDER = enum_value("store order", "The order in which the store's API lists segments.")
    NAME = enum_value(
        "name",
        "By name, where case and accents do not count, and only the first 100 characters do. Those "
        "of one name are sorted by id; those without a name are last.",
    )
    CREATED_AT = enum_value(
        "created at", "The oldest first. Ties are sorted by id; those without a date are last."
    )
    UPDATED_AT = enum_value(
        "updated at",
        "The one that was changed longest ago first. Ties are sorted by id; those without a date "
        "are last.",
    )


@strawberry.federation.input(
    tags=SHARED_TAGS,
    description=(
        "A range of times. One end can be left out. It is empty if `from` is not before `to`."
    ),
)
class DateTimeRange:
    """A half-open range."""

    from_: datetime | None = strawberry.federation.field(
        default=UNSET, name="from", tags=SHARED_TAGS, description="The first time in the range."
    )
    to: datetime | None = strawberry.federation.field(
        default=UNSET, tags=SHARED_TAGS, description="The first time behind the range."
    )


@strawberry.federation.input(
    tags=TAGS, description="Which segments are kept: those that meet all conditions."
)
class SegmentFilter:
    """Conditions on segments."""

    name_contains: str | None = strawberry.federation.field(
        default=UNSET,
        tags=TAGS,
        description=(
            "A part of the name. Case, accents, and space around it do not count; an empty one "
            "keeps all segments."
        ),
    )
    created_at: DateTimeRange | None = strawberry.federation.field(
        default=UNSET,
        tags=TAGS,
        description="When the segment was created. A segment without a date is in no range.",
    )
    updated_at: DateTimeRange | None = strawberry.federation.field(
        default=UNSET,
        tags=TAGS,
        description="When the segment was last changed. A segment without a date is in no range.",
    )


# The characters of a part that is searched in names. Some characters fold to 18.
LONGEST_NAME_PART: Final = 255


@lru_cache(maxsize=2 * MAXIMUM_SORTED_ROWS)  # each filter and each sort takes those of all rows
def _folded_name(name: str) -> str:
    return folded(name)


def _name(row: models.Segment) -> str | None:
    return None if row.name is None else _folded_name(row.name)


def _microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - EPOCH) // MICROSECOND


# None is the store's order.
SORT_KEYS: Final[dict[SegmentSortKey, SortKey[models.Segment] | None]] = {
    SegmentSortKey.STORE_ORDER: None,
    SegmentSortKey.NAME: SortKey("name", _name, is_text=True),
    SegmentSortKey.CREATED_AT: SortKey("createdAt", lambda row: _microseconds(row.created_at)),
    SegmentSortKey.UPDATED_AT: SortKey("updatedAt", lambda row: _microseconds(row.updated_at)),
}


def segment_order(sort_key: SegmentSortKey | None, reverse: bool | None) -> Order[models.Segment]:
    """Returns the order that the arguments ask for; null is the default."""
    return Order(SORT_KEYS[sort_key or SegmentSortKey.STORE_ORDER], bool(reverse))


STORE_ORDER: Final = segment_order(None, None)
# The arguments' values, beside null, at which the connection is that of the store's own list.
PLAIN: Final = {
    "sortKey": ("STORE_ORDER", SegmentSortKey.STORE_ORDER),
    "reverse": (False,),
}


@dataclass(frozen=True, slots=True)
class _Range:
    start: datetime | None
    end: datetime | None

    def holds(self, moment: datetime | None) -> bool:
        """Whether the time is in the range; no range holds None."""
        if moment is None:
            return False
        is_late_enough = self.start is None or self.start <= moment
        return is_late_enough and (self.end is None or moment < self.end)


@dataclass(frozen=True, slots=True)
class _Conditions:
    """A filter of rows; equal conditions are equal values."""

    name_part: str
    created: _Range | None
    updated: _Range | None

    def __call__(self, row: models.Segment) -> bool:
        if self.name_part and (row.name is None or self.name_part not in _folded_name(row.name)):
            return False
        if self.created is not None and not self.created.holds(row.created_at):
            return False
        return self.updated is None or self.updated.holds(row.updated_at)


EVERY_SEGMENT: Final = _Conditions("", None, None)


def segment_filter(given: SegmentFilter | None) -> Filter[models.Segment] | None:
    """Returns the filter of rows, None if it keeps all of them; raises `BadUserInput`."""
    if not given:
        return None
    part = given.name_contains or ""
    if len(part) > LONGEST_NAME_PART:
        raise BadUserInput(f"`nameContains` has more than {LONGEST_NAME_PART} characters.")
    conditions = _Conditions(
        folded(part).strip(),
        _range(given.created_at),
        _range(given.updated_at),
    )
    return None if conditions == EVERY_SEGMENT else conditions


def _range(given: DateTimeRange | None) -> _Range | None:
    """Returns the range; one without an end on either side holds each time."""
    return _Range(given.from_ or None, given.to or None) if given else None
