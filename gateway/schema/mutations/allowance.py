"""What the mutations of one request may change: how many items together, and whether to delete."""

from dataclasses import dataclass

from gateway.errors import BadUserInput, Forbidden

SEGMENTS_SETTING = "GATEWAY_MAX_SEGMENTS_PER_MUTATION"
CUSTOMERS_SETTING = "GATEWAY_MAX_CUSTOMERS_PER_MUTATION"


@dataclass(frozen=True, slots=True)
class WriteLimits:
    """The most segments, and customers or profiles, of one request; and whether it may delete."""

    segments: int = 250
    customers: int = 1000
    deletes: bool = True


NO_OTHER_LIMITS = WriteLimits()


class WriteAllowance:
    """Counts what the mutations of one request change.

    A request has as many mutations as it has aliases: all of them share the limits of one.
    """

    def __init__(self, limits: WriteLimits = NO_OTHER_LIMITS) -> None:
        self._limits = limits
        self._segments = 0
        self._customers = 0

    def spend_segments(self, number: int) -> None:
        """Counts segments; raises `BadUserInput` for none, and for too many."""
        self._segments += number
        _check(number, self._segments, self._limits.segments, "segments", SEGMENTS_SETTING)

    def spend_customers(self, number: int) -> None:
        """Counts customers or profiles; raises `BadUserInput` for none, and for too many."""
        self._customers += number
        what = "customers or shopper profiles"
        _check(number, self._customers, self._limits.customers, what, CUSTOMERS_SETTING)

    def check_deletes(self) -> None:
        """Raises `Forbidden` where the operator has switched deletes off."""
        if not self._limits.deletes:
            raise Forbidden(
                "This gateway deletes neither segments nor shopper profiles "
                "(GATEWAY_ALLOW_DELETES is false). Ask its operator."
            )


def _check(number: int, in_all: int, allowed: int, what: str, setting: str) -> None:
    if not number:
        raise BadUserInput(f"The input names no {what}. Nothing was sent: pass at least one.")
    if in_all > allowed:
        raise BadUserInput(
            f"All mutations of the request together name more than {allowed} {what} ({setting}). "
            "Nothing of this one was sent: split it into several requests."
        )
