"""What a mutation asks to be written, and what it gets back."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from gateway.bigcommerce.models import Customer
from gateway.user_errors import UserError


class Unchanged(Enum):
    """The type of `UNCHANGED`, which stands for a field that keeps its value."""

    UNCHANGED = auto()


UNCHANGED: Final = Unchanged.UNCHANGED


class IfNameTaken(Enum):
    """What becomes of a new segment whose name the store has already."""

    ERROR = "ERROR"
    """It is refused with NAME_TAKEN."""
    KEEP = "KEEP"
    """The segment that has the name is returned as it is."""
    UPDATE = "UPDATE"
    """The segment that has the name gets the new description, unless that is null."""


@dataclass(frozen=True, slots=True)
class NewSegment:
    """A segment to create."""

    name: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class SegmentChange:
    """The fields to set of the segment with an id; a description of None clears it."""

    id: str
    name: str | Unchanged | None = UNCHANGED
    description: str | Unchanged | None = UNCHANGED


@dataclass(frozen=True, slots=True)
class MembershipOutcome:
    """What became of each customer, in the order of the input, and how many profiles were made.

    A customer has the profile and the segments that it has after the write.
    """

    outcomes: list[Customer | UserError]
    created_profiles: int
