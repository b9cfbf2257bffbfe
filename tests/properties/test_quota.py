"""The quota of one process against the emulator's own count, over a slow wire."""

import asyncio
import math
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import run_in_virtual_time

from examples import examples
from gateway.bigcommerce.client import BigCommerceClient
from gateway.bigcommerce.limiter import MAXIMUM_IN_FLIGHT, RESET_JITTER_SECONDS, RequestLimiter
from gateway.bigcommerce.listings import SEGMENTS
from gateway.bigcommerce.quota import Quota
from gateway.bigcommerce.rate_limit import RateLimit, read_rate_limit
from gateway.emulator.rate_limit_window import RateLimitWindow
from gateway.errors import QuotaExhausted


@dataclass
class Flight:
    sent_at: float
    arrives_at: float
    comes_back_at: float
    rate_limit: RateLimit | None = None
    has_arrived: bool = False

    @property
    def due_at(self) -> float:
        return self.comes_back_at if self.has_arrived else self.arrives_at


@dataclass
class World:
    """A store, its one client, and the requests between them; `refused` counts 429s."""

    limit: int
    window_ms: int
    now: float = 1000.0
    flights: list[Flight] = field(default_factory=list)
    refused: int = 0
    slow: int = 0

    def __post_init__(self) -> None:
        self.window = RateLimitWindow(self.limit, lambda: self.now, window_ms=self.window_ms)
        self.quota = Quota(lambda: self.now)

    def send(self, there_ms: int, back_ms: int) -> None:
        self.quota.in_flight += 1
        there, back = there_ms / 1000, back_ms / 1000
        self.flights.append(Flight(self.now, self.now + there, self.now + there + back))
        self.slow += 2 * (there_ms + back_ms) >= self.window_ms - 2

    def pass_time(self, seconds: float) -> None:
        """Lets requests arrive and answers come back in their order."""
        until = self.now + seconds
        while self.flights:
            flight = min(self.flights, key=lambda flight: flight.due_at)
            if flight.due_at > until:
                break
            self.now = max(self.now, flight.due_at)
            if flight.has_arrived:
                self.flights.remove(flight)
                self.quota.in_flight -= 1
                if flight.rate_limit is not None:
                    self.quota.record(flight.rate_limit)
            else:
                flight.has_arrived = True
                self.refused += not self.window.take()
                flight.rate_limit = read_rate_limit(headers_of(self.window))
        self.now = until

    def land_all(self) -> None:
        self.pass_time(max([0.0, *(flight.comes_back_at - self.now for flight in self.flights)]))

    @property
    def truly_left(self) -> int:
        return int(headers_of(self.window)["x-rate-limit-requests-left"])


def headers_of(window: RateLimitWindow) -> dict[str, str]:
    return {name.lower(): text for name, text in window.headers().items()}


limits = st.integers(1, 50)
windows_ms = st.integers(1_000, 60_000)
trips_ms = st.sampled_from([1, 40, 300, 490, 2_000, 5_000])
sends = st.tuples(st.integers(1, 12), trips_ms, trips_ms)
# Of a window, so that its end is often near.
waits = st.sampled_from([0.0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.99, 1.0, 1.01, 3.0])
steps = st.lists(sends | waits, max_size=30)
Step = tuple[int, int, int] | float


def play(limit: int, window_ms: int, steps: list[Step], *, fast: bool) -> World:
    """Sends whatever the quota allows, from the first answer on."""
    world = World(limit, window_ms)
    world.send(1, 1)
    world.pass_time(0.002)
    for step in steps:
        if isinstance(step, float):
            world.pass_time(step * window_ms / 1000)
            continue
        many, there, back = step
        if fast and 2 * (there + back) >= window_ms - 2:
            there = back = window_ms // 4 - 1
        for _ in range(many):
            if world.quota.available > 0 and len(world.flights) < MAXIMUM_IN_FLIGHT:
                world.send(there, back)
    world.land_all()
    assert world.quota.in_flight == 0
    return world


@given(limits, windows_ms, steps)
@settings(max_examples=examples(1500))
def test_request_is_never_refused_while_each_takes_less_than_half_a_window(
    limit: int, window_ms: int, steps: list[Step]
) -> None:
    assert play(limit, window_ms, steps, fast=True).refused == 0


@given(limits, windows_ms, steps)
@settings(max_examples=examples(1500))
def test_request_that_takes_half_a_window_costs_one_429_at_most(
    limit: int, window_ms: int, steps: list[Step]
) -> None:
    world = play(limit, window_ms, steps, fast=False)
    assert world.refused <= world.slow


@given(st.integers(1, 12), st.integers(1, 20), trips_ms)
@settings(max_examples=examples(100))
def test_before_the_first_answer_only_requests_in_flight_can_be_refused(
    limit: int, many: int, trip_ms: int
) -> None:
    world = World(limit, 30_000)
    for _ in range(min(many, MAXIMUM_IN_FLIGHT)):
        assert world.quota.available == math.inf
        world.send(trip_ms, trip_ms)
    world.land_all()
    assert world.refused == max(0, min(many, MAXIMUM_IN_FLIGHT) - limit)
    assert world.quota.available == world.truly_left


@given(limits, windows_ms, steps)
@settings(max_examples=examples(500))
def test_whole_quota_is_available_after_the_window(
    limit: int, window_ms: int, steps: list[Step]
) -> None:
    world = play(limit, window_ms, steps, fast=False)
    world.pass_time(window_ms / 1000 + 0.002)
    assert (world.quota.remaining, world.quota.available) == (None, limit)
    assert world.quota.wait_seconds == 0
    world.send(1, 1)
    world.land_all()
    assert world.quota.available == world.truly_left


@given(st.integers(4, 8), st.lists(st.integers(0, 3), min_size=1, max_size=10))
def test_what_another_app_took_is_known_at_the_next_answer(limit: int, taken: list[int]) -> None:
    world = World(limit, 30_000)
    for others in taken:
        for _ in range(others):
            world.window.take()
        if world.quota.available > 0:
            world.send(10, 10)
            world.land_all()
            assert world.quota.available == world.truly_left


class Store:
    """A limiter whose requests the emulator's window counts, on the clock of the event loop."""

    def __init__(
        self,
        limit: int,
        window_ms: int,
        latency: float,
        seed: int,
        window: RateLimitWindow | None = None,
    ) -> None:
        now = asyncio.get_running_loop().time
        self.window = window or RateLimitWindow(limit, now, window_ms=window_ms)
        self.latency = latency
        self.refused = 0
        http = httpx.AsyncClient(
            transport=httpx.MockTransport(self._answer), base_url="http://store.test/v3/"
        )
        jitter = Random(seed).uniform
        self.client = BigCommerceClient(http)
        self.limiter = RequestLimiter(now, jitter=jitter)

    async def _answer(self, _: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self.latency / 2)
        status = 200 if self.window.take() else 429
        self.refused += status == 429
        headers = self.window.headers()
        await asyncio.sleep(self.latency / 2)
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(b"{}"))

    async def ask(self, patience: float = 1e6) -> int:
        deadline = asyncio.get_running_loop().time() + patience
        await self.limiter.acquire(deadline - 0.1)
        try:
            answer = await self.client.send(SEGMENTS.page(1, 250), 1.0)
            self.limiter.record_answer(answer)
        finally:
            self.limiter.release()
        return answer.status


@given(limits, windows_ms, st.sampled_from([0.001, 0.02, 0.05]), st.integers(1, 3), st.integers())
@settings(max_examples=examples(100))
def test_each_window_serves_its_whole_quota_until_all_callers_have_an_answer(
    limit: int, window_ms: int, latency: float, windows: int, seed: int
) -> None:
    async def play() -> None:
        store = Store(limit, window_ms, latency, seed)
        await store.ask()
        callers = [store.ask() for _ in range(windows * limit)]
        assert await asyncio.gather(*callers) == [200] * windows * limit
        # The first request of all has used one up, so the last caller waits for a window more.
        resets = windows * window_ms / 1000
        ended_after = asyncio.get_running_loop().time() - resets
        assert 0 <= ended_after <= RESET_JITTER_SECONDS + 2 * latency + 0.01
        assert store.refused == 0

    run_in_virtual_time(play())


@given(limits, windows_ms, st.floats(0, 70), st.integers())
@settings(max_examples=examples(200))
def test_caller_waits_for_the_reset_where_its_deadline_allows_and_else_fails_at_once(
    limit: int, window_ms: int, patience: float, seed: int
) -> None:
    async def play() -> None:
        store = Store(limit, window_ms, 0.02, seed)
        for _ in range(limit):
            await store.ask()
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        until_reset = store.limiter.quota.wait_seconds
        if until_reset == 0:  # the window ended while its quota was used up
            return
        (outcome,) = await asyncio.gather(store.ask(patience), return_exceptions=True)
        if isinstance(outcome, QuotaExhausted):
            assert loop.time() == asked_at
            assert outcome.retry_after == math.ceil(until_reset)
            assert patience < until_reset + RESET_JITTER_SECONDS + 0.1
        else:
            assert outcome == 200
            assert asked_at + until_reset <= loop.time() <= asked_at + patience
        assert store.refused == 0

    run_in_virtual_time(play())


@given(st.integers(1, 150), st.sampled_from([5_000, 30_000]), st.floats(0.001, 0.3), st.integers())
@settings(max_examples=examples(100))
def test_each_of_two_processes_draws_ten_429_a_window_at_most(
    limit: int, window_ms: int, latency: float, seed: int
) -> None:
    async def play() -> None:
        first = Store(limit, window_ms, latency, seed)
        second = Store(limit, window_ms, latency, seed + 1, first.window)
        callers = [store.ask() for store in (first, second) for _ in range(limit + 30)]
        statuses = Counter(await asyncio.gather(*callers))
        assert statuses == {200: len(callers) - statuses[429], 429: statuses[429]}
        windows = first.window.history
        assert max(window.refused for window in windows) <= 2 * MAXIMUM_IN_FLIGHT
        # Nothing of a window is left over while callers wait.
        assert [window.requests >= limit for window in windows][:-1] == [True] * (len(windows) - 1)

    run_in_virtual_time(play())


@given(st.integers(1, 5), st.integers(1_000, 8_000), st.integers(5, 40), st.integers())
@settings(max_examples=examples(100))
def test_caller_that_no_window_serves_in_time_is_rate_limited(
    limit: int, window_ms: int, many: int, seed: int
) -> None:
    async def play() -> None:
        store = Store(limit, window_ms, 0.02, seed)
        await store.ask()
        started_at = asyncio.get_running_loop().time()
        callers = [store.ask(10.0) for _ in range(many)]
        outcomes = await asyncio.gather(*callers, return_exceptions=True)
        assert {outcome if outcome == 200 else type(outcome) for outcome in outcomes} <= {
            200,
            QuotaExhausted,
        }
        # Whole windows from the first reset on, as far as there is time for an answer.
        windows = int((9.5 - window_ms / 1000) / (window_ms / 1000)) + 1
        assert outcomes.count(200) >= min(many, windows * limit)
        assert asyncio.get_running_loop().time() <= started_at + 10
        assert store.refused == 0

    run_in_virtual_time(play())
