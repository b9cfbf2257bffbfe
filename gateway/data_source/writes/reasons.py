"""The user errors of writes: why an item was not carried out, in sentences of the gateway.

The texts of the upstream are searched for the reason, and never shown.
"""

import re
from collections.abc import Callable

from gateway.bigcommerce.write_errors import WriteRefusal
from gateway.errors import UpstreamError
from gateway.user_errors import UserError, UserErrorCode

# Statuses by which an answer refuses what was sent, not the sender.
BAD_VALUE = (400, 422)
_ABOUT_A_NAME = re.compile(r"same name|name.{0,40}(?:taken|exists|unique|in use|duplicate)")
_ABOUT_ABSENCE = re.compile(r"not found|not exist|unknown(?! error)|no such|cannot be found")
_ABOUT_THE_LIMIT = re.compile(
    r"\bsegments\b.{0,60}\b(?:limit|maximum|1000)\b|\b(?:limit|maximum|1000)\b.{0,60}\bsegments\b"
)
_ABOUT_A_LENGTH = re.compile(r"\bname|descri|character|length|long")
_ABOUT_A_CONFLICT = re.compile(r"already|exists|conflict|duplicate|has a")
_ABOUT_NO_MEMBER = re.compile(r"not (?:a member|in|part of|assigned|exist for|associated)")

# Returns the error of an item for a refusal that is about this item.
ReasonOf = Callable[[WriteRefusal], UserError]


def invalid(message: str, field: str | None = None) -> UserError:
    """Returns the error of an item for a value of its own."""
    return UserError(UserErrorCode.INVALID, message, field)


def name_taken(
    message: str = "The store has a segment with this name: choose another.",
) -> UserError:
    """Returns the error of a name that another segment has."""
    return UserError(UserErrorCode.NAME_TAKEN, message, "name")


def not_found(what: str, field: str | None = None) -> UserError:
    """Returns the error of an id that the store does not have; `what` begins the sentence."""
    return UserError(UserErrorCode.NOT_FOUND, f"{what} does not exist.", field)


def limit_reached() -> UserError:
    """Returns the error of a segment for which the store has no room."""
    return UserError(
        UserErrorCode.LIMIT_REACHED,
        "The store has as many segments as it may: delete one first.",
    )


def not_attempted(why: UpstreamError | None = None) -> UserError:
    """Returns the error of an item that was not carried out; `why` is the error that stopped it."""
    reason = "An earlier request of the mutation failed." if why is None else why.message
    return UserError(
        UserErrorCode.NOT_ATTEMPTED, f"It was not attempted: send it again. The reason: {reason}"
    )


def outcome_unknown() -> UserError:
    """Returns the error of an item that was sent, without an answer that says what became of it."""
    return UserError(
        UserErrorCode.OUTCOME_UNKNOWN,
        "It was sent, and the store did not say whether it was carried out: read before you try "
        "again.",
    )


def refused(why: UpstreamError | WriteRefusal | None = None) -> UserError:
    """Returns the error of an item that the store refused for a reason that is not known."""
    if isinstance(why, UpstreamError):
        return UserError(UserErrorCode.REFUSED, why.message)
    status = "" if why is None else f" with status {why.status}"
    return UserError(UserErrorCode.REFUSED, f"The store refused it{status}.")


def says_name_is_taken(refusal: WriteRefusal) -> bool:
    """Whether a refusal says that a name is taken."""
    return _ABOUT_A_NAME.search(refusal.text) is not None


def creation_error(refusal: WriteRefusal) -> UserError:
    """Returns the error of a segment that could not be created."""
    if says_name_is_taken(refusal):
        return name_taken()
    if _ABOUT_THE_LIMIT.search(refusal.text) and not _ABOUT_A_LENGTH.search(refusal.text):
        return limit_reached()
    if refusal.status == 409:
        return name_taken()
    return _value_error(refusal, ("name", "description"))


def update_error(refusal: WriteRefusal) -> UserError:
    """Returns the error of a segment that could not be changed."""
    return not_found("The segment", "id") if _says_absent(refusal) else creation_error(refusal)


def deletion_error(what: str) -> ReasonOf:
    """Returns the reason of a row that could not be deleted; `what` begins the sentence."""
    return lambda refusal: not_found(what) if _says_absent(refusal) else refused(refusal)


def profile_error(refusal: WriteRefusal) -> UserError:
    """Returns the error of a profile that could not be created."""
    if _says_absent(refusal):
        return not_found("The customer")
    if refusal.status == 409 or _ABOUT_A_CONFLICT.search(refusal.text):
        return has_profile()
    return refused(refusal)


def has_profile() -> UserError:
    """Returns the error of a customer who has a profile already."""
    return UserError(
        UserErrorCode.HAS_SHOPPER_PROFILE, "The customer has a shopper profile already."
    )


def no_profile() -> UserError:
    """Returns the error of a customer without a profile, where none is to be made."""
    return UserError(
        UserErrorCode.NO_SHOPPER_PROFILE,
        "The customer has no shopper profile: create it first, or set createMissingProfiles.",
    )


def already_member() -> UserError:
    """Returns the error of a profile that is in the segment already."""
    return UserError(UserErrorCode.ALREADY_MEMBER, "The shopper profile is in the segment already.")


def not_a_member() -> UserError:
    """Returns the error of a profile that is not in the segment, or does not exist at all."""
    return UserError(UserErrorCode.NOT_A_MEMBER, "The shopper profile is not in the segment.")


def addition_error(refusal: WriteRefusal) -> UserError:
    """Returns the error of a profile that could not be added to a segment."""
    if refusal.status == 409 or "already" in refusal.text:
        return already_member()
    if refusal.status != 404 and _says_absent(refusal):
        return not_found("The shopper profile")
    return refused(refusal)


def removal_error(refusal: WriteRefusal) -> UserError:
    """Returns the error of a profile that could not be removed from a segment."""
    is_no_member = _ABOUT_NO_MEMBER.search(refusal.text) or _says_absent(refusal)
    return not_a_member() if refusal.status != 404 and is_no_member else refused(refusal)


def _says_absent(refusal: WriteRefusal) -> bool:
    """Whether a refusal says that what the item names does not exist: not that the route does."""
    return _ABOUT_ABSENCE.search(refusal.text) is not None and "route" not in refusal.text


def _value_error(refusal: WriteRefusal, fields: tuple[str, ...]) -> UserError:
    """Returns the error for a value: INVALID if the store names the field, else REFUSED."""
    if refusal.status in BAD_VALUE and refusal.field in fields:
        return invalid(f"The store does not take this {refusal.field}.", refusal.field)
    return refused(refusal)
