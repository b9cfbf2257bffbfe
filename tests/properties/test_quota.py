"""The view of the quota against the emulator's count, on one clock and a wire that takes time."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.bigcommerce.quota import WINDOW_SECONDS, QuotaView
from gateway.bigcommerce.rate_limit import RateLimit, read_rate_limit
from gateway.emulator.rate_limit import RateLimitWindow

# Shorter than a resolution of the clock, no answer is; longer, no request is let be.
WIRE_MILLISECONDS = st.sampled_from([1, 2, 40, 300, 2_000, 6_000])


@dataclass
class Flight:
    sent_at: float
    arrives_at: float
    comes_back_at: float
    is_told: bool
    limit: RateLimit | None = None
    has_arrived: bool = False


@dataclass
class World:
    """A store, its one client, and what is on its way between them."""

    quota: int
    now: float = 1000.0
    flights: list[Flight] = field(default_factory=list)
    refused: list[Flight] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.window = RateLimitWindow(self.quota, lambda: self.now)
        self.view = QuotaView(lambda: self.now)

    def send(self, there: float, back: float, is_told: bool) -> Flight:
        self.view.send()
        flight = Flight(self.now, self.now + there, self.now + there + back, is_told)
        self.flights.append(flight)
        return flight

    def pass_time(self, seconds: float) -> None:
        """Lets everything happen in its order until then."""
        until = self.now + seconds
        while self.flights:
            flight = min(self.flights, key=due)
            if due(flight) > until:
                break
            self.now = max(self.now, due(flight))
            if flight.has_arrived:
                self.flights.remove(flight)
                self.view.answered(flight.sent_at, self.now, flight.limit)
            else:
                self.arrive(flight)
        self.now = until

    def arrive(self, flight: Flight) -> None:
        flight.has_arrived = True
        is_covered = self.window.take()
        if not is_covered:
            self.refused.append(flight)
        if flight.is_told:
            headers = {name.lower(): text for name, text in self.window.headers().items()}
            flight.limit = read_rate_limit(headers)

    def land_all(self) -> None:
        self.pass_time(max([0.0, *(flight.comes_back_at - self.now for flight in self.flights)]))

    @property
    def truly_left(self) -> int:
        headers = self.window.headers()
        return int(headers["X-Rate-Limit-Requests-Left"])


def due(flight: Flight) -> float:
    return flight.comes_back_at if flight.has_arrived else flight.arrives_at


sends = st.tuples(
    st.integers(1, 4), WIRE_MILLISECONDS, WIRE_MILLISECONDS, st.sampled_from([True, True, False])
)
waits = st.sampled_from([0, 1, 100, 1_000, 5_000, 24_000, 30_000, 31_000, 100_000])
steps = st.lists(sends | waits, max_size=25)


def play(world: World, steps: list[tuple[int, int, int, bool] | int]) -> None:
    for step in steps:
        if isinstance(step, int):
            world.pass_time(step / 1000)
            continue
        many, there, back, is_told = step
        for _ in range(many):
            if world.view.left > 0:
                world.send(there / 1000, back / 1000, is_told)


@given(st.integers(1, 8), steps)
@settings(max_examples=1000, deadline=None)
def test_whoever_keeps_to_the_view_is_never_refused_once_it_was_told(
    quota: int, steps: list[tuple[int, int, int, bool] | int]
) -> None:
    world = World(quota)
    world.send(0.1, 0.1, True)
    world.pass_time(0.2)
    play(world, steps)
    world.land_all()
    assert world.refused == []
    assert world.view.in_flight == 0


@given(st.integers(1, 8), steps)
@settings(max_examples=500, deadline=None)
def test_answer_to_a_request_that_is_alone_on_the_wire_tells_exactly_what_is_left(
    quota: int, steps: list[tuple[int, int, int, bool] | int]
) -> None:
    world = World(quota)
    play(world, steps)
    world.land_all()
    world.pass_time(0.001)
    world.send(0.001, 0.001, True)
    world.land_all()
    assert world.view.left == world.truly_left


@given(st.integers(1, 8), steps)
@settings(max_examples=200, deadline=None)
def test_all_of_the_quota_may_be_used_after_the_latest_end_of_a_window(
    quota: int, steps: list[tuple[int, int, int, bool] | int]
) -> None:
    world = World(quota)
    world.send(0.1, 0.1, True)
    play(world, steps)
    world.land_all()
    world.pass_time(2 * WINDOW_SECONDS + 0.01)
    assert world.view.left == quota
    assert world.view.wait_seconds == 0


@given(st.integers(4, 8), st.lists(st.integers(0, 3), min_size=1, max_size=10))
def test_what_another_app_took_is_known_at_the_next_answer(quota: int, taken: list[int]) -> None:
    world = World(quota)
    for others in taken:
        for _ in range(others):
            world.window.take()
        if world.view.left > 0:
            world.send(0.01, 0.01, True)
            world.land_all()
            assert world.view.left == world.truly_left
