"""The pure parts of `make chaos`: what counts as what, the table, and the bars."""

from collections import Counter
from collections.abc import Sequence

import pytest

from benchmarks.chaos.load import Tally, outcome_of
from benchmarks.chaos.queries import ROWS, SEGMENTS, first_page, mix, page_after
from benchmarks.chaos.report import bars, line, long_enough, percentile, share
from benchmarks.chaos.scenarios import SCENARIOS
from benchmarks.chaos.stack import DEADLINE_SECONDS, RATE, Row, Upstream

NAMES = {"stale_on_error": "stale on error", "no_answer": "no answer"}


def row(
    *,
    is_warm: bool = True,
    refused: Sequence[int] = (),
    name: str = "some",
    doubts: Sequence[str] = (),
    seconds: float = 8,
    **what: int,
) -> Row:
    outcomes = Counter({NAMES.get(name, name): n for name, n in what.items()})
    upstream = Upstream(7, 2, [*refused])
    tally = Tally(outcomes, [10.0] * outcomes.total())
    return Row(name, "a fault", is_warm, seconds, tally, upstream, doubts)


def missed(*rows: Row) -> list[str]:
    return [bar.claim for bar in bars(rows, small_quota="small") if not bar.holds]


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ('{"data":{"a":1,"b":2},"extensions":{"cache":{"age":0,"stale":false}}}', "fresh"),
        ('{"data":{"a":1,"b":2},"extensions":{"cache":{"age":2,"stale":true}}}', "stale"),
        (
            '{"data":{"a":1,"b":2},"extensions":{"cache":{"age":9,"stale":true,"error":"X"}}}',
            "stale on error",
        ),
        ('{"data":{"a":1,"b":2}}', "no age"),
        ('{"data":{"a":1,"b":3},"extensions":{"cache":{"age":0,"stale":false}}}', "wrong"),
        ('{"data":{"a":1},"extensions":{"cache":{"age":0,"stale":false}}}', "wrong"),
        ('{"data":null,"errors":[{"extensions":{"code":"RATE_LIMITED"}}]}', "RATE_LIMITED"),
        ('{"data":null,"errors":[{"message":"?"}]}', "no code"),
        ('{"data":null}', "wrong"),
        ('{"data":{"a":1,"b":null},"errors":[{"path":["b"],"extensions":{"code":"X"}}]}', "X"),
        ('{"data":{"a":9,"b":null},"errors":[{"path":["b"],"extensions":{"code":"X"}}]}', "wrong"),
        ("<html>", "wrong"),
    ],
)
def test_outcome_of_an_answer(body: str, outcome: str) -> None:
    assert outcome_of(200, body.encode(), {"a": 1, "b": 2}) == outcome
    assert outcome_of(503, body.encode(), {"a": 1, "b": 2}) == "status 503"


def test_queries_know_what_is_right() -> None:
    def shown(start: int, end: int) -> list[dict[str, object]]:
        return [{"entityId": row.id, "name": row.name} for row in ROWS[start:end]]

    def ends(before: bool, after: bool) -> dict[str, bool]:
        return {"hasPreviousPage": before, "hasNextPage": after}

    assert first_page(2).expected == {
        "segments": {"pageInfo": ends(False, True), "nodes": shown(0, 2)}
    }
    assert page_after("c", 949, 50).expected == {
        "segments": {"pageInfo": ends(True, False), "nodes": shown(950, 1000)}
    }
    queries = mix([("c", 49), ("d", 99)])
    assert len(queries) == 24
    assert queries[2].expected == {
        f"s{at}": shown(place, place + 1)[0] for at, place in enumerate((0, 101, 202))
    }
    assert queries[3].expected == {"nodes": [shown(at, at + 1)[0] for at in (0, 101, 202)]}
    assert queries[5].expected == {"segments": {"totalCount": SEGMENTS}}


def test_line_shows_shares_and_the_slowest() -> None:
    seen = row(fresh=1998, stale=1, RATE_LIMITED=1)
    seen.tally.milliseconds[-1] = 1234.4
    assert line(seen) == (
        "| a fault | warm | 2000 | 99.9 % | 0.1 % | 0 | 0.1 % RATE_LIMITED "
        "| 10 | 1234 | 0 | 7 | 2 |"
    )


def test_share_is_0_or_100_percent_only_for_none_or_all() -> None:
    assert [share(part, 100_000) for part in (0, 1, 50_000, 99_999, 100_000)] == [
        *("0", "0.1 %", "50.0 %", "99.9 %", "100 %")
    ]


def test_percentile_is_the_nearest_rank() -> None:
    assert percentile([], 99) == 0
    assert percentile([*range(100, 0, -1)], 99) == 99
    assert percentile([1, 5], 99) == 5


def test_with_a_warm_cache_no_request_may_fail() -> None:
    assert missed(row(fresh=9, stale=9, stale_on_error=9)) == []
    assert missed(row(fresh=9, UPSTREAM_TIMEOUT=1)) == ["a fault (warm): no request fails"]
    assert missed(row(fresh=9, wrong=1)) == [
        "a fault (warm): no answer is wrong",
        "a fault (warm): no request fails",
    ]


def test_doubt_misses_a_bar() -> None:
    assert missed(row(fresh=9, doubts=["no"])) == ["a fault (warm): only the intended part fails"]


def test_cold_errors_have_codes_and_come_in_time() -> None:
    assert missed(row(is_warm=False, UPSTREAM_TIMEOUT=9)) == []
    assert missed(row(is_warm=False, no_answer=1)) == ["a fault (cold): errors have codes"]
    assert missed(row(is_warm=False, INTERNAL_SERVER_ERROR=1)) == [
        "a fault (cold): errors have codes"
    ]
    late = row(is_warm=False, RATE_LIMITED=1)
    late.tally.error_milliseconds.append((DEADLINE_SECONDS + 1) * 1000 + 1)
    assert missed(late) == [f"a fault (cold): errors within {DEADLINE_SECONDS + 1} s"]


def test_small_quota_refuses_only_requests_in_flight() -> None:
    assert missed(row(name="small", refused=[20, 0, 20])) == []
    too_many = ["a fault (warm): at most 20 of 429 in each window"]
    assert missed(row(name="small", refused=[0, 0, 21])) == too_many
    assert missed(row(name="small", refused=[0, 0])) == too_many
    assert missed(row(name="other", refused=[0, 0, 21])) == []


def test_a_run_has_to_be_long_enough() -> None:
    assert long_enough([row(seconds=60, fresh=10_000)]).holds
    assert not long_enough([row(seconds=59, fresh=10_000)]).holds
    assert not long_enough([row(seconds=60, fresh=9_999)]).holds


def test_a_bar_is_a_line() -> None:
    (right, failed) = bars([row(fresh=9, UPSTREAM_TIMEOUT=1)], small_quota="small")
    assert str(right) == "pass  a fault (warm): no answer is wrong: 0 are"
    assert str(failed) == (
        "MISS  a fault (warm): no request fails: {'UPSTREAM_TIMEOUT': 1}, such as []"
    )


def test_scenarios_have_names_of_their_own_and_ask_enough() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
    assert sum(scenario.seconds for scenario in SCENARIOS) * RATE > 10_000
