"""The checks of the store, from what the answers to the reads have shown. Pure."""

from dataclasses import dataclass
from typing import Final

from gateway.app.check.findings import AcceptedNumber, Finding, Findings, Verdict
from gateway.app.check.operations import CHECKED_OPERATIONS, SEGMENTS, SEGMENTS_BY_ID
from gateway.app.check.results import CheckResult, problem, skipped, warning, well
from gateway.bigcommerce.rate_limit import RateLimit

# Seconds that two clocks may differ: HTTP dates have whole seconds, and an answer takes time.
CLOCK_TOLERANCE: Final = 5.0
NO_ANSWER: Final = "the store did not answer with segments"


@dataclass(frozen=True, slots=True)
class Connection:
    """The newest answer of the store: its status, and what it shows of the way to it.

    `clock_difference` is the seconds by which this machine's clock is ahead of the store's. A value
    is None if no answer has shown it; `tls` is None for plain HTTP, too.
    """

    status: int | None = None
    milliseconds: float | None = None
    tls: str | None = None
    clock_difference: float | None = None


@dataclass(frozen=True, slots=True)
class CheckedStore:
    """What was asked and found; `host` is that of the upstream's URL."""

    name: str
    host: str
    uses_emulator: bool
    findings: Findings
    connection: Connection
    quota: RateLimit | None
    reserve: int

    @property
    def listed(self) -> Finding:
        """The finding on the first read."""
        return self.findings.by_operation[SEGMENTS]


def check_store(store: CheckedStore) -> list[CheckResult]:
    """Returns the results; without an answer to the first read, most are skipped."""
    results = [_store(store), _address(store), _token(store)]
    if store.listed.verdict is not Verdict.MAY:
        names = ("quota", "page_size", "ids_at_once", "clock")
        return [*results, *(skipped(name, NO_ANSWER) for name in names)]
    findings = store.findings
    return [
        *results,
        _quota(store.quota, store.reserve),
        _page_size(findings.page_size, store.listed),
        _ids_at_once(findings.ids_at_once, findings.by_operation[SEGMENTS_BY_ID]),
        _clock(store.connection.clock_difference),
    ]


def _store(store: CheckedStore) -> CheckResult:
    if store.uses_emulator:
        return problem(
            "store",
            f"No store is set: {store.name} has answered.",
            "Set GATEWAY_STORE_HASH and GATEWAY_ACCESS_TOKEN.",
        )
    name = f"{store.name[0].upper()}{store.name[1:]}"
    segments = store.findings.segments
    return well("store", f"{name}." if segments is None else f"{name}: {segments} segments.")


def _address(store: CheckedStore) -> CheckResult:
    if store.listed.verdict is Verdict.FAILED:
        return problem("address", store.listed.reason, store.listed.remedy)
    if store.uses_emulator:
        return skipped("address", "no network is asked")
    way, connection = store.connection.tls or "plain HTTP", store.connection
    time = "" if connection.milliseconds is None else f" in {connection.milliseconds:.0f} ms"
    return well("address", f"{store.host} answers over {way}{time}.")


def _token(store: CheckedStore) -> CheckResult:
    if store.listed.verdict is Verdict.FAILED:
        return skipped("token", NO_ANSWER)
    by_operation = store.findings.by_operation
    refused = [
        operation.name
        for operation in CHECKED_OPERATIONS
        if by_operation[operation.name].verdict is Verdict.MAY_NOT
    ]
    if SEGMENTS in refused:
        return problem("token", store.listed.reason, store.listed.remedy)
    if refused:
        remedy = by_operation[refused[0]].remedy
        may_write = by_operation["create_segments"].has_scope
        says = "It may read segments" + ("" if may_write in (True, None) else ", and write nothing")
        return warning("token", f"{says}; refused were {', '.join(refused)}.", remedy)
    if by_operation["create_segments"].has_scope:
        return well("token", "It may read and write.")
    return well("token", "It may read. Whether it may write, no answer has shown.")


def _quota(quota: RateLimit | None, reserve: int) -> CheckResult:
    if quota is None:
        return warning(
            "quota",
            "The answers have no X-Rate-Limit headers.",
            "Without them the gateway cannot leave a reserve to clients: let a proxy on the way "
            "pass them on.",
        )
    left = (
        f"{quota.remaining} of {quota.limit} requests are left for the next "
        f"{quota.resets_in:.0f} seconds, of a window of {quota.window:.0f}"
    )
    if reserve >= quota.limit:
        return warning(
            "quota",
            f"{left}; GATEWAY_RATE_LIMIT_RESERVE={reserve} is all of them.",
            f"The cache is never refreshed in the background: set at most {quota.limit // 4}.",
        )
    if quota.remaining <= reserve:
        return warning(
            "quota",
            f"{left}, no more than the reserve of {reserve}.",
            "Stale answers are served until the window ends. If that is often so, another app of "
            "the store sends many requests, or GATEWAY_RATE_LIMIT_RESERVE is too high.",
        )
    return well("quota", f"{left}. The reserve for clients is {reserve}.")


def _page_size(accepted: AcceptedNumber | None, listed: Finding) -> CheckResult:
    if accepted is None or accepted.too_many is None:
        return well("page_size", listed.reason)
    return warning("page_size", listed.reason, listed.remedy)


def _ids_at_once(accepted: AcceptedNumber | None, found: Finding) -> CheckResult:
    if found.verdict in (Verdict.MAY_NOT, Verdict.FAILED):
        to_do = found.remedy or "Lookups of segments by id fail. Ask the operator of the store."
        return problem("ids_at_once", found.reason, to_do)
    if accepted is None:
        return skipped("ids_at_once", found.reason.rstrip(".").lower())
    return well("ids_at_once", found.reason)


def _clock(difference: float | None) -> CheckResult:
    if difference is None:
        return skipped("clock", "the answers have no date")
    if abs(difference) <= CLOCK_TOLERANCE:
        return well("clock", f"The store's clock and this one differ by {abs(difference):.0f} s.")
    side = "ahead of" if difference > 0 else "behind"
    return warning(
        "clock",
        f"This machine's clock is {abs(difference):.0f} seconds {side} the store's.",
        "Set it by NTP: the tokens of clients and what replicas share by Redis depend on it.",
    )
