"""The result of one named check."""

from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """What a check has found, in the words of the report."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of a check: what it found, and what to do if that is not well; both sentences.

    For a check that is skipped, `says` is the reason, in lower case and without a period.
    """

    name: str
    state: CheckState
    says: str
    to_do: str = ""


def well(name: str, says: str) -> CheckResult:
    """Returns the result of a check that found nothing to do."""
    return CheckResult(name, CheckState.OK, says)


def warning(name: str, says: str, to_do: str) -> CheckResult:
    """Returns the result of a check for what the gateway can serve with."""
    return CheckResult(name, CheckState.WARNING, says, to_do)


def problem(name: str, says: str, to_do: str) -> CheckResult:
    """Returns the result of a check that makes the exit status 1."""
    return CheckResult(name, CheckState.PROBLEM, says, to_do)


def skipped(name: str, reason: str = "not set") -> CheckResult:
    """Returns the result of a check that had nothing to look at."""
    return CheckResult(name, CheckState.SKIPPED, reason)
