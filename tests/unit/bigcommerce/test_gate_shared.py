"""The gate with a window that other processes share, and under any schedule."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire import HeldTime, HeldWire, in_seconds, no_spread, settle

from gateway.answer_scope import ABANDONED
from gateway.bigcommerce.gate import SHARED_PATIENCE_SECONDS, SHARED_POLL_SECONDS, Gate
from gateway.bigcommerce.not_sent import QuotaUsedUp
from gateway.bigcommerce.protocol import Answer, list_segments
from gateway.errors import UpstreamUnavailable
from gateway.shared.window import SharedWindow, Take

GRANTED = Take(True, 0.0)


class HeldWindow(SharedWindow):
    """Answers as the test says; `granted` are the requests that it counts as in flight."""

    def __init__(self) -> None:
        self.answer: Take | None = GRANTED
        self.is_slow = False
        self.asked = 0
        self.granted: set[str] = set()
        self.told: list[tuple[int | None, int | None, float | None]] = []
        self.paused_until = 0.0
        self._may_answer = asyncio.Event()

    async def take(self, token: str, now: float, floor: int) -> Take | None:
        self.asked += 1
        if self.answer is not None and self.answer.granted:
            self.granted.add(token)
        if self.is_slow:
            await self._may_answer.wait()
        return self.answer

    async def tell(
        self,
        token: str,
        sent: float,
        received: float,
        left: int | None = None,
        quota: int | None = None,
        resets_in: float | None = None,
    ) -> None:
        self.granted.discard(token)
        self.told.append((left, quota, resets_in))

    async def give_back(self, token: str) -> None:
        self.granted.discard(token)

    async def pause(self, until: float) -> None:
        self.paused_until = until


class World:
    def __init__(self) -> None:
        self.time = HeldTime()
        self.wire = HeldWire()
        self.shared = HeldWindow()
        self.gate = Gate(
            self.wire.client,
            self.time,
            shared=self.shared,
            sleep=self.time.sleep,
            spread=no_spread,
        )

    def send(self, patience: float = 60.0) -> "asyncio.Task[Answer]":
        deadline = in_seconds(patience)
        sent = self.gate.send(list_segments(1, 250), 30.0, deadline, lambda: None)
        return asyncio.ensure_future(sent)


@pytest.fixture
async def world() -> World:
    return World()


async def test_others_are_told_of_each_answer(world: World) -> None:
    sending = world.send()
    await settle()
    assert len(world.shared.granted) == 1
    await world.wire.answer(left=7, resets_in=12.5)
    assert (await sending).status == 200
    assert (world.shared.granted, world.shared.told) == (set(), [(7, 150, 12.5)])


async def test_others_are_told_of_an_answer_without_headers_and_of_a_pause(world: World) -> None:
    sending = world.send()
    await settle()
    await world.wire.answer(429)
    await sending
    assert world.shared.told == [(None, None, None)]
    assert world.shared.paused_until == world.time() + 1


async def test_what_others_hold_is_waited_for(world: World) -> None:
    world.shared.answer = Take(False, 20.0)
    waiting = world.send()
    await settle()
    assert (world.wire.requests, world.gate.view.in_flight) == (0, 0)
    assert world.time.slept == [SHARED_POLL_SECONDS]
    world.shared.answer = GRANTED
    await world.time.pass_by(SHARED_POLL_SECONDS)
    await world.wire.answer(left=5)
    assert (await waiting).status == 200


async def test_where_redis_is_away_the_own_view_is_gone_by(world: World) -> None:
    world.shared.answer = None
    first = world.send()
    await settle()
    await world.wire.answer(left=0)
    assert (await first).status == 200
    with pytest.raises(QuotaUsedUp):
        await world.send(patience=10)
    assert (world.wire.requests, world.shared.asked) == (1, 1)


async def test_what_others_say_is_believed_after_a_while(world: World) -> None:
    world.shared.answer = Take(False, 20.5)
    waiting = world.send(patience=10.0)
    await settle()
    await world.time.pass_by(SHARED_PATIENCE_SECONDS / 2)
    assert not waiting.done()  # an answer to another process may leave something
    await world.time.pass_by(SHARED_PATIENCE_SECONDS / 2)
    with pytest.raises(QuotaUsedUp, match="in 21 seconds"):
        await waiting
    assert (world.wire.requests, world.shared.asked) == (0, 3)


@pytest.mark.parametrize("message", [ABANDONED, None])
async def test_whoever_leaves_while_redis_is_asked_gives_back(
    world: World, message: str | None
) -> None:
    world.shared.is_slow = True
    waiting = world.send()
    await settle()
    assert (len(world.shared.granted), world.gate.view.in_flight) == (1, 1)
    waiting.cancel(message)
    await settle()
    assert waiting.cancelled()
    assert (world.shared.granted, world.gate.view.in_flight, world.wire.requests) == (set(), 0, 0)


async def test_what_is_kept_from_being_sent_at_last_is_given_back(world: World) -> None:
    def enter() -> None:
        raise UpstreamUnavailable("It was given up.")

    with pytest.raises(UpstreamUnavailable, match="given up"):
        await world.gate.send(list_segments(1, 250), 30.0, in_seconds(60.0), enter)
    await settle()
    assert (world.shared.asked, world.shared.granted) == (1, set())
    assert (world.wire.requests, world.gate.view.in_flight) == (0, 0)


async def test_last_request_goes_to_the_next_where_its_first_taker_leaves(world: World) -> None:
    first = world.send()
    await settle()
    await world.wire.answer(left=1)
    await first
    world.shared.is_slow = True
    leaves, waits = world.send(), world.send()
    await settle()
    assert world.shared.asked == 2  # the other one waits for what the first may leave
    world.shared.is_slow = False
    leaves.cancel(ABANDONED)
    await settle()
    assert world.wire.requests == 2
    await world.wire.answer(left=0)
    assert (await waits).status == 200


moves = st.lists(
    st.tuples(
        st.sampled_from(
            ["send", "send", "answer", "answer", "fail", "abandon", "cancel", "pass", "turn"]
        ),
        st.integers(0, 12),
    )
    | st.tuples(st.sampled_from(["denied", "granted", "away", "slow", "quick"]), st.just(0)),
    min_size=5,
    max_size=40,
)


@given(moves)
@settings(max_examples=200, deadline=None)
def test_no_reservation_is_lost_under_any_schedule(moves: list[tuple[str, int]]) -> None:
    answers = {"denied": Take(False, 5.0), "granted": GRANTED, "away": None}

    async def play() -> None:
        world = World()
        sent: list[asyncio.Task[Answer]] = []
        for move, number in moves:
            running = [task for task in sent if not task.done()]
            if move == "send":
                sent.append(world.send(patience=60.0 if number % 2 else 6.0))
            elif move in answers:
                world.shared.answer = answers[move]
            elif move in ("slow", "quick"):
                world.shared.is_slow = move == "slow"
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
        await settle()
        assert world.gate.view.in_flight == 0
        assert world.shared.granted == set()
        await world.time.pass_by(100)
        world.shared.answer, world.shared.is_slow = None, False
        before = world.wire.requests
        last = [world.send() for _ in range(11)]
        await settle()
        assert world.wire.requests - before == min(10, world.gate.view.quota or 10)
        for task in last:
            task.cancel()
        await asyncio.gather(*last, return_exceptions=True)

    asyncio.run(play())
