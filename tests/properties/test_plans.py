"""Plans and the response cache change no answer: each one is that of a gateway without them."""

import logging
import os
from collections import Counter
from collections.abc import Iterator

import pytest
from clock import Clock
from direct_requests import Ask, receive_answer
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schedules import schedules
from twins import Step, Twins, counts_of, new_gateway
from usual_operations import UsualOperation, usual_operations
from virtual_time import run_in_virtual_time

from examples import examples

# `make plans` sets more answers, other ones each time.
CASES = os.environ.get("PLANS_CASES")
ANSWERS_OF_A_SCHEDULE = 11
SCHEDULES = int(CASES) // ANSWERS_OF_A_SCHEDULE if CASES else examples(300)
LEAST_SHARE = 0.95
unhurried = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate] if CASES else [Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Logs no warnings, since the upstream fails often; a stack in the log fails the test.

    A plan that raises is one: its request is executed, and the answer is right.
    """
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)
    assert not [record for record in caplog.get_records("call") if record.exc_info]


async def compare(steps: list[Step], response_cache_bytes: int) -> Twins:
    """Does the steps; returns the gateways, which answered alike."""
    twins = Twins(RESPONSE_CACHE_MAX_BYTES=str(response_cache_bytes))
    for step in steps:
        await twins.do(step)
    return twins


@pytest.mark.parametrize("response_cache_bytes", [0, 2**24], ids=["plans", "plans and cache"])
def test_every_answer_is_that_of_a_gateway_without_plans(
    response_cache_bytes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    counts: Counter[str] = Counter()
    executed: Counter[str] = Counter()
    unexplained: list[Ask] = []

    @settings(unhurried, max_examples=SCHEDULES // 2)
    @given(steps=schedules())
    def each_answer_is(steps: list[Step]) -> None:
        twins = run_in_virtual_time(compare(steps, response_cache_bytes))
        counts.update(twins.counts(), answers=twins.answers, parted=int(twins.has_parted))
        executed.update(twins.executed)
        unexplained.extend(twins.unexplained)

    each_answer_is()
    if response_cache_bytes == 0:
        assert counts["parted"] == 0
    if CASES:
        with capsys.disabled():
            print(f"\n{SCHEDULES // 2} schedules: {dict(counts)}\nexecuted: {dict(executed)}")
            for ask in unexplained[:: len(unexplained) // 10 + 1]:
                print(f"  {ask.operation.document[:200]}")


async def count_planned(operations: list[UsualOperation]) -> tuple[Counter[str], Counter[str]]:
    """Returns how many operations of each kind were asked, and how many plans answered.

    Each is asked three times, of which the last one counts: by then, its rows are in the cache.
    """
    gateway = new_gateway(Clock(), RESPONSE_CACHE_MAX_BYTES="0")
    asked, planned = Counter[str](), Counter[str]()
    for one in operations:
        ask = Ask(one.operation)
        await receive_answer(gateway, ask)
        await receive_answer(gateway, ask)
        before = counts_of(gateway)["planned"]
        received = await receive_answer(gateway, ask)
        assert b'"errors"' not in received.body, received.body
        asked[one.kind] += 1
        planned[one.kind] += counts_of(gateway)["planned"] - before
    return asked, planned


def test_plans_answer_nearly_all_usual_requests_from_a_warm_cache(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: Counter[str] = Counter()
    planned: Counter[str] = Counter()

    @settings(unhurried, max_examples=examples(40), phases=[Phase.generate])
    @given(operations=st.lists(usual_operations(), min_size=1, max_size=8))
    def count(operations: list[UsualOperation]) -> None:
        of_one = run_in_virtual_time(count_planned(operations))
        asked.update(of_one[0])
        planned.update(of_one[1])

    count()
    refused = {kind: f"{number - planned[kind]} of {number}" for kind, number in asked.items()}
    if CASES:
        with capsys.disabled():
            print(f"\nusual requests without a plan: {refused}")
    assert planned.total() >= LEAST_SHARE * asked.total(), refused
