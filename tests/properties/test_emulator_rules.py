"""Rules that are always met are a queue: the emulator's faults against a plain list."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.emulator import Fault, Faults, Rule

QUEUED = st.tuples(st.none() | st.sampled_from([Fault.HTML, Fault.CUT]), st.integers(1, 4))


@given(steps=st.lists(QUEUED | st.just("take") | st.just("clear"), max_size=40))
def test_queued_faults_come_in_order_and_as_often_as_told(
    steps: list[tuple[Fault | None, int] | str],
) -> None:
    faults = Faults()
    model: list[Fault | None] = []
    for step in steps:
        if step == "take":
            assert faults.take() == (model.pop(0) if model else None)
        elif step == "clear":
            faults.clear()
            model.clear()
        elif isinstance(step, tuple):
            fault, times = step
            if fault is None:
                faults.skip(times)
            else:
                faults.add(fault, times)
            model += [fault] * times
    assert sum(rule.times or 0 for rule in faults.rules) == len(model)


@given(
    times=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    probability=st.floats(0.2, 1),
    draws=st.integers(0, 60),
)
def test_no_rule_is_met_more_often_than_told(
    times: list[int], probability: float, draws: int
) -> None:
    rules = [
        Rule(Fault.STATUS, status=500 + n, probability=probability, times=often)
        for n, often in enumerate(times)
    ]
    faults = Faults(rules)
    met = [rule.status for rule in (faults.draw() for _ in range(draws)) if rule is not None]
    left = {rule.status: rule.times or 0 for rule in faults.rules}
    for rule in rules:
        assert met.count(rule.status) + left.get(rule.status, 0) == rule.times
