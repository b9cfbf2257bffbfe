"""Rules of faults: which one meets a request, and how people type them."""

import re
from random import Random

import pytest

from gateway.emulator import Fault, Faults, Rule
from gateway.emulator.options import read_rule


def drawn(faults: Faults, times: int) -> list[Rule | None]:
    return [faults.draw() for _ in range(times)]


def test_first_rule_that_applies_meets_the_request() -> None:
    twice = Rule(Fault.HTML, times=2)
    ever = Rule(Fault.STATUS, status=503)
    faults = Faults([twice, ever])
    assert [rule and rule.fault for rule in drawn(faults, 4)] == [
        "html",
        "html",
        "status",
        "status",
    ]
    assert faults.rules == [ever]


def test_times_that_are_left_are_told() -> None:
    faults = Faults([Rule(Fault.HTML, times=3)])
    faults.take()
    assert faults.rules == [Rule(Fault.HTML, times=2)]


def test_rule_of_no_fault_lets_requests_be_answered_rightly() -> None:
    faults = Faults([Rule(None, times=1), Rule(Fault.HTML)])
    assert [faults.take() for _ in range(3)] == [None, Fault.HTML, Fault.HTML]


def test_rule_by_chance_leaves_the_rest_to_those_behind_it() -> None:
    faults = Faults([Rule(Fault.RESET, probability=0.25), Rule(Fault.HTML)], Random(7))
    met = [faults.take() for _ in range(1000)]
    assert met.count(Fault.RESET) == pytest.approx(250, abs=40)
    assert met.count(Fault.HTML) == 1000 - met.count(Fault.RESET)


def test_chance_uses_up_only_the_times_that_it_meets() -> None:
    faults = Faults([Rule(Fault.RESET, probability=0.5, times=10)], Random(7))
    assert [faults.take() for _ in range(100)].count(Fault.RESET) == 10
    assert faults.rules == []


@pytest.mark.parametrize(("probability", "met"), [(0.0, 0), (1.0, 50)])
def test_certainty_is_certain(probability: float, met: int) -> None:
    faults = Faults([Rule(Fault.RESET, probability=probability)])
    assert [faults.take() for _ in range(50)].count(Fault.RESET) == met


def test_chance_is_the_same_on_every_start() -> None:
    rule = Rule(Fault.RESET, probability=0.5)
    assert drawn(Faults([rule]), 50) == drawn(Faults([rule]), 50)
    assert drawn(Faults([rule], Random(1)), 50) != drawn(Faults([rule], Random(2)), 50)


@pytest.mark.parametrize(
    ("fault", "status", "seconds", "times", "sentence"),
    [
        (Fault.STATUS, None, None, 1, "`status` goes with the fault status, and with no other"),
        (Fault.HTML, 503, None, 1, "`status` goes with the fault status, and with no other"),
        (
            Fault.DRIP,
            None,
            None,
            1,
            "`seconds` goes with the faults drip and hang, and with no other",
        ),
        (
            Fault.CUT,
            None,
            2.0,
            1,
            "`seconds` goes with the faults drip and hang, and with no other",
        ),
        (Fault.HTML, None, None, 0, "`times` must be 1 or more"),
    ],
)
def test_rule_that_makes_no_sense_is_refused(
    fault: Fault, status: int | None, seconds: float | None, times: int, sentence: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Rule(fault, status=status, seconds=seconds, times=times)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("html", Rule(Fault.HTML, times=1)),
        ("html:3", Rule(Fault.HTML, times=3)),
        ("server-error:50%", Rule(Fault.SERVER_ERROR, probability=0.5)),
        ("server-error:0.5%", Rule(Fault.SERVER_ERROR, probability=0.005)),
        ("server-error:100%", Rule(Fault.SERVER_ERROR)),
        ("status=503:10", Rule(Fault.STATUS, status=503, times=10)),
        ("drip=2", Rule(Fault.DRIP, seconds=2, times=1)),
        ("hang=0.25:10%", Rule(Fault.HANG, seconds=0.25, probability=0.1)),
    ],
)
def test_rule_is_read_as_it_is_typed(text: str, rule: Rule) -> None:
    assert read_rule(text) == rule


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", f"'' is none of {', '.join(Fault)}"),
        ("html=3", "html takes no number"),
        ("status", "status needs a number, as in status=503"),
        ("drip:2", "drip needs a number, as in drip=2"),
        ("hang", "hang needs a number, as in hang=2"),
        ("status=200", "'200' is not a whole number from 400 to 599"),
        ("drip=601", "'601' is not a number from 0 to 600"),
        ("drip=", "'' is not a number from 0 to 600"),
        ("drip=nan", "'nan' is not a number from 0 to 600"),
        ("html:", "'' is not a whole number from 1 to 1000000"),
        ("html:0", "'0' is not a whole number from 1 to 1000000"),
        ("html:101%", "'101' is not a number from 0 to 100"),
        ("html:%", "'' is not a number from 0 to 100"),
    ],
)
def test_rule_that_makes_no_sense_is_told(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        read_rule(text)
