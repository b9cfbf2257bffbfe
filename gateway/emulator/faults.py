"""Faults on demand: which requests the emulator answers wrongly, and how."""

from collections.abc import Iterable
from enum import StrEnum
from random import Random
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from gateway.emulator.operation_names import OperationName

MAXIMUM_SECONDS = 600.0
Seconds = Annotated[float, Meta(ge=0, le=MAXIMUM_SECONDS)]


class Fault(StrEnum):
    """One way in which an answer is wrong."""

    SERVER_ERROR = "server-error"
    """Status 500 with BigCommerce's error object; a write is not carried out."""
    STATUS = "status"
    """Any status from 400 to 599, with the error object."""
    RATE_LIMITED = "rate-limited"
    """Status 429 with the headers: no requests left, and the time of the reset."""
    OVERLOADED = "overloaded"
    """Status 429 without those headers: platform load."""
    HTML = "html"
    """Status 200 with a page of HTML."""
    TRUNCATED = "truncated"
    """Status 200 with JSON that ends in the middle, as a whole HTTP message."""
    NULL_DATA = "null-data"
    """Status 200 with `data: null`."""
    ZERO_PER_PAGE = "zero-per-page"
    """Status 200 with `per_page: 0`."""
    MISSING_ROW = "missing-row"
    """Status 200 with one row fewer than `count`, `total` and `per_page` say."""
    RESET = "reset"
    """The connection is reset without an answer; a write is not carried out."""
    LOST_ANSWER = "lost-answer"
    """The request is carried out, then the connection is reset without an answer."""
    CUT = "cut"
    """The answer's headers and half of its body, then the connection closes."""
    DRIP = "drip"
    """The right answer, in small pieces with pauses; the body takes `seconds`."""


SILENT_FAULTS = frozenset({Fault.RESET, Fault.LOST_ANSWER})


class Rule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One fault for `times` requests (None: without end), each with `probability`.

    A rule with an `operation` applies to requests of that one alone.
    A rule without a fault leaves its requests alone. Raises `ValueError` unless `status` goes with
    the fault status, and `seconds` with drip.
    """

    fault: Fault | None
    status: Annotated[int, Meta(ge=400, le=599)] | None = None
    seconds: Seconds | None = None
    probability: Annotated[float, Meta(ge=0, le=1)] = 1.0
    times: Annotated[int, Meta(ge=1)] | None = None
    operation: OperationName | None = None

    def __post_init__(self) -> None:
        if (self.fault is Fault.STATUS) != (self.status is not None):
            raise ValueError("`status` goes with the fault status, and with no other")
        if (self.fault is Fault.DRIP) != (self.seconds is not None):
            raise ValueError("`seconds` goes with the fault drip, and with no other")


class Faults:
    """Rules in order: the first that applies is used for a request that passed token and quota.

    A request that is refused uses up a fault of a list's body without an effect.
    """

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = list(rules)

    def add(
        self, fault: Fault, times: int | None = 1, operation: OperationName | None = None
    ) -> None:
        """Adds a rule for `times` requests (None: all) after the existing rules."""
        self.rules.append(Rule(fault, times=times, operation=operation))

    def skip(self, times: int = 1, operation: OperationName | None = None) -> None:
        """Adds a rule that leaves `times` requests alone after the existing rules."""
        self.rules.append(Rule(None, times=times, operation=operation))

    def clear(self) -> None:
        """Removes all rules."""
        self.rules.clear()

    def take(self, random: Random, operation: OperationName) -> Rule | None:
        """Returns the rule for a request of an operation, and counts its use; None without one."""
        for place, rule in enumerate(self.rules):
            if rule.operation not in (None, operation):
                continue
            if rule.probability < 1 and random.random() >= rule.probability:
                continue
            if rule.times == 1:
                del self.rules[place]
            elif rule.times is not None:
                self.rules[place] = replace(rule, times=rule.times - 1)
            return rule
        return None
