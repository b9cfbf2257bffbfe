"""What the reads of a check have shown, and what follows for the operations not tried. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.app.check.operations import (
    CHECKED_OPERATIONS,
    CUSTOMERS_BY_ID,
    SEGMENT_PROFILES,
    SEGMENTS,
    SEGMENTS_BY_ID,
)
from gateway.app.check.remedies import MODIFY_SCOPE_REMEDY, READ_SCOPE_REMEDY


class Verdict(StrEnum):
    """Whether the token may do an operation, in the words of the report."""

    MAY = "may"
    MAY_NOT = "may not"
    NOT_TRIED = "not tried"
    NOT_KNOWN = "not known"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on one operation; `reason` and `remedy` are sentences, or empty.

    `has_scope` is whether the token has the scope of the operation, None if no answer says so.
    """

    verdict: Verdict
    reason: str = ""
    remedy: str = ""
    has_scope: bool | None = None


@dataclass(frozen=True, slots=True)
class AcceptedNumber:
    """How many rows or ids the store took at once, and the lowest number that was too many."""

    accepted: int
    too_many: int | None = None


@dataclass(frozen=True, slots=True)
class CustomerIncludes:
    """Whether the two Beta includes came with a customer that has a shopper profile."""

    shopper_profile_id: bool
    segment_ids: bool


@dataclass(slots=True)
class Findings:
    """The findings by the operation's name, and what else the answers have shown.

    A value is None if no answer has shown it. `segments` is the number of segments of the store.
    """

    by_operation: dict[str, Finding] = field(default_factory=dict)
    segments: int | None = None
    page_size: AcceptedNumber | None = None
    ids_at_once: AcceptedNumber | None = None
    customer_includes: CustomerIncludes | None = None

    def record_segments(self, total: int, page_size: AcceptedNumber) -> None:
        """Records that segments were listed."""
        self.segments, self.page_size = total, page_size
        reason, remedy = f"Pages have {page_size.accepted} segments.", ""
        if page_size.too_many is not None:
            reason = f"Pages have {page_size.accepted} segments, not {page_size.too_many}."
            remedy = f"GATEWAY_UPSTREAM_PAGE_SIZE={page_size.accepted} asks for no more."
        self.by_operation[SEGMENTS] = allowed(reason, remedy)

    def record_ids_at_once(self, ids: AcceptedNumber) -> None:
        """Records that segments were found by their ids."""
        self.ids_at_once = ids
        reason = f"At least {ids.accepted} ids at once."
        if ids.too_many is not None:
            reason = f"{ids.accepted} ids at once; {ids.too_many} are too many."
        self.by_operation[SEGMENTS_BY_ID] = allowed(reason)

    def record_includes(self, includes: CustomerIncludes) -> None:
        """Records that the customer of a shopper profile was read."""
        self.customer_includes = includes
        came = {
            "shopper_profile_id": includes.shopper_profile_id,
            "segment_ids": includes.segment_ids,
        }
        missing = [name for name, has_come in came.items() if not has_come]
        reason = f"Customers come with {' and '.join(came)}."
        if missing:
            reason = (
                f"Customers come without {' and '.join(missing)}, which BigCommerce calls Beta."
            )
        self.by_operation[CUSTOMERS_BY_ID] = allowed(reason)

    def complete(self) -> None:
        """Adds a finding for each operation without one: it follows from those that have one."""
        for operation in CHECKED_OPERATIONS:
            if operation.name not in self.by_operation:
                self.by_operation[operation.name] = self._finding_on_untried()

    def _finding_on_untried(self) -> Finding:
        """Returns the finding on a write, or on any operation if segments cannot be listed."""
        first = self.by_operation[SEGMENTS]
        if first.verdict is not Verdict.MAY:
            # Every other operation needs the scope of the first one, or a wider one.
            return Finding(Verdict.NOT_TRIED, after(SEGMENTS, first), has_scope=first.has_scope)
        proof = self.by_operation[SEGMENT_PROFILES]
        match proof.verdict:
            case Verdict.MAY:
                reason = f"The token has the scope for it, since {SEGMENT_PROFILES} was allowed."
                return Finding(Verdict.NOT_TRIED, reason, has_scope=True)
            case Verdict.MAY_NOT:
                reason = f"{SEGMENT_PROFILES}, which needs the same scope, was refused."
                return Finding(Verdict.NOT_TRIED, reason, MODIFY_SCOPE_REMEDY, has_scope=False)
            case Verdict.FAILED:
                return Finding(Verdict.NOT_KNOWN, after(SEGMENT_PROFILES, proof))
        return Finding(Verdict.NOT_KNOWN, proof.reason)


def allowed(reason: str = "", remedy: str = "") -> Finding:
    """Returns the finding on a read that the store answered."""
    return Finding(Verdict.MAY, reason, remedy, has_scope=True)


def token_refused(operation: str) -> Finding:
    """Returns the finding on a read whose answer was 401 or 403."""
    remedy = MODIFY_SCOPE_REMEDY if operation == SEGMENT_PROFILES else READ_SCOPE_REMEDY
    return Finding(Verdict.MAY_NOT, "The API refused the token.", remedy, has_scope=False)


def after(operation: str, finding: Finding) -> str:
    """Returns the reason for not trying what needs the answer of an operation."""
    return f"{operation} {'was refused' if finding.verdict is Verdict.MAY_NOT else 'failed'}."
