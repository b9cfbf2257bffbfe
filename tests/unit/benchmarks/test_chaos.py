"""The pure parts of `make chaos`: what counts as what, the table, and the bars."""

from collections import Counter

import pytest

from benchmarks.chaos.bars import bars
from benchmarks.chaos.http import Answer
from benchmarks.chaos.load import Tally, outcome_of
from benchmarks.chaos.queries import IDS, SEGMENTS, Query, first_page, mix, page_after
from benchmarks.chaos.scenarios import SCENARIOS
from benchmarks.chaos.stack import DEADLINE_SECONDS, Row
from benchmarks.chaos.table import percentile, table

ANY = Query("{ __typename }", lambda data: data == {"right": True})


NAMES = {"stale_on_error": "stale on error", "no_answer": "no answer"}


def row(
    *, is_warm: bool = True, windows: list[int] | None = None, fault: str = "a fault", **what: int
) -> Row:
    outcomes = Counter({NAMES.get(name, name): n for name, n in what.items()})
    times = [10.0] * outcomes.total()
    return Row(fault, is_warm, Tally(outcomes, times), 7, 2, windows or [])


def missed(*rows: Row) -> list[str]:
    return [bar.claim for bar in bars(rows, small_quota="small") if not bar.holds]


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ('{"data":{"right":true},"extensions":{"cache":{"age":0,"stale":false}}}', "fresh"),
        ('{"data":{"right":true}}', "fresh"),
        ('{"data":{"right":true},"extensions":{"cache":{"age":2,"stale":true}}}', "stale"),
        (
            '{"data":{"right":true},"extensions":{"cache":{"age":9,"stale":true,"error":"X"}}}',
            "stale on error",
        ),
        ('{"data":{"right":false}}', "wrong"),
        ('{"data":null,"errors":[{"extensions":{"code":"RATE_LIMITED"}}]}', "RATE_LIMITED"),
    ],
)
def test_an_answer_counts_as_what_it_is(body: str, outcome: str) -> None:
    assert outcome_of(Answer(200, body.encode()), ANY) == outcome
    assert outcome_of(Answer(503, body.encode()), ANY) == "status 503"


def test_queries_know_what_is_right() -> None:
    def page(ids: list[str]) -> dict[str, object]:
        return {"segments": {"nodes": [{"entityId": row_id} for row_id in ids]}}

    assert first_page(2).is_right(page(IDS[:2]))
    assert not first_page(2).is_right(page([IDS[0], IDS[0]]))
    assert page_after("c", 49, 50).is_right(page(IDS[50:100]))
    assert not page_after("c", 49, 50).is_right(page(IDS[51:101]))
    kinds = mix([("c", 49), ("d", 99)])
    assert len(kinds) == 24
    assert kinds[5].is_right({"segments": {"totalCount": SEGMENTS}})


def test_table_shows_shares_and_the_slowest() -> None:
    seen = row(fresh=1998, stale=1, RATE_LIMITED=1)
    seen.tally.milliseconds[-1] = 1234.4
    assert table([seen]).splitlines()[2].split(" | ")[1:] == [
        *("warm", "2000", "99.9 %", "<0.1 %", "0", "<0.1 % RATE_LIMITED"),
        *("10", "1234", "0", "7", "2 |"),
    ]
    assert percentile([], 0.99) == 0


def test_with_warm_data_nothing_may_fail() -> None:
    assert missed(row(fresh=9, stale=9, stale_on_error=9)) == []
    assert missed(row(fresh=9, UPSTREAM_TIMEOUT=1)) == ["a fault (warm): no request fails"]
    assert "a fault (warm): no answer is wrong" in missed(row(fresh=9, wrong=1))


def test_cold_errors_have_codes_and_come_in_time() -> None:
    assert missed(row(is_warm=False, UPSTREAM_TIMEOUT=9)) == []
    odd = row(is_warm=False, no_answer=1)
    assert missed(odd) == ["a fault (cold): errors have codes"]
    late = row(is_warm=False, RATE_LIMITED=1)
    late.tally.error_milliseconds.append((DEADLINE_SECONDS + 1) * 1000 + 1)
    assert missed(late) == [f"a fault (cold): errors within {DEADLINE_SECONDS + 1}000 ms"]


def test_a_small_quota_is_kept_to_after_its_first_window() -> None:
    assert missed(row(fault="small", windows=[5, 0, 0])) == []
    assert missed(row(fault="small", windows=[0, 0, 1])) == [
        "small (warm): none of 429 after the first window"
    ]


def test_scenarios_have_names_of_their_own_and_ask_enough() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
    assert sum(scenario.seconds for scenario in SCENARIOS) * 120 > 10_000
