import pytest

from gateway.app.check.findings import (
    AcceptedNumber,
    CustomerIncludes,
    Finding,
    Findings,
    Verdict,
    allowed,
    token_refused,
)
from gateway.app.check.operations import (
    CHECKED_OPERATIONS,
    CUSTOMERS_BY_ID,
    SEGMENT_PROFILES,
    SEGMENTS,
    SEGMENTS_BY_ID,
)

WRITES = [operation.name for operation in CHECKED_OPERATIONS if operation.method != "GET"]


def findings_on_writes(proof: Finding) -> list[Finding]:
    """The findings on all writes, after this one on the read that needs their scope."""
    findings = Findings({SEGMENTS: allowed(), SEGMENT_PROFILES: proof})
    findings.complete()
    return [findings.by_operation[name] for name in WRITES]


def test_every_operation_of_the_api_is_reported() -> None:
    assert [f"{one.method} {one.path}" for one in CHECKED_OPERATIONS] == [
        "GET /segments",
        "GET /segments?id:in",
        "GET /shopper-profiles",
        "GET /segments/{segmentId}/shopper-profiles",
        "GET /shopper-profiles/{shopperProfileId}/segments",
        "GET /customers?id:in",
        "GET /customers?email:in",
        "POST /segments",
        "PUT /segments",
        "DELETE /segments",
        "POST /segments/{segmentId}/shopper-profiles",
        "DELETE /segments/{segmentId}/shopper-profiles",
        "POST /shopper-profiles",
        "DELETE /shopper-profiles",
    ]


@pytest.mark.parametrize(
    ("proof", "finding"),
    [
        (
            allowed(),
            Finding(
                Verdict.NOT_TRIED,
                "The token has the scope for it, since list_segment_shopper_profiles was allowed.",
                has_scope=True,
            ),
        ),
        (
            token_refused(SEGMENT_PROFILES),
            Finding(
                Verdict.NOT_TRIED,
                "list_segment_shopper_profiles, which needs the same scope, was refused.",
                "GATEWAY_ACCESS_TOKEN has to have the scope store_v2_customers, for writes too.",
                has_scope=False,
            ),
        ),
        (
            Finding(Verdict.NOT_KNOWN, "The store has no segment."),
            Finding(Verdict.NOT_KNOWN, "The store has no segment."),
        ),
        (
            Finding(Verdict.FAILED, "The store's API did not answer in time."),
            Finding(Verdict.NOT_KNOWN, "list_segment_shopper_profiles failed."),
        ),
    ],
    ids=["allowed", "refused", "no segment", "failed"],
)
def test_writes_follow_from_the_read_that_needs_their_scope(
    proof: Finding, finding: Finding
) -> None:
    assert findings_on_writes(proof) == [finding] * 7


@pytest.mark.parametrize(
    ("first", "finding"),
    [
        (
            token_refused(SEGMENTS),
            Finding(Verdict.NOT_TRIED, "list_segments was refused.", has_scope=False),
        ),
        (
            Finding(Verdict.FAILED, "The store's API did not answer in time."),
            Finding(Verdict.NOT_TRIED, "list_segments failed."),
        ),
    ],
    ids=["refused", "failed"],
)
def test_nothing_is_known_if_segments_cannot_be_listed(first: Finding, finding: Finding) -> None:
    findings = Findings({SEGMENTS: first})
    findings.complete()
    assert list(findings.by_operation) == [operation.name for operation in CHECKED_OPERATIONS]
    assert [*findings.by_operation.values()] == [first, *[finding] * 13]


def test_numbers_that_the_store_accepts_are_sentences() -> None:
    findings = Findings()
    findings.record_segments(120, AcceptedNumber(250))
    findings.record_ids_at_once(AcceptedNumber(100))
    assert findings.by_operation == {
        SEGMENTS: allowed("Pages have 250 segments."),
        SEGMENTS_BY_ID: allowed("At least 100 ids at once."),
    }
    findings.record_segments(120, AcceptedNumber(100, 250))
    findings.record_ids_at_once(AcceptedNumber(25, 50))
    assert findings.by_operation == {
        SEGMENTS: allowed(
            "Pages have 100 segments, not 250.", "GATEWAY_UPSTREAM_PAGE_SIZE=100 asks for no more."
        ),
        SEGMENTS_BY_ID: allowed("25 ids at once; 50 are too many."),
    }


@pytest.mark.parametrize(
    ("includes", "sentence"),
    [
        (CustomerIncludes(True, True), "come with shopper_profile_id and segment_ids."),
        (CustomerIncludes(True, False), "come without segment_ids, which BigCommerce calls Beta."),
        (
            CustomerIncludes(False, False),
            "come without shopper_profile_id and segment_ids, which BigCommerce calls Beta.",
        ),
    ],
)
def test_missing_includes_are_named(includes: CustomerIncludes, sentence: str) -> None:
    findings = Findings()
    findings.record_includes(includes)
    assert findings.by_operation == {CUSTOMERS_BY_ID: allowed(f"Customers {sentence}")}
