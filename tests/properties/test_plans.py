"""Plans and the response cache change no answer: each one is that of a gateway without them."""

import logging
import os
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from schedules import schedules
from twins import HAS_PLANS, Step, Twins
from usual_operations import usual_asks
from virtual_time import run_in_virtual_time

from examples import examples

# `make plans` sets more answers, other ones each time; all of its schedules are new.
CASES = os.environ.get("PLANS_CASES")
ANSWERS_OF_A_SCHEDULE = 15
SCHEDULES = int(CASES) // ANSWERS_OF_A_SCHEDULE if CASES else examples(100)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Logs nothing: the upstream fails all the time."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


async def compare(steps: list[Step]) -> Twins:
    """Does the steps; returns the gateways, which answered alike."""
    twins = Twins()
    for step in steps:
        await twins.do(step)
    return twins


def test_every_answer_is_that_of_a_gateway_without_plans(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers: Counter[str] = Counter()

    @settings(
        max_examples=SCHEDULES,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(steps=schedules())
    def each_answer_is(steps: list[Step]) -> None:
        twins = run_in_virtual_time(compare(steps))
        answers.update(twins.counts(), answers=twins.answers)

    each_answer_is()
    if CASES:
        with capsys.disabled():
            print(f"\n{SCHEDULES} schedules: {dict(answers)}")
