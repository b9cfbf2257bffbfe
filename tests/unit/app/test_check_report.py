import pytest

from gateway.app.check.findings import (
    AcceptedNumber,
    Finding,
    Findings,
    Verdict,
    allowed,
    token_refused,
)
from gateway.app.check.operations import PROFILES, SEGMENT_PROFILES, SEGMENTS, SEGMENTS_BY_ID
from gateway.app.check.report import CheckReport
from gateway.bigcommerce.rate_limit import RateLimit

DOWN = Finding(
    Verdict.FAILED,
    "The store's API cannot be reached.",
    "The reason: connection refused.",
)


def report(
    *,
    uses_emulator: bool = False,
    quota: RateLimit | None = None,
    redis: str | None = None,
    **by_operation: Finding,
) -> CheckReport:
    """A report on a store of 120 segments; `by_operation` are findings that differ."""
    findings = Findings()
    findings.record_segments(120, AcceptedNumber(250))
    findings.record_ids_at_once(AcceptedNumber(100))
    findings.by_operation |= {SEGMENT_PROFILES: allowed(), **by_operation}
    findings.complete()
    return CheckReport("store abc123", uses_emulator, findings, quota, redis, 7)


@pytest.mark.parametrize(
    ("checked", "problems"),
    [
        (report(), []),
        (report(list_segments_by_id=Finding(Verdict.NOT_KNOWN)), []),
        (report(list_shopper_profiles=token_refused(PROFILES)), []),
        (report(list_segment_shopper_profiles=DOWN), []),
        (report(redis="connected"), []),
        (report(redis="away"), ["redis"]),
        (report(redis="refuses writes"), ["redis"]),
        (report(uses_emulator=True), ["store"]),
        (report(list_segments=token_refused(SEGMENTS)), ["list_segments"]),
        (report(list_segments_by_id=token_refused(SEGMENTS_BY_ID)), ["list_segments_by_id"]),
        (
            report(list_segments=DOWN, list_segments_by_id=DOWN, uses_emulator=True, redis="away"),
            ["list_segments", "list_segments_by_id", "store", "redis"],
        ),
    ],
)
def test_problems_are_what_keeps_segments_from_being_read(
    checked: CheckReport, problems: list[str]
) -> None:
    assert checked.problems == problems


def test_first_line_has_the_quota_its_window_and_redis() -> None:
    checked = report(quota=RateLimit(143, 150, 28.6, 30.0), redis="connected")
    assert checked.as_text().splitlines()[0] == (
        "store abc123 answers: 120 segments; 143 of 150 requests are left for the next 29 "
        "seconds, of a window of 30; Redis is connected."
    )


def test_first_line_says_that_the_headers_of_the_quota_are_missing() -> None:
    assert report(redis="refuses writes").as_text().splitlines()[0] == (
        "store abc123 answers: 120 segments; its answer has no X-Rate-Limit headers; "
        "Redis refuses writes."
    )


def test_store_that_is_down_has_no_table() -> None:
    assert report(list_segments=DOWN, redis="away").as_text() == (
        "store abc123: The store's API cannot be reached. The reason: connection refused. "
        "Redis is away.\n"
        "Nothing else was tried."
    )
