"""The circuit breaker: its rules one by one, and against a model in any order of outcomes."""

from collections.abc import Callable
from dataclasses import dataclass

from clock import Clock
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.breaker import CircuitBreaker

THRESHOLD, SHORTEST, LONGEST = 3, 1.0, 5.0


def _longest(_: float, seconds: float) -> float:
    return seconds


def breaker_on(
    clock: Clock, jitter: Callable[[float, float], float] = _longest, threshold: int = THRESHOLD
) -> CircuitBreaker:
    return CircuitBreaker(clock, jitter, threshold=threshold, shortest=SHORTEST, longest=LONGEST)


def open_breaker(
    jitter: Callable[[float, float], float] = _longest,
) -> tuple[CircuitBreaker, Clock]:
    clock = Clock()
    breaker = breaker_on(clock, jitter)
    for _ in range(THRESHOLD):
        breaker.record_failure(breaker.enter())
    return breaker, clock


def test_it_opens_after_failures_in_a_row() -> None:
    breaker = breaker_on(Clock())
    outcomes = [breaker.record_failure(breaker.enter()) for _ in range(THRESHOLD - 1)]
    breaker.record_success()
    outcomes += [breaker.record_failure(breaker.enter()) for _ in range(THRESHOLD)]
    assert outcomes == [False] * 4 + [True]
    assert (breaker.is_open, breaker.allows_request) == (True, False)


def test_time_between_probes_doubles_up_to_the_longest() -> None:
    breaker, clock = open_breaker()
    waits = []
    for _ in range(5):
        opened_at = clock.now
        while not breaker.allows_request:
            clock.advance(0.5)
        waits.append(clock.now - opened_at)
        breaker.record_failure(breaker.enter())
    assert waits == [1, 2, 4, LONGEST, LONGEST]


def test_probes_of_several_processes_are_spread_over_half_the_pause() -> None:
    ranges = []

    def middle(least: float, most: float) -> float:
        ranges.append((least, most))
        return (least + most) / 2

    breaker, clock = open_breaker(middle)
    clock.advance(0.75)
    assert (breaker.allows_request, ranges) == (True, [(0.5, 1.0)])


def test_probe_that_is_cancelled_leaves_it_to_the_next() -> None:
    breaker, clock = open_breaker()
    clock.advance(1.0)
    breaker.record_cancelled(breaker.enter())
    assert breaker.enter() == 2


@dataclass
class Model:
    """The breaker as it is documented."""

    failures: int = 0
    opens_for: float = 0.0  # 0 while it is closed
    probe_at: float = 0.0
    probe: object = None

    def lets_through(self, now: float) -> bool:
        return not self.opens_for or (self.probe is None and now >= self.probe_at)

    def open(self, now: float) -> None:
        self.opens_for = min(2 * self.opens_for or 1.0, LONGEST)
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
        self.breaker = breaker_on(self.clock)
        self.model = Model()
        self.sent: list[Sent] = []

    @rule(seconds=st.sampled_from([0.5, 1.0, 20.0, 20.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(many=st.sampled_from([1, 1, THRESHOLD]))
    def enter(self, many: int) -> None:
        for _ in range(many):
            if not self.breaker.allows_request:
                return
            sent = Sent(self.breaker.enter())
            assert (sent.number is not None) is (self.model.opens_for > 0)
            if self.model.opens_for:
                self.model.probe = sent
            self.sent.append(sent)

    @rule(index=st.integers(-3, 3), many=st.sampled_from([1, 1, THRESHOLD]))
    def fail(self, index: int, many: int) -> None:
        for _ in range(min(many, len(self.sent))):
            sent = self.sent.pop(index % len(self.sent))
            self.breaker.record_failure(sent.number)
            self.model.failures += 1
            is_first = not self.model.opens_for and self.model.failures >= THRESHOLD
            if is_first or (self.model.opens_for and sent is self.model.probe):
                self.model.open(self.clock.now)

    @rule(index=st.integers(-3, 3))
    def succeed(self, index: int) -> None:
        if self.sent:
            self.sent.pop(index % len(self.sent))
            self.breaker.record_success()
            self.model = Model()

    @rule(index=st.integers(-3, 3))
    def cancel(self, index: int) -> None:
        if self.sent:
            sent = self.sent.pop(index % len(self.sent))
            self.breaker.record_cancelled(sent.number)
            if sent is self.model.probe:
                self.model.probe = None

    @invariant()
    def breaker_does_what_its_model_does(self) -> None:
        assert self.breaker.is_open is (self.model.opens_for > 0)
        assert self.breaker.allows_request is self.model.lets_through(self.clock.now)


Requests.TestCase.settings = settings(max_examples=100, stateful_step_count=30)
TestAnyOrderOfEnds = Requests.TestCase
