"""Operations on a store that fails, hangs and counts, in virtual time."""

import asyncio
import math
import random
from collections import Counter
from collections.abc import Iterator
from contextvars import ContextVar

import httpx
import pytest
import stamina
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import run_in_virtual_time

from examples import examples
from gateway.bigcommerce.client import BigCommerceClient
from gateway.bigcommerce.limiter import MAXIMUM_IN_FLIGHT, RequestLimiter
from gateway.bigcommerce.listings import SEGMENTS
from gateway.bigcommerce.operations import Upstream
from gateway.bigcommerce.retry_budget import MOST_SAVED, RETRIES_PER_OPERATION
from gateway.emulator.rate_limit_window import RateLimitWindow
from gateway.errors import RateLimited, UpstreamError
from gateway.request_scope import open_request_scope

TIMEOUT_SECONDS = 10.0
EMPTY = b'{"data":[],"meta":{"pagination":{"total":0,"per_page":250}}}'
# More than the error of adding floats of this size.
AN_INSTANT = 1e-6

# How the store answers a request: its fault, and milliseconds until it is there, and back.
Fault = tuple[str, int, int]
# Operations that start at once, milliseconds after the last ones, and whether their callers are
# cancelled, after how many milliseconds.
Arrival = tuple[int, int, bool, float]

operation: ContextVar[int] = ContextVar("operation", default=0)


@pytest.fixture(autouse=True, scope="module")
def _backoffs() -> Iterator[None]:
    with stamina.set_testing(False):
        yield


class World:
    """A store with these faults, in turns, and the gateway's client of it."""

    def __init__(self, quota: int, answers: list[Fault], seed: int = 0) -> None:
        self.answers = answers
        self.sent: list[int] = []
        self.on_the_wire: list[int] = []
        self.most_on_the_wire = self.refused = self.unreported = 0
        self.probes = self.most_probes = 0
        self.window = RateLimitWindow(quota, self.now)
        self.jitter = random.Random(seed).uniform
        http = httpx.AsyncClient(
            transport=httpx.MockTransport(self._carry), base_url="http://store.test/v3/"
        )
        self.limiter = RequestLimiter(self.now, jitter=self.jitter, reserve=15)
        self.upstream = Upstream(
            BigCommerceClient(http),
            self.limiter,
            self.now,
            timeout_seconds=TIMEOUT_SECONDS,
            jitter=self.jitter,
        )
        self.breaker = self.upstream.health("list_segments").failing
        self.opened_at: float | None = None

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def ask(self) -> int:
        return (await self.upstream.fetch_page(SEGMENTS, 1, 250)).total

    async def _carry(self, _: httpx.Request) -> httpx.Response:
        fault = self.answers[len(self.sent) % len(self.answers)]
        mine = operation.get()
        # What was sent in the moment in which it opened is no probe.
        if not self.breaker.is_open:
            self.opened_at = None
        elif self.opened_at is None:
            self.opened_at = self.now()
        is_probe = self.opened_at is not None and self.now() > self.opened_at
        self.sent.append(mine)
        self.on_the_wire.append(mine)
        self.probes += is_probe
        self.most_on_the_wire = max(self.most_on_the_wire, len(self.on_the_wire))
        self.most_probes = max(self.most_probes, self.probes)
        try:
            return await self._answer(*fault)
        finally:
            self.on_the_wire.remove(mine)
            self.probes -= is_probe

    async def _answer(self, fault: str, there: int, back: int) -> httpx.Response:
        await asyncio.sleep(there / 1000)
        if fault == "refused":
            raise httpx.ConnectError("no")
        status = 200 if self.window.take() else 429
        headers = {} if fault in ("silent", "overloaded") else self.window.headers()
        self.refused += status == 429
        self.unreported += 1  # until its answer has come
        await asyncio.sleep(3600 if fault == "hangs" else back / 1000)
        if fault == "cut":
            raise httpx.ReadError("cut")
        if fault == "overloaded":
            status = 429
        elif fault == "500" and status == 200:
            status = 500
        self.unreported -= bool(headers)
        body = b"<html>" if fault == "html" else EMPTY
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    async def carry_out(self, number: int, is_cancelled: bool, after: float) -> None:
        """Carries one operation out, and checks when it ends, and what it sent."""
        operation.set(number)
        ends_by = self.now() + TIMEOUT_SECONDS
        with open_request_scope(60):
            asked = asyncio.ensure_future(self.ask())
        if is_cancelled:
            await asyncio.wait({asked}, timeout=after)
            sent = self.sent.count(number)
            ends_by = min(ends_by, self.now())
            asked.cancel()
        await asyncio.wait({asked})
        assert self.now() <= ends_by + AN_INSTANT
        if is_cancelled:
            # What was sent is finished, and nothing more is sent.
            while number in self.on_the_wire:  # noqa: ASYNC110 - in virtual time
                await asyncio.sleep(0.1)
            assert self.now() <= ends_by + TIMEOUT_SECONDS
            assert self.sent.count(number) == sent
        assert asked.cancelled() or isinstance(asked.exception(), UpstreamError | None)


FAULTS = ["none", "none", "silent", "500", "html", "refused", "cut", "hangs", "overloaded"]
milliseconds = st.sampled_from([1, 50, 400, 2_000])
some_faults = st.lists(
    st.tuples(st.sampled_from(FAULTS), milliseconds, milliseconds), min_size=1, max_size=12
)
some_arrivals = st.lists(
    st.tuples(
        st.integers(1, 15),
        st.sampled_from([0, 1, 50, 300, 2_000, 12_000]),
        st.booleans(),
        # Never at the time of another event: their order would not be known.
        st.sampled_from([0.7, 100.7, 2_500.7]),
    ),
    min_size=1,
    max_size=12,
)


@given(st.sampled_from([3, 12, 150]), some_faults, some_arrivals, st.integers(0, 9))
@settings(max_examples=examples(200))
def test_operations_keep_to_every_limit_whatever_happens(
    quota: int, answers: list[Fault], arrivals: list[Arrival], seed: int
) -> None:
    async def play() -> None:
        world = World(quota, [("none", 1, 1)], seed)
        await world.ask()  # the quota is known from now on
        world.answers, world.sent = answers, []
        operations: list[asyncio.Task[None]] = []
        for many, later, is_cancelled, after in arrivals:
            await asyncio.sleep(later / 1000)
            operations += [
                asyncio.ensure_future(world.carry_out(number, is_cancelled, after / 1000))
                for number in range(len(operations) + 1, len(operations) + 1 + many)
            ]
        await asyncio.gather(*operations)
        retries = len(world.sent) - len(set(world.sent))
        assert retries <= MOST_SAVED + RETRIES_PER_OPERATION * len(operations)
        assert max(Counter(world.sent).values(), default=0) <= 3
        assert world.most_on_the_wire <= MAXIMUM_IN_FLIGHT
        assert world.most_probes <= 1
        # A request that the store has counted, and of which no answer tells, can cost one 429.
        assert world.refused <= world.unreported
        assert (world.on_the_wire, world.limiter.quota.in_flight) == ([], 0)
        # No slot was lost: ten requests are sent at once, after all windows and pauses.
        await asyncio.sleep(100)
        world.answers, world.most_on_the_wire = [("none", 1_000, 0)], 0
        await world.ask()
        many = min(MAXIMUM_IN_FLIGHT, quota - 1)
        await asyncio.gather(*(world.ask() for _ in range(many)))
        assert world.most_on_the_wire == many

    run_in_virtual_time(play())


def dead_for(operations: int, fault: str) -> tuple[World, list[float], Counter[str]]:
    """Starts operations at once on a store with one fault; returns when each of them ended."""

    async def play() -> tuple[World, list[float], Counter[str]]:
        world = World(1_000_000, [(fault, 1, 1)])
        ended_at: list[float] = []
        codes: Counter[str] = Counter()

        async def ask() -> None:
            with pytest.raises(UpstreamError) as error:
                await world.ask()
            codes[error.value.code] += 1
            ended_at.append(world.now())

        await asyncio.gather(*(ask() for _ in range(operations)))
        return world, ended_at, codes

    return run_in_virtual_time(play())


@pytest.mark.parametrize("fault", ["refused", "500", "hangs"])
def test_dead_store_gets_ten_of_three_hundred_requests(fault: str) -> None:
    world, ended_at, _ = dead_for(300, fault)
    assert len(world.sent) == MAXIMUM_IN_FLIGHT
    assert world.upstream.budget.spent == 0
    assert max(ended_at) < (6.01 if fault == "hangs" else 0.01)


def test_store_that_hangs_is_tried_twice_within_the_deadline() -> None:
    world, (ended_at,), codes = dead_for(1, "hangs")
    assert (len(world.sent), world.upstream.budget.spent) == (2, 1)
    assert ended_at == TIMEOUT_SECONDS
    assert codes == {"UPSTREAM_TIMEOUT": 1}


@given(st.integers(0, 12_000), st.integers(0, 99))
@settings(max_examples=examples(200))
def test_request_that_waits_for_the_reset_gets_an_answer_or_fails_at_once(
    milliseconds_to_reset: int, seed: int
) -> None:
    async def play() -> None:
        world = World(1, [("none", 1, 1)], seed)
        await world.ask()
        await asyncio.sleep(30 - milliseconds_to_reset / 1000)
        asked_at = world.now()
        (outcome,) = await asyncio.gather(world.ask(), return_exceptions=True)
        if isinstance(outcome, RateLimited):
            assert outcome.retry_after == math.ceil(world.limiter.quota.wait_seconds)
            # Of the ten seconds, it needs the jitter and the least time for an answer.
            assert (world.now() == asked_at, milliseconds_to_reset > 9_200) == (True, True)
        else:
            assert outcome == 0

    run_in_virtual_time(play())
