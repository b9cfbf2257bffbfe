"""Faults and latencies in the words of the command line."""

import re

import pytest

from gateway.emulator import Fault, Latency, Rule
from gateway.emulator.operation_names import OPERATION_NAMES
from gateway.emulator.options import read_latency, read_rule


@pytest.mark.parametrize(
    ("text", "latency"),
    [("0", 0), ("200", 0.2), ("50-500", (0.05, 0.5)), ("5-5", (0.005, 0.005))],
)
def test_latency_is_read_in_milliseconds(text: str, latency: Latency) -> None:
    assert read_latency(text) == latency


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0.5", "'0.5' is not a whole number from 0 to 600000"),
        ("-5", "'' is not a whole number from 0 to 600000"),
        ("5-", "'' is not a whole number from 0 to 600000"),
        ("600001", "'600001' is not a whole number from 0 to 600000"),
        ("500-50", "500 is above 50: the lower number comes first"),
    ],
)
def test_invalid_latency_gets_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        read_latency(text)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("html", Rule(Fault.HTML, times=1)),
        ("html:3", Rule(Fault.HTML, times=3)),
        ("server-error:0.5%", Rule(Fault.SERVER_ERROR, probability=0.005)),
        ("server-error:100%", Rule(Fault.SERVER_ERROR)),
        ("status=503:10", Rule(Fault.STATUS, status=503, times=10)),
        ("drip=0.25:10%", Rule(Fault.DRIP, seconds=0.25, probability=0.1)),
        ("reset@create_segments", Rule(Fault.RESET, times=1, operation="create_segments")),
        (
            "status=503:2@list_customers",
            Rule(Fault.STATUS, status=503, times=2, operation="list_customers"),
        ),
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
        ("status=200", "'200' is not a whole number from 400 to 599"),
        ("drip=601", "'601' is not a number from 0 to 600"),
        ("drip=nan", "'nan' is not a number from 0 to 600"),
        ("html:", "'' is not a whole number from 1 to 1000000"),
        ("html@boom", f"'boom' is none of {', '.join(OPERATION_NAMES)}"),
        ("html@", f"'' is none of {', '.join(OPERATION_NAMES)}"),
        ("html:101%", "'101' is not a number from 0 to 100"),
    ],
)
def test_invalid_rule_gets_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        read_rule(text)
