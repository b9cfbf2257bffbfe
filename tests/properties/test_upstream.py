"""Operations on a store that fails, hangs and counts, in time that nobody has to wait for."""

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
from gateway.bigcommerce.breaker import FAILURES_IN_A_ROW
from gateway.bigcommerce.client import BigCommerceClient
from gateway.bigcommerce.limiter import MAXIMUM_IN_FLIGHT, RequestLimiter
from gateway.bigcommerce.operations import Upstream
from gateway.bigcommerce.protocol import SEGMENTS, read_page
from gateway.bigcommerce.retry_budget import MOST_SAVED, RETRIES_PER_OPERATION
from gateway.emulator.rate_limit import RateLimitWindow
from gateway.errors import RateLimited, UpstreamError
from gateway.request_scope import ABANDONED, open_request_scope

TIMEOUT_SECONDS = 10.0
EMPTY = b'{"data":[],"meta":{"pagination":{"total":0,"per_page":250}}}'
# More than the error of adding floats of this size.
AN_INSTANT = 1e-6

# How the store answers a request: its fault, and milliseconds until it is there, and back.
Manner = tuple[str, int, int]
# Operations that come at once, milliseconds after the last ones, and what becomes of whoever waits,
# after how many milliseconds.
Coming = tuple[int, int, str, float]

operation: ContextVar[int] = ContextVar("operation", default=0)


@pytest.fixture(autouse=True, scope="module")
def _backoffs() -> Iterator[None]:
    with stamina.set_testing(False):
        yield


class World:
    """A store with these manners, which it repeats, and the gateway's way to it."""

    def __init__(self, quota: int, manners: list[Manner], seed: int = 0) -> None:
        self.manners = manners
        self.sent: list[int] = []
        self.on_the_wire: list[int] = []
        self.most_on_the_wire = self.refused = self.untold = 0
        self.probes = self.most_probes = 0
        self.window = RateLimitWindow(quota, self.now)
        self.spread = random.Random(seed).uniform
        http = httpx.AsyncClient(
            transport=httpx.MockTransport(self._carry), base_url="http://store.test/v3/"
        )
        self.limiter = RequestLimiter(BigCommerceClient(http), self.now, jitter=self.spread)
        self.upstream = Upstream(
            self.limiter, self.now, timeout_seconds=TIMEOUT_SECONDS, reserve=15, jitter=self.spread
        )
        self.breaker = self.upstream.health("list_segments").failing
        self.opened_at: float | None = None

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def ask(self) -> int:
        return await self.upstream.ask(
            SEGMENTS.page(1, 250), lambda answer: read_page(SEGMENTS, answer, 1, 250).total
        )

    async def _carry(self, _: httpx.Request) -> httpx.Response:
        manner = self.manners[len(self.sent) % len(self.manners)]
        mine = operation.get()
        # What was let through in the moment in which it opened is none.
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
            return await self._answer(*manner)
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
        self.untold += 1  # until its answer has come
        await asyncio.sleep(3600 if fault == "hangs" else back / 1000)
        if fault == "cut":
            raise httpx.ReadError("cut")
        if fault == "overloaded":
            status = 429
        elif fault == "500" and status == 200:
            status = 500
        self.untold -= bool(headers)
        body = b"<html>" if fault == "html" else EMPTY
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    async def live_through(self, number: int, becomes: str, after: float) -> None:
        """Lets one operation come to its end, and checks when that is, and what it sent."""
        operation.set(number)
        began_at = ends_by = self.now()
        with open_request_scope(60):
            asked = asyncio.ensure_future(self.ask())
        ends_by += TIMEOUT_SECONDS
        if becomes != "stays":
            await asyncio.wait({asked}, timeout=after)
            sent = self.sent.count(number)
            # What is on the wire is answered, if only nobody waits for it any more.
            if becomes == "cancelled" or number not in self.on_the_wire:
                ends_by = min(ends_by, self.now())
            asked.cancel(*([ABANDONED] if becomes == "abandoned" else []))
        await asyncio.wait({asked})
        assert began_at <= self.now() <= ends_by + AN_INSTANT
        if becomes != "stays":
            assert self.sent.count(number) == sent
        assert asked.cancelled() or isinstance(asked.exception(), UpstreamError | None)


FAULTS = ["none", "none", "silent", "500", "html", "refused", "cut", "hangs", "overloaded"]
milliseconds = st.sampled_from([1, 50, 400, 2_000])
some_manners = st.lists(
    st.tuples(st.sampled_from(FAULTS), milliseconds, milliseconds), min_size=1, max_size=12
)
some_comings = st.lists(
    st.tuples(
        st.integers(1, 15),
        st.sampled_from([0, 1, 50, 300, 2_000, 12_000]),
        st.sampled_from(["stays", "stays", "abandoned", "cancelled"]),
        # Never in the moment of anything else, of which nobody knows which comes first.
        st.sampled_from([0.7, 100.7, 2_500.7]),
    ),
    min_size=1,
    max_size=12,
)


@given(st.sampled_from([3, 12, 150]), some_manners, some_comings, st.integers(0, 9))
@settings(max_examples=examples(200))
def test_operations_keep_to_every_limit_whatever_happens(
    quota: int, manners: list[Manner], comings: list[Coming], seed: int
) -> None:
    async def play() -> None:
        world = World(quota, [("none", 1, 1)], seed)
        await world.ask()  # the quota is known from now on
        world.manners, world.sent = manners, []
        lives: list[asyncio.Task[None]] = []
        for many, later, becomes, after in comings:
            await asyncio.sleep(later / 1000)
            lives += [
                asyncio.ensure_future(world.live_through(number, becomes, after / 1000))
                for number in range(len(lives) + 1, len(lives) + 1 + many)
            ]
        await asyncio.gather(*lives)
        retries = len(world.sent) - len(set(world.sent))
        assert retries <= MOST_SAVED + RETRIES_PER_OPERATION * len(lives)
        assert max(Counter(world.sent).values(), default=0) <= 3
        assert world.most_on_the_wire <= MAXIMUM_IN_FLIGHT
        assert world.most_probes <= 1
        # A request that the store has counted, and of which no answer tells, can cost one 429.
        assert world.refused <= world.untold
        assert (world.on_the_wire, world.limiter.quota.in_flight) == ([], 0)
        # No slot was lost: ten requests go out at once, when all windows and pauses are over.
        await asyncio.sleep(100)
        world.manners, world.most_on_the_wire = [("none", 1_000, 0)], 0
        await world.ask()
        many = min(MAXIMUM_IN_FLIGHT, quota - 1)
        await asyncio.gather(*(world.ask() for _ in range(many)))
        assert world.most_on_the_wire == many

    run_in_virtual_time(play())


def dead_for(operations: int, fault: str) -> tuple[World, list[float], Counter[str]]:
    """Asks a store so often at once that knows one manner; returns when each operation ended."""

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
    # Those whose failure came before the breaker opened had begun to wait for another attempt.
    assert world.upstream.budget.spent == FAILURES_IN_A_ROW - 1
    assert max(ended_at) < (6.31 if fault == "hangs" else 0.31)


def test_store_that_hangs_is_tried_twice_within_the_deadline() -> None:
    world, (ended_at,), codes = dead_for(1, "hangs")
    assert (len(world.sent), world.upstream.budget.spent) == (2, 1)
    assert 9.9 < ended_at < TIMEOUT_SECONDS
    assert codes == {"UPSTREAM_TIMEOUT": 1}


@given(st.integers(0, 12_000), st.integers(0, 99))
@settings(max_examples=examples(200))
def test_whoever_waits_for_the_reset_alone_waits_for_an_answer(
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
            # Spread, and the least time for an answer, are what of the ten seconds it needs.
            assert (world.now() == asked_at, milliseconds_to_reset > 9_100) == (True, True)
        else:
            assert outcome == 0

    run_in_virtual_time(play())
