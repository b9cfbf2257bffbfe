"""The report of a check, as text for people and as an object for programs. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.app.check.findings import AcceptedNumber, Finding, Verdict
from gateway.app.check.operations import (
    CHECKED_OPERATIONS,
    SEGMENTS,
    SEGMENTS_BY_ID,
    CheckedOperation,
)
from gateway.app.check.results import CheckResult, CheckState
from gateway.app.check.store import CheckedStore
from gateway.app.check.text import text_of

# Checks whose problem is one of an operation, which has its own name among the problems.
BY_OPERATION = ("address", "token", "ids_at_once")


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check has found: the results by group, and a finding for each operation.

    `redis` is the state of Redis, None if it is not set. `requests` is the number of upstream
    requests sent.
    """

    store: CheckedStore
    groups: Mapping[str, Sequence[CheckResult]]
    redis: str | None
    requests: int

    @property
    def checks(self) -> list[CheckResult]:
        """The results of all checks, in the order of the report."""
        return [result for results in self.groups.values() for result in results]

    @property
    def problems(self) -> list[str]:
        """The problems by name: operations that are needed, then checks."""
        by_operation = self.store.findings.by_operation
        return [
            *(
                name
                for name in (SEGMENTS, SEGMENTS_BY_ID)
                if by_operation[name].verdict in (Verdict.MAY_NOT, Verdict.FAILED)
            ),
            *(
                check.name
                for check in self.checks
                if check.state is CheckState.PROBLEM and check.name not in BY_OPERATION
            ),
        ]

    def as_json(self) -> str:
        """Returns the report as one JSON object on several lines."""
        findings, quota = self.store.findings, self.store.quota
        includes = findings.customer_includes
        value = {
            "isWell": not self.problems,
            "problems": self.problems,
            "upstream": self.store.name,
            "segments": findings.segments,
            "pageSize": _number_as_json(findings.page_size),
            "idsAtOnce": _number_as_json(findings.ids_at_once),
            "customerIncludes": None
            if includes is None
            else {
                "shopperProfileId": includes.shopper_profile_id,
                "segmentIds": includes.segment_ids,
            },
            "quota": None
            if quota is None
            else {
                "limit": quota.limit,
                "remaining": quota.remaining,
                "resetsInSeconds": round(quota.resets_in, 1),
                "windowSeconds": round(quota.window, 1),
            },
            "redis": self.redis,
            "requests": self.requests,
            "operations": [
                {
                    "name": operation.name,
                    "method": operation.method,
                    "path": operation.path,
                    "verdict": finding.verdict.value,
                    "hasScope": finding.has_scope,
                    "reason": finding.reason or None,
                    "remedy": finding.remedy or None,
                }
                for operation, finding in self._rows()
            ],
            "checks": [
                {
                    "name": check.name,
                    "state": check.state.value,
                    "says": check.says,
                    "toDo": check.to_do or None,
                }
                for check in self.checks
            ],
        }
        return json.dumps(value, indent=2, ensure_ascii=False)

    def as_text(self, width: int | None = None) -> str:
        """Returns the report in lines, of at most `width` characters if it is given."""
        was_answered = self.store.listed.verdict is Verdict.MAY
        return text_of(self.groups, self._rows() if was_answered else [], self.requests, width)

    def _rows(self) -> list[tuple[CheckedOperation, Finding]]:
        by_operation = self.store.findings.by_operation
        return [(operation, by_operation[operation.name]) for operation in CHECKED_OPERATIONS]


def _number_as_json(number: AcceptedNumber | None) -> dict[str, int | None] | None:
    if number is None:
        return None
    return {"accepted": number.accepted, "tooMany": number.too_many}
