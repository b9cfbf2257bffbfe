from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from examples import examples
from gateway.bigcommerce.breaker import FAILURES_IN_A_ROW, LONGEST_SECONDS, Breaker


@dataclass
class Clock:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


def longest(_: float, seconds: float) -> float:
    return seconds


def opened(spread: Callable[[float, float], float] = longest) -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(clock, spread)
    for _ in range(FAILURES_IN_A_ROW):
        breaker.failed(breaker.enter())
    return breaker, clock


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    breaker = Breaker(Clock())
    for failures in (FAILURES_IN_A_ROW - 1, FAILURES_IN_A_ROW):
        for _ in range(failures):
            assert breaker.lets_through
            breaker.failed(breaker.enter())
        if failures < FAILURES_IN_A_ROW:
            breaker.succeeded()
    assert (breaker.is_open, breaker.lets_through) == (True, False)


def test_one_request_probes_at_a_time() -> None:
    breaker, clock = opened()
    clock.seconds = 0.99
    assert not breaker.lets_through
    clock.seconds = 1.0
    assert breaker.enter() == 1
    assert not breaker.lets_through


def test_probe_that_succeeds_closes_it() -> None:
    breaker, clock = opened()
    clock.seconds = 1.0
    breaker.enter()
    assert breaker.succeeded()
    assert (breaker.is_open, breaker.enter(), breaker.succeeded()) == (False, None, False)


def test_the_failure_that_opens_it_is_told() -> None:
    breaker = Breaker(Clock(), threshold=2)
    assert [breaker.failed(breaker.enter()) for _ in range(3)] == [False, True, False]


def test_time_between_probes_doubles_up_to_the_longest() -> None:
    breaker, clock = opened()
    waits = []
    for _ in range(6):
        opened_at = clock.seconds
        while not breaker.lets_through:
            clock.seconds += 0.5
        waits.append(clock.seconds - opened_at)
        breaker.failed(breaker.enter())
    assert waits == [1, 2, 4, *[LONGEST_SECONDS] * 3]


def test_processes_do_not_probe_at_once() -> None:
    asked = []

    def middle(least: float, most: float) -> float:
        asked.append((least, most))
        return (least + most) / 2

    breaker, clock = opened(middle)
    clock.seconds = 0.75
    assert breaker.lets_through
    assert asked == [(0.5, 1.0)]


def test_late_failure_of_an_ordinary_request_does_not_disturb_the_probe() -> None:
    breaker, clock = opened()
    clock.seconds = 1.0
    probe = breaker.enter()
    breaker.failed(None)
    breaker.gave_up(None)
    assert not breaker.lets_through
    breaker.failed(probe)
    clock.seconds = 2.99
    assert not breaker.lets_through


def test_probe_that_ended_before_anything_was_known_leaves_it_to_the_next() -> None:
    breaker, clock = opened()
    clock.seconds = 1.0
    breaker.gave_up(breaker.enter())
    assert breaker.enter() == 2


def test_probe_that_fails_after_another_answer_came_is_one_failure_of_many() -> None:
    breaker, clock = opened()
    clock.seconds = 1.0
    probe = breaker.enter()
    breaker.succeeded()
    breaker.failed(probe)
    assert not breaker.is_open


def test_probe_of_an_earlier_time_does_not_end_the_one_of_now() -> None:
    breaker, clock = opened()
    clock.seconds = 1.0
    earlier = breaker.enter()
    breaker.succeeded()
    for _ in range(FAILURES_IN_A_ROW):
        breaker.failed(breaker.enter())
    clock.seconds = 3.0
    assert breaker.enter() == 2
    breaker.failed(earlier)
    breaker.gave_up(earlier)
    clock.seconds = 60.0
    assert not breaker.lets_through


@dataclass
class Model:
    """The breaker as its decision tells it."""

    failures: int = 0
    opens_for: float = 0.0  # 0 while it is closed
    probe_at: float = 0.0
    probe: object = None

    def lets_through(self, now: float) -> bool:
        return not self.opens_for or (self.probe is None and now >= self.probe_at)

    def open(self, now: float) -> None:
        self.opens_for = min(2 * self.opens_for or 1.0, LONGEST_SECONDS)
        self.probe_at = now + self.opens_for
        self.probe = None


@dataclass(eq=False)
class Sent:
    number: int | None


class Requests(RuleBasedStateMachine):
    """Requests that end in any order, at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker(self.clock, longest)
        self.model = Model()
        self.sent: list[Sent] = []

    @rule(seconds=st.sampled_from([0.5, 1.0, 20.0, 20.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.seconds += seconds

    @rule(many=st.sampled_from([1, 1, FAILURES_IN_A_ROW]))
    def enter(self, many: int) -> None:
        for _ in range(many):
            if not self.breaker.lets_through:
                return
            sent = Sent(self.breaker.enter())
            assert (sent.number is not None) is (self.model.opens_for > 0)
            if self.model.opens_for:
                self.model.probe = sent
            self.sent.append(sent)

    @rule(index=st.integers(-3, 3), many=st.sampled_from([1, 1, FAILURES_IN_A_ROW]))
    def fail(self, index: int, many: int) -> None:
        for _ in range(min(many, len(self.sent))):
            sent = self.sent.pop(index % len(self.sent))
            self.breaker.failed(sent.number)
            self.model.failures += 1
            is_first = not self.model.opens_for and self.model.failures >= FAILURES_IN_A_ROW
            if is_first or (self.model.opens_for and sent is self.model.probe):
                self.model.open(self.clock.seconds)

    @rule(index=st.integers(-3, 3))
    def succeed(self, index: int) -> None:
        if self.sent:
            self.sent.pop(index % len(self.sent))
            self.breaker.succeeded()
            self.model = Model()

    @rule(index=st.integers(-3, 3))
    def give_up(self, index: int) -> None:
        if self.sent:
            sent = self.sent.pop(index % len(self.sent))
            self.breaker.gave_up(sent.number)
            if sent is self.model.probe:
                self.model.probe = None

    @invariant()
    def breaker_does_what_its_model_does(self) -> None:
        assert self.breaker.is_open is (self.model.opens_for > 0)
        assert self.breaker.lets_through is self.model.lets_through(self.clock.seconds)


Requests.TestCase.settings = settings(max_examples=examples(100), stateful_step_count=30)
TestAnyOrderOfEnds = Requests.TestCase
