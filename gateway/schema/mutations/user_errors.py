"""The errors of a mutation's items, each with the path to the input at fault."""

from enum import Enum
from typing import Final

import strawberry

from gateway.schema.federation import TAGS, enum_value
from gateway.user_errors import UserError

# The argument of each mutation, with which the paths begin.
INPUT: Final = "input"

Path = tuple[str, ...]


@strawberry.federation.enum(
    name="UserErrorCode", tags=TAGS, description="Why an item of a mutation was not carried out."
)
class ItemErrorCode(Enum):
    """The codes of `gateway.user_errors`, as clients see them."""

    INVALID = enum_value(
        "INVALID",
        "The item is malformed, or contradicts another one, or the store does not take a value.",
    )
    NAME_TAKEN = enum_value(
        "NAME_TAKEN", "Another segment has the name, in the store or in the input."
    )
    NOT_FOUND = enum_value(
        "NOT_FOUND", "The store has no segment, customer or profile with this id."
    )
    LIMIT_REACHED = enum_value("LIMIT_REACHED", "The store holds as many as it may: 1000 segments.")
    ALREADY_MEMBER = enum_value("ALREADY_MEMBER", "The shopper profile is in the segment already.")
    NOT_A_MEMBER = enum_value("NOT_A_MEMBER", "The shopper profile is not in the segment.")
    NO_SHOPPER_PROFILE = enum_value("NO_SHOPPER_PROFILE", "The customer has no shopper profile.")
    HAS_SHOPPER_PROFILE = enum_value(
        "HAS_SHOPPER_PROFILE", "The customer has a shopper profile already."
    )
    REFUSED = enum_value("REFUSED", "The store refused it, and its reason is not known.")
    NOT_ATTEMPTED = enum_value(
        "NOT_ATTEMPTED",
        "It was not carried out: an earlier request of the mutation failed, the quota is used up, "
        "or no time was left. It can be sent again.",
    )
    OUTCOME_UNKNOWN = enum_value(
        "OUTCOME_UNKNOWN",
        "It was sent, and no answer says what became of it. Read before you try again.",
    )


@strawberry.federation.type(
    name="UserError",
    shareable=True,
    tags=TAGS,
    description="An item of a mutation that was not carried out. The other items are.",
)
class ItemError:
    """The error of one item, as clients see it."""

    field: list[str] | None = strawberry.field(
        description=(
            "The path to the input that failed, its index included, such as "
            '`["input", "segments", "3", "name"]`.'
        )
    )
    message: str = strawberry.field(description="What is wrong, and what to do.")
    code: ItemErrorCode = strawberry.field(description="Why the item was not carried out.")


def path_to(field: str, index: int, *below: str) -> Path:
    """Returns the path to an item of a list of the input, or to a field of that item."""
    return (INPUT, field, str(index), *below)


def item_error(path: Path, error: UserError, field: str | None) -> ItemError:
    """Returns the error of the item at a path, of which a field may be at fault."""
    return ItemError(
        field=[*path] if field is None else [*path, field],
        message=error.message,
        code=ItemErrorCode[error.code.name],
    )
