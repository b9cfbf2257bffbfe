"""The named checks of the store and of Redis, and the lines of a report."""

import io

import pytest

from gateway.app.check.findings import (
    AcceptedNumber,
    Finding,
    Findings,
    Verdict,
    allowed,
    token_refused,
)
from gateway.app.check.operations import (
    CUSTOMERS_BY_ID,
    PROFILES,
    SEGMENT_PROFILES,
    SEGMENTS,
    SEGMENTS_BY_ID,
)
from gateway.app.check.redis import RedisState, check_redis
from gateway.app.check.report import CheckReport
from gateway.app.check.results import CheckResult, problem, skipped, warning, well
from gateway.app.check.store import NO_ANSWER, CheckedStore, Connection, check_store
from gateway.app.check.terminal import report_for
from gateway.bigcommerce.rate_limit import RateLimit

DOWN = Finding(
    Verdict.FAILED,
    "The store's API cannot be reached.",
    "The reason: connection refused.",
)
QUOTA = RateLimit(143, 150, 28.6, 30.0)
AWAY = RedisState("away", "connection refused")


def store(
    *,
    uses_emulator: bool = False,
    quota: RateLimit | None = QUOTA,
    clock_difference: float | None = -0.6,
    reserve: int = 15,
    page_size: AcceptedNumber | None = None,
    **by_operation: Finding,
) -> CheckedStore:
    """A store of 120 segments; `by_operation` are findings that differ."""
    findings = Findings()
    findings.record_segments(120, page_size or AcceptedNumber(250))
    findings.record_ids_at_once(AcceptedNumber(100))
    findings.by_operation |= {SEGMENT_PROFILES: allowed(), **by_operation}
    findings.complete()
    connection = Connection(200, 84.6, "TLSv1.3", clock_difference)
    return CheckedStore(
        "store abc123 at https://api.example",
        "api.example",
        uses_emulator,
        findings,
        connection,
        quota,
        reserve,
    )


def report(checked: CheckedStore, redis: RedisState | None = None) -> CheckReport:
    groups = {"Store": check_store(checked), "Redis": [check_redis(redis)]}
    return CheckReport(checked, groups, None if redis is None else redis.state, 7)


def result(checked: CheckedStore, name: str) -> CheckResult:
    (found,) = [one for one in check_store(checked) if one.name == name]
    return found


@pytest.mark.parametrize(
    ("checked", "problems"),
    [
        (report(store()), []),
        (report(store(list_segments_by_id=Finding(Verdict.NOT_KNOWN, "No."))), []),
        (report(store(list_shopper_profiles=token_refused(PROFILES))), []),
        (report(store(list_segment_shopper_profiles=DOWN)), []),
        (report(store(quota=None, clock_difference=60.0)), []),
        (report(store(), RedisState("connected")), []),
        (report(store(), AWAY), ["redis"]),
        (report(store(), RedisState("refuses writes")), ["redis"]),
        (report(store(uses_emulator=True)), ["store"]),
        (report(store(list_segments=token_refused(SEGMENTS))), ["list_segments"]),
        (report(store(list_segments_by_id=token_refused(SEGMENTS_BY_ID))), ["list_segments_by_id"]),
        (
            report(store(list_segments=DOWN, list_segments_by_id=DOWN, uses_emulator=True), AWAY),
            ["list_segments", "list_segments_by_id", "store", "redis"],
        ),
    ],
)
def test_problems_are_what_keeps_segments_from_being_read(
    checked: CheckReport, problems: list[str]
) -> None:
    assert checked.problems == problems


def test_store_that_is_well_has_nothing_to_do() -> None:
    assert check_store(store()) == [
        well("store", "Store abc123 at https://api.example: 120 segments."),
        well("address", "api.example answers over TLSv1.3 in 85 ms."),
        well("token", "It may read and write."),
        well(
            "quota",
            "143 of 150 requests are left for the next 29 seconds, of a window of 30. The reserve "
            "for clients is 15.",
        ),
        well("page_size", "Pages have 250 segments."),
        well("ids_at_once", "At least 100 ids at once."),
        well("clock", "The store's clock and this one differ by 1 s."),
    ]


LEFT = "{} of 150 requests are left for the next 29 seconds, of a window of 30"


@pytest.mark.parametrize(
    ("checked", "found"),
    [
        (
            store(quota=None),
            warning(
                "quota",
                "The answers have no X-Rate-Limit headers.",
                "Without them the gateway cannot leave a reserve to clients: let a proxy on the "
                "way pass them on.",
            ),
        ),
        (
            store(quota=RateLimit(15, 150, 28.6, 30.0)),
            warning(
                "quota",
                f"{LEFT.format(15)}, no more than the reserve of 15.",
                "Stale answers are served until the window ends. If that is often so, another app "
                "of the store sends many requests, or GATEWAY_RATE_LIMIT_RESERVE is too high.",
            ),
        ),
        (
            store(reserve=150),
            warning(
                "quota",
                f"{LEFT.format(143)}; GATEWAY_RATE_LIMIT_RESERVE=150 is all of them.",
                "The cache is never refreshed in the background: set at most 37.",
            ),
        ),
        (
            store(page_size=AcceptedNumber(100, 250)),
            warning(
                "page_size",
                "Pages have 100 segments, not 250.",
                "GATEWAY_UPSTREAM_PAGE_SIZE=100 asks for no more.",
            ),
        ),
        (
            store(clock_difference=-42.4),
            warning(
                "clock",
                "This machine's clock is 42 seconds behind the store's.",
                "Set it by NTP: the tokens of clients and what replicas share by Redis depend on "
                "it.",
            ),
        ),
        (store(clock_difference=None), skipped("clock", "the answers have no date")),
        (
            store(list_segment_shopper_profiles=token_refused(SEGMENT_PROFILES)),
            warning(
                "token",
                "It may read segments, and write nothing; refused were "
                "list_segment_shopper_profiles.",
                "GATEWAY_ACCESS_TOKEN has to have the scope store_v2_customers, for writes too.",
            ),
        ),
        (
            store(list_customers_by_id=token_refused(CUSTOMERS_BY_ID)),
            warning(
                "token",
                "It may read segments; refused were list_customers_by_id.",
                "GATEWAY_ACCESS_TOKEN has to be of the store that GATEWAY_STORE_HASH names, with "
                "the scope store_v2_customers_read_only.",
            ),
        ),
        (
            store(list_segment_shopper_profiles=Finding(Verdict.NOT_KNOWN, "No segment.")),
            well("token", "It may read. Whether it may write, no answer has shown."),
        ),
        (
            store(list_segments=token_refused(SEGMENTS)),
            problem(
                "token",
                "The API refused the token.",
                "GATEWAY_ACCESS_TOKEN has to be of the store that GATEWAY_STORE_HASH names, with "
                "the scope store_v2_customers_read_only.",
            ),
        ),
        (
            store(list_segments_by_id=Finding(Verdict.FAILED, "It finds none.")),
            problem(
                "ids_at_once",
                "It finds none.",
                "Lookups of segments by id fail. Ask the operator of the store.",
            ),
        ),
        (
            store(uses_emulator=True),
            problem(
                "store",
                "No store is set: store abc123 at https://api.example has answered.",
                "Set GATEWAY_STORE_HASH and GATEWAY_ACCESS_TOKEN.",
            ),
        ),
    ],
)
def test_what_is_not_well_says_what_to_do(checked: CheckedStore, found: CheckResult) -> None:
    assert result(checked, found.name) == found


@pytest.mark.parametrize(
    ("redis", "found"),
    [
        (None, skipped("redis")),
        (
            RedisState("connected", uses_tls=True, milliseconds=0.8),
            well(
                "redis",
                "Connected by TLS: one key was written, which expires after a second, and read in "
                "1 ms.",
            ),
        ),
        (
            AWAY,
            problem(
                "redis",
                "It is away: connection refused.",
                "Check that Redis runs, and GATEWAY_REDIS_URL, which asks for plain TCP. Until "
                "then, each process has a cache of its own.",
            ),
        ),
        (
            RedisState("refuses writes", "it is full (maxmemory)"),
            problem(
                "redis",
                "It refuses writes: it is full (maxmemory).",
                "Its user has to be able to read and write the gateway's keys. Until then, each "
                "process has a cache of its own.",
            ),
        ),
    ],
)
def test_redis_that_is_not_well_says_what_to_do(
    redis: RedisState | None, found: CheckResult
) -> None:
    assert check_redis(redis) == found


STORE_DOWN = report(store(list_segments=DOWN), AWAY)


def test_store_that_is_down_has_no_operations() -> None:
    assert STORE_DOWN.as_text() == (
        "Store\n"
        "+ ok       store              Store abc123 at https://api.example: 120 segments.\n"
        "x problem  address            The store's API cannot be reached.\n"
        "                              -> The reason: connection refused.\n"
        f"- skipped  token, quota, page size, ids at once, clock: {NO_ANSWER}\n"
        "\n"
        "Redis\n"
        "x problem  redis              It is away: connection refused.\n"
        "                              -> Check that Redis runs, and GATEWAY_REDIS_URL, which asks "
        "for plain TCP. Until then, each process has a cache of its own.\n"
        "\n"
        "2 problems (address, redis).\n"
        "Exit status 1, because of the problems.\n"
        "Requests sent to the store: 7. All were reads."
    )


def test_last_lines_count_problems_and_warnings() -> None:
    checked = store(list_segments=token_refused(SEGMENTS), quota=None)
    assert report(checked).as_text().splitlines()[-3] == "1 problem (token)."
    assert report(store(quota=None)).as_text().splitlines()[-3:-1] == [
        "1 warning (quota).",
        "Exit status 0: segments can be read.",
    ]
    both = store(uses_emulator=True, quota=None, clock_difference=9.0)
    assert report(both).as_text().splitlines()[-3] == (
        "1 problem (store) and 2 warnings (quota, clock)."
    )
    assert report(store()).as_text().splitlines()[-3] == "All is well."


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 80 columns and 256 colours."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


def test_stream_that_is_no_terminal_gets_plain_text(terminal: Terminal) -> None:
    assert report_for(io.StringIO(), STORE_DOWN) == STORE_DOWN.as_text()


def test_terminal_gets_colours_and_lines_of_its_width(terminal: Terminal) -> None:
    lines = report_for(terminal, STORE_DOWN).split("\n")
    assert lines[:6] == [
        "\x1b[1mStore\x1b[0m",
        "\x1b[32m+ ok       \x1b[0mstore              Store abc123 at https://api.example: 120 "
        "segments.",
        "\x1b[1;31mx problem  \x1b[0maddress            The store's API cannot be reached.",
        "                              -> The reason: connection refused.",
        "\x1b[2m- skipped  \x1b[0mtoken, quota, page size, ids at once, clock: the store did not "
        "answer",
        "           with segments",
    ]


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_terminal_without_colours_gets_none(
    name: str, value: str, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    shown = report_for(terminal, STORE_DOWN)
    assert shown == STORE_DOWN.as_text(80)
    assert max(map(len, shown.splitlines())) <= 80


def test_every_operation_fits_a_terminal_of_80_columns() -> None:
    lines = report(store()).as_text(80).splitlines()
    assert "+ may        list_segment_shopper_profiles" in lines
    assert max(map(len, lines)) <= 80
