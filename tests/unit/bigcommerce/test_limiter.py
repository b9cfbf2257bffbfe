"""The limiter on a clock and a wire that the test holds: nothing here takes time."""

import asyncio

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire import HeldTime, HeldWire, in_seconds, no_spread, settle

from examples import examples
from gateway.bigcommerce.limiter import JITTER_SECONDS, MAXIMUM_IN_FLIGHT, RequestLimiter
from gateway.bigcommerce.protocol import SEGMENTS, Answer
from gateway.errors import DeadlineTooClose, QuotaExhausted, RateLimited, UpstreamUnavailable
from gateway.request_scope import ABANDONED, open_request_scope

Sending = asyncio.Task[Answer]


class World:
    """A limiter, its wire and its time; whoever asks has `patience` seconds."""

    def __init__(self) -> None:
        self.time = HeldTime()
        self.wire = HeldWire()
        self.limiter = RequestLimiter(
            self.wire.client, self.time, sleep=self.time.sleep, jitter=no_spread
        )

    def send(self, patience: float = 60.0) -> Sending:
        deadline = in_seconds(patience)
        sent = self.limiter.send(SEGMENTS.page(1, 250), 30.0, deadline, lambda: None)
        return asyncio.ensure_future(sent)

    async def told(self, left: int, **answer: float) -> None:
        """Lets one request be answered, which tells so much."""
        sending = self.send()
        await settle()
        resets_in = answer.get("resets_in", 20.0)
        await self.wire.answer(left=left, resets_in=resets_in, quota=int(answer.get("quota", 150)))
        assert (await sending).status == 200

    async def free_slots(self) -> int:
        """Counts the requests that go out at once where the quota is no matter."""
        await self.time.pass_by(100)
        sent, before = [self.send() for _ in range(30)], self.wire.requests
        await settle()
        free = self.wire.requests - before
        for sending in sent:
            sending.cancel()
        await asyncio.gather(*sent, return_exceptions=True)
        return free


@pytest.fixture
async def world() -> World:
    return World()


async def leave(*sendings: Sending, message: str | None = ABANDONED) -> None:
    for sending in sendings:
        sending.cancel(message)
    await settle()


async def test_ten_are_in_flight_at_most(world: World) -> None:
    sent = [world.send() for _ in range(12)]
    await settle()
    assert world.wire.requests == MAXIMUM_IN_FLIGHT == 10
    await world.wire.answer(left=100)
    assert world.wire.requests == 11
    for _ in range(11):
        await world.wire.answer(left=100)
    assert [answer.status for answer in await asyncio.gather(*sent)] == [200] * 12
    assert (world.limiter.quota.in_flight, await world.free_slots()) == (0, 10)


async def test_slots_go_round_the_clients(world: World) -> None:
    first = [world.send() for _ in range(10)]
    await settle()
    with open_request_scope(60):
        greedy = [world.send() for _ in range(20)]
    await settle()
    with open_request_scope(60):
        modest = world.send()
    await settle()
    for _ in range(12):
        await world.wire.answer(left=100)
    assert [task.done() for task in first] == [True] * 10
    # Of those that went out next, the second is the other client's.
    assert [task.done() for task in (greedy[0], modest, greedy[1])] == [True, True, False]
    await leave(*greedy, message=None)


async def test_it_waits_for_the_reset_and_goes_on(world: World) -> None:
    await world.told(0)
    waiting = world.send()
    await settle()
    assert world.time.slept == [pytest.approx(20 + JITTER_SECONDS, abs=0.01)]
    await world.time.pass_by(20)
    assert world.wire.requests == 1
    await world.time.pass_by(0.5)
    await world.wire.answer(left=149)
    assert (await waiting).status == 200


async def test_reset_beyond_the_deadline_fails_at_once_in_whole_seconds(world: World) -> None:
    await world.told(0, resets_in=20.3)
    with pytest.raises(QuotaExhausted, match="Try again in 21 seconds") as error:
        await world.send(patience=20.0)
    assert error.value.extensions == {"code": "RATE_LIMITED", "retryAfter": 21}
    assert (world.wire.requests, world.time.slept) == (1, [])
    assert await world.free_slots() == 10


async def test_whoever_waits_is_told_as_soon_as_it_is_in_vain(world: World) -> None:
    await world.told(1)
    first = world.send()
    await settle()
    others = [world.send(patience=10) for _ in range(3)]
    await settle()
    assert world.wire.requests == 2  # what is in flight counts
    await world.wire.answer(left=0)
    assert (await first).status == 200
    ends = await asyncio.gather(*others, return_exceptions=True)
    assert [type(end) for end in ends] == [QuotaExhausted] * 3


async def test_answer_that_leaves_more_wakes_those_who_wait(world: World) -> None:
    sent = [world.send() for _ in range(2)]
    await settle()
    await world.wire.answer(left=1)
    waiting = world.send()
    await settle()
    assert world.wire.requests == 2
    await world.wire.answer(left=1)
    assert world.wire.requests == 3
    await world.wire.answer(left=0)
    await asyncio.gather(*sent, waiting)


async def test_after_the_reset_only_as_many_go_as_the_quota_allows(world: World) -> None:
    await world.told(0, quota=3)
    patient = [world.send(patience=60) for _ in range(10)]
    hasty = [world.send(patience=30) for _ in range(10)]
    await settle()
    await world.time.pass_by(21)
    assert world.wire.requests == 1 + 3
    for left in (2, 1, 0):
        await world.wire.answer(left=left, quota=3, resets_in=29)
    assert [task.done() for task in patient] == [True] * 3 + [False] * 7
    await world.time.pass_by(30)
    assert world.wire.requests == 1 + 3 + 3
    await leave(*patient, *hasty, message=None)
    assert (world.limiter.quota.in_flight, await world.free_slots()) == (0, 3)


async def test_429_tells_that_nothing_is_left(world: World) -> None:
    refused = world.send()
    await settle()
    await world.wire.answer(429, left=5)  # as BigCommerce was seen to do
    assert (await refused).status == 429
    assert (world.limiter.quota.available, world.limiter.quota.remaining) == (0, 0)


async def test_429_without_headers_lets_all_pause(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    pauses = []
    for _ in range(3):
        refused = world.send()
        await settle()
        await world.wire.answer(429)
        assert (await refused).status == 429
        pauses.append(world.limiter.quota.pause_seconds)
        with pytest.raises(RateLimited):
            await world.send(patience=0.5)
        await world.time.pass_by(pauses[-1])
    assert pauses == [1, 2, 4]
    assert "the platform is overloaded: nothing is sent for 4.0 s" in caplog.messages
    assert world.wire.requests == 3


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "7"},
        {"Retry-After": "Sun, 06 Nov 1994 08:49:44 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"},
        {"X-Rate-Limit-Time-Reset-Ms": "7000"},
        {
            "X-Rate-Limit-Requests-Left": "14",
            "X-Rate-Limit-Time-Reset-Ms": "0",
            "Retry-After": "7",
        },
    ],
    ids=["seconds", "date", "a reset alone", "a reset of no time"],
)
async def test_time_that_a_429_names_is_waited_for(world: World, headers: dict[str, str]) -> None:
    refused = world.send()
    await settle()
    await world.wire.answer(429, headers=headers)
    await refused
    waiting = world.send()
    await settle()
    await world.time.pass_by(6.9)
    assert world.wire.requests == 1
    await world.time.pass_by(0.5)
    assert world.wire.requests == 2
    await world.wire.answer()
    assert (await waiting).status == 200


async def test_time_beyond_belief_is_waited_for_a_minute(world: World) -> None:
    refused = world.send()
    await settle()
    await world.wire.answer(429, Retry_After="86400")
    await refused
    assert world.limiter.quota.wait_seconds == 60


async def test_request_that_is_stopped_at_last_costs_nothing(world: World) -> None:
    await world.told(1)

    def enter() -> None:
        raise UpstreamUnavailable("The breaker has opened.")

    with pytest.raises(UpstreamUnavailable, match="breaker"):
        await world.limiter.send(SEGMENTS.page(1, 250), 30.0, in_seconds(60.0), enter)
    assert (world.limiter.quota.in_flight, world.limiter.quota.available) == (0, 1)


async def test_with_hardly_any_time_left_nothing_is_sent(world: World) -> None:
    with pytest.raises(DeadlineTooClose):
        await world.send(patience=2.9)  # of 30 for one request
    assert (world.wire.requests, await world.free_slots()) == (0, 10)


async def test_wait_for_an_answer_of_the_new_window_ends_before_the_deadline(world: World) -> None:
    await world.told(0, quota=1)
    await world.time.pass_by(21)
    first = world.send()
    await settle()
    with pytest.raises(QuotaExhausted, match="in 30 seconds"):
        await world.send(patience=3.01)
    assert world.wire.requests == 2
    await world.wire.answer(left=0)
    assert (await first).status == 200


async def test_wait_for_a_slot_ends_before_the_deadline(world: World) -> None:
    sent = [world.send() for _ in range(MAXIMUM_IN_FLIGHT)]
    await settle()
    with pytest.raises(DeadlineTooClose):
        await world.send(patience=3.01)
    await leave(*sent, message=None)
    assert await world.free_slots() == 10


async def test_whoever_is_abandoned_while_it_waits_for_a_slot_sends_nothing(world: World) -> None:
    sent = [world.send() for _ in range(11)]
    await settle()
    await leave(sent[10])
    assert sent[10].cancelled()
    for _ in range(10):
        await world.wire.answer(left=100)
    assert (world.wire.requests, world.limiter.quota.in_flight) == (10, 0)


async def test_whoever_is_abandoned_while_it_waits_for_the_quota_sends_nothing(
    world: World,
) -> None:
    await world.told(0)
    waiting = world.send()
    await settle()
    await leave(waiting)
    assert waiting.cancelled()
    await world.time.pass_by(30)
    assert (world.wire.requests, await world.free_slots()) == (1, 10)


async def test_what_is_on_the_wire_is_answered_however_often_it_is_abandoned(world: World) -> None:
    sending = world.send()
    await settle()
    for _ in range(3):
        await leave(sending)
    assert (sending.done(), world.wire.cancelled) == (False, 0)
    await world.wire.answer(left=7)
    assert (await sending).status == 200
    assert (world.limiter.quota.remaining, world.limiter.quota.in_flight) == (7, 0)


async def test_what_is_on_the_wire_fails_for_whoever_was_abandoned_as_for_others(
    world: World,
) -> None:
    sending = world.send()
    await settle()
    await leave(sending)
    await world.wire.fail(httpx.ConnectError("no"))
    with pytest.raises(UpstreamUnavailable):
        await sending


@pytest.mark.parametrize("was_abandoned", [False, True])
async def test_any_other_cancellation_ends_what_is_on_the_wire(
    world: World, was_abandoned: bool
) -> None:
    sending = world.send()
    await settle()
    if was_abandoned:
        await leave(sending)
    await leave(sending, message=None)
    assert (sending.cancelled(), world.wire.cancelled) == (True, 1)
    assert (world.limiter.quota.in_flight, await world.free_slots()) == (0, 10)


moves = st.lists(
    st.tuples(
        st.sampled_from(
            ["send", "send", "answer", "answer", "fail", "abandon", "cancel", "pass", "turn"]
        ),
        st.integers(0, 12),
    ),
    min_size=5,
    max_size=40,
)


@given(moves)
@settings(max_examples=examples(200))
def test_no_slot_and_no_request_in_flight_is_lost_under_any_schedule(
    moves: list[tuple[str, int]],
) -> None:
    async def play() -> None:
        world = World()
        sent: list[Sending] = []
        for move, number in moves:
            running = [task for task in sent if not task.done()]
            if move == "send":
                sent.append(world.send(patience=60.0 if number % 2 else 6.0))
            elif move in ("abandon", "cancel") and running:
                message = ABANDONED if move == "abandon" else None
                running[number % len(running)].cancel(message)
            elif move == "pass":
                await world.time.pass_by(number * 3)
            elif move == "turn":
                for _ in range(number):
                    await asyncio.sleep(0)
            elif move == "answer" and world.wire.waiting:
                await world.wire.answer(
                    (200, 200, 429, 500)[number % 4],
                    left=None if number % 3 == 0 else number % 5,
                    quota=5,
                )
            elif move == "fail" and world.wire.waiting:
                await world.wire.fail(ConnectionResetError())
        await settle()  # two cancellations in one turn of the loop are one, with the first message
        for task in sent:
            task.cancel()
        await asyncio.gather(*sent, return_exceptions=True)
        assert world.limiter.quota.in_flight == 0
        assert await world.free_slots() == min(10, world.limiter.quota.limit or 10)

    asyncio.run(play())
