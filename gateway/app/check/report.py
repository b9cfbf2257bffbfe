"""The report of a check, as text for people and as an object for programs. Pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from gateway.app.check.findings import AcceptedNumber, Finding, Findings, Verdict
from gateway.app.check.operations import (
    CHECKED_OPERATIONS,
    SEGMENTS,
    SEGMENTS_BY_ID,
    CheckedOperation,
)
from gateway.bigcommerce.rate_limit import RateLimit

NO_STORE = "No store is set: GATEWAY_STORE_HASH and GATEWAY_ACCESS_TOKEN name one."
CONNECTED = "connected"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check has found; `findings` has one for each operation.

    `redis` is the state of Redis, None if it is not set. `requests` is the number of upstream
    requests sent.
    """

    upstream: str
    uses_emulator: bool
    findings: Findings
    quota: RateLimit | None
    redis: str | None
    requests: int

    @property
    def problems(self) -> list[str]:
        """What keeps segments from being read: operations by name, `store` and `redis`."""
        by_operation = self.findings.by_operation
        problems = [
            name
            for name in (SEGMENTS, SEGMENTS_BY_ID)
            if by_operation[name].verdict in (Verdict.MAY_NOT, Verdict.FAILED)
        ]
        if self.uses_emulator:
            problems.append("store")
        if self.redis not in (None, CONNECTED):
            problems.append("redis")
        return problems

    def as_json(self) -> str:
        """Returns the report as one JSON object on several lines."""
        quota, includes = self.quota, self.findings.customer_includes
        value = {
            "isWell": not self.problems,
            "problems": self.problems,
            "upstream": self.upstream,
            "segments": self.findings.segments,
            "pageSize": _number_as_json(self.findings.page_size),
            "idsAtOnce": _number_as_json(self.findings.ids_at_once),
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
        }
        return json.dumps(value, indent=2, ensure_ascii=False)

    def as_text(self) -> str:
        """Returns the report in lines; operations with the same finding share its reason."""
        lines = [self._headline()]
        if self.findings.by_operation[SEGMENTS].verdict is Verdict.MAY:
            lines += ["", *self._operation_lines(), ""]
            lines.append(f"Requests sent to the store: {self.requests}. All were reads.")
        else:
            lines.append("Nothing else was tried.")
        if self.uses_emulator:
            lines.append(NO_STORE)
        return "\n".join(lines)

    def _headline(self) -> str:
        redis = self._redis_state()
        first = self.findings.by_operation[SEGMENTS]
        if first.verdict is not Verdict.MAY:
            sentences = (first.reason, first.remedy, redis and f"{redis}.")
            return f"{self.upstream}: {' '.join(filter(None, sentences))}"
        parts = (f"{self.findings.segments} segments", self._quota_state(), redis)
        return f"{self.upstream} answers: {'; '.join(filter(None, parts))}."

    def _quota_state(self) -> str:
        if self.quota is None:
            return "its answer has no X-Rate-Limit headers"
        return (
            f"{self.quota.remaining} of {self.quota.limit} requests are left for the next "
            f"{self.quota.resets_in:.0f} seconds, of a window of {self.quota.window:.0f}"
        )

    def _redis_state(self) -> str:
        if self.redis is None:
            return ""
        return f"Redis {'' if self.redis.startswith('refuses') else 'is '}{self.redis}"

    def _operation_lines(self) -> Iterator[str]:
        for finding, rows in groupby(self._rows(), key=lambda row: row[1]):
            for operation, _ in rows:
                yield (
                    f"{finding.verdict:<11}{operation.name:<33}{operation.method:<8}"
                    f"{operation.path}"
                )
            if sentences := " ".join(filter(None, (finding.reason, finding.remedy))):
                yield " " * 11 + sentences

    def _rows(self) -> list[tuple[CheckedOperation, Finding]]:
        by_operation = self.findings.by_operation
        return [(operation, by_operation[operation.name]) for operation in CHECKED_OPERATIONS]


def _number_as_json(number: AcceptedNumber | None) -> dict[str, int | None] | None:
    if number is None:
        return None
    return {"accepted": number.accepted, "tooMany": number.too_many}
