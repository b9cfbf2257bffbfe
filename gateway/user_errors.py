"""Why an item of a mutation was not carried out; a mutation answers one for each such item."""

from dataclasses import dataclass
from enum import StrEnum


class UserErrorCode(StrEnum):
    """Every value that `code` of a `UserError` can have."""

    INVALID = "INVALID"
    NAME_TAKEN = "NAME_TAKEN"
    NOT_FOUND = "NOT_FOUND"
    LIMIT_REACHED = "LIMIT_REACHED"
    ALREADY_MEMBER = "ALREADY_MEMBER"
    NOT_A_MEMBER = "NOT_A_MEMBER"
    NO_SHOPPER_PROFILE = "NO_SHOPPER_PROFILE"
    HAS_SHOPPER_PROFILE = "HAS_SHOPPER_PROFILE"
    REFUSED = "REFUSED"
    """The store refused it, and its reason is not known."""
    NOT_ATTEMPTED = "NOT_ATTEMPTED"
    """An earlier request of the mutation failed, the quota is used up, or the time is over."""
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    """It was sent, and no answer says what became of it: it may have been carried out."""


@dataclass(frozen=True, slots=True)
class UserError:
    """The error of one item; `message` says what to do, `field` names the item's field at fault."""

    code: UserErrorCode
    message: str
    field: str | None = None
