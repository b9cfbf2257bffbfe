"""Operations on a clock and a wire that the test holds; stamina retries without a backoff."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest
import stamina
from wire import HeldTime, HeldWire, no_spread, settle

from gateway.bigcommerce.breaker import FAILURES_IN_A_ROW
from gateway.bigcommerce.limiter import MAXIMUM_IN_FLIGHT, RequestLimiter
from gateway.bigcommerce.operations import ATTEMPTS, Upstream
from gateway.bigcommerce.protocol import SEGMENTS, Answer, read_page
from gateway.bigcommerce.retry_budget import MOST_SAVED, RetryBudget
from gateway.errors import (
    CircuitOpen,
    ErrorCode,
    RateLimited,
    UpstreamError,
    UpstreamForbidden,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreadable,
)
from gateway.request_scope import ABANDONED

LIST = SEGMENTS.page(1, 250)
EMPTY = b'{"data":[],"meta":{"pagination":{"total":0,"per_page":250}}}'


@pytest.fixture(autouse=True)
def _retries() -> Iterator[None]:
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


class World:
    def __init__(self, *, timeout_seconds: float = 60.0) -> None:
        self.time = HeldTime()
        self.wire = HeldWire()
        self.limiter = RequestLimiter(
            self.wire.client, self.time, sleep=self.time.sleep, jitter=no_spread
        )
        self.upstream = Upstream(
            self.limiter, self.time, timeout_seconds=timeout_seconds, reserve=15, jitter=no_spread
        )
        self.breaker = self.upstream.health(LIST.operation).failing

    async def ask(self, method: str = "GET") -> "asyncio.Task[int]":
        """Asks for the list, as far as it comes without time; returns its total."""

        def read(answer: Answer) -> int:
            return read_page(SEGMENTS, answer, 1, 250).total

        asked = asyncio.ensure_future(self.upstream.ask(replace(LIST, method=method), read))
        await settle()
        return asked

    async def told(self, left: int, quota: int = 150) -> None:
        asked = await self.ask()
        await self.wire.answer(left=left, quota=quota, body=EMPTY)
        assert await asked == 0

    async def fail(self, times: int) -> None:
        """Lets operations fail that are not tried again."""
        for _ in range(times):
            asked = await self.ask("POST")
            await self.wire.answer(500)
            with pytest.raises(UpstreamUnavailable):
                await asked


@pytest.fixture
async def world() -> World:
    return World()


def unreadable(wire: HeldWire) -> "asyncio.Future[None]":
    return asyncio.ensure_future(wire.answer(body=b"<html>"))


FAILURES: list[Callable[[HeldWire], "asyncio.Future[None]"]] = [
    lambda wire: asyncio.ensure_future(wire.fail(httpx.ConnectError("no"))),
    lambda wire: asyncio.ensure_future(wire.fail(httpx.ReadError("cut"))),
    lambda wire: asyncio.ensure_future(wire.fail(httpx.ReadTimeout("slow"))),
    lambda wire: asyncio.ensure_future(wire.answer(500)),
    lambda wire: asyncio.ensure_future(wire.answer(503)),
    unreadable,
    lambda wire: asyncio.ensure_future(wire.answer(408)),
]
FAILURE_NAMES = ["connection", "reset", "timeout", "500", "503", "html", "408"]


@pytest.mark.parametrize("failure", FAILURES, ids=FAILURE_NAMES)
async def test_failure_that_may_pass_is_tried_again(
    world: World, failure: Callable[[HeldWire], "asyncio.Future[None]"]
) -> None:
    asked = await world.ask()
    await failure(world.wire)
    assert (asked.done(), world.wire.requests) == (False, 2)
    await world.wire.answer(body=EMPTY)
    assert await asked == 0
    assert (world.upstream.budget.spent, world.upstream.state) == (1, "answers")


@pytest.mark.parametrize("failure", FAILURES, ids=FAILURE_NAMES)
async def test_last_of_three_failures_is_what_is_raised(
    world: World, failure: Callable[[HeldWire], "asyncio.Future[None]"]
) -> None:
    asked = await world.ask()
    for _ in range(3):
        await failure(world.wire)
    with pytest.raises((UpstreamUnavailable, UpstreamTimeout)):
        await asked
    is_up = world.upstream.state == "sends what cannot be read"
    assert (world.wire.requests, is_up) == (3, failure is unreadable)
    assert (world.upstream.budget.spent, world.upstream.budget.denied) == (2, 0)


@pytest.mark.parametrize("failure", FAILURES[1:], ids=FAILURE_NAMES[1:])
async def test_what_may_have_been_done_is_not_done_twice(
    world: World, failure: Callable[[HeldWire], "asyncio.Future[None]"]
) -> None:
    asked = await world.ask("POST")
    await failure(world.wire)
    with pytest.raises((UpstreamUnavailable, UpstreamTimeout)):
        await asked
    assert (world.wire.requests, world.upstream.budget.spent) == (1, 0)


@pytest.mark.parametrize("error", [httpx.ConnectError("no"), httpx.ConnectTimeout("slow")])
async def test_write_that_was_not_sent_is_tried_again(world: World, error: Exception) -> None:
    asked = await world.ask("POST")
    await world.wire.fail(error)
    await world.wire.answer(body=EMPTY)
    assert (await asked, world.wire.requests) == (0, 2)


async def test_write_that_draws_a_429_is_tried_again(world: World) -> None:
    asked = await world.ask("POST")
    await world.wire.answer(429, left=0, resets_in=20)
    await world.time.pass_by(20.5)
    await world.wire.answer(body=EMPTY)
    assert (await asked, world.wire.requests) == (0, 2)


@pytest.mark.parametrize(
    ("error", "was_sent"),
    [
        (httpx.ConnectError("no"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.ReadError("cut"), True),
        (httpx.WriteError("cut"), True),
        (httpx.ReadTimeout("slow"), True),
        (httpx.RemoteProtocolError("Server disconnected"), True),
    ],
)
async def test_error_says_whether_the_request_was_sent(
    world: World, error: Exception, was_sent: bool
) -> None:
    asked = asyncio.ensure_future(world.wire.client.send(LIST, 60))
    await settle()
    await world.wire.fail(error)
    with pytest.raises(UpstreamError) as raised:
        await asked
    assert raised.value.was_sent is was_sent


@pytest.mark.parametrize(
    ("status", "error", "state"),
    [
        (400, UpstreamRefused, "refuses requests"),
        (409, UpstreamRefused, "refuses requests"),
        (401, UpstreamForbidden, "refuses the token"),
        (403, UpstreamForbidden, "refuses the token"),
        (404, UpstreamRefused, "refuses requests"),
        (413, UpstreamRefused, "refuses requests"),
        (422, UpstreamRefused, "refuses requests"),
    ],
)
async def test_what_the_upstream_refuses_is_not_tried_again(
    world: World, status: int, error: type[Exception], state: str
) -> None:
    asked = await world.ask()
    await world.wire.answer(status)
    with pytest.raises(error):
        await asked
    assert (world.wire.requests, world.upstream.state) == (1, state)


async def test_429_is_tried_again_after_the_reset(world: World) -> None:
    asked = await world.ask()
    await world.wire.answer(429, left=0, resets_in=20)
    assert (asked.done(), world.wire.requests) == (False, 1)
    await world.time.pass_by(20.5)
    assert world.wire.requests == 2
    await world.wire.answer(body=EMPTY)
    assert await asked == 0


async def test_429_without_headers_is_tried_again_after_the_pause(world: World) -> None:
    asked = await world.ask()
    await world.wire.answer(429)
    await world.time.pass_by(0.9)
    assert world.wire.requests == 1
    assert world.upstream.quota_state == "nothing is sent for 0 s"
    await world.time.pass_by(0.5)
    await world.wire.answer(body=EMPTY)
    assert (await asked, world.wire.requests) == (0, 2)


async def test_429_is_raised_at_once_where_the_reset_is_beyond_the_deadline() -> None:
    world = World(timeout_seconds=10)
    asked = await world.ask()
    await world.wire.answer(429, left=0, resets_in=20.2)
    with pytest.raises(RateLimited, match="in 21 seconds") as error:
        await asked
    assert error.value.extensions == {"code": "RATE_LIMITED", "retryAfter": 21}
    assert (world.wire.requests, world.upstream.budget.spent) == (1, 0)


@pytest.mark.parametrize(
    ("headers", "after"),
    [({}, 1), ({"Retry-After": "7"}, 7), ({"Retry-After": "3600"}, 60)],
    ids=["no headers", "seconds", "an hour"],
)
async def test_error_of_a_429_without_the_quota_tells_how_long_requests_pause(
    headers: dict[str, str], after: int
) -> None:
    world = World(timeout_seconds=0.5)
    asked = await world.ask()
    await world.wire.answer(429, headers=headers)
    with pytest.raises(RateLimited, match=rf"in {after} seconds?\.$") as error:
        await asked
    assert error.value.extensions == {"code": "RATE_LIMITED", "retryAfter": after}
    assert (world.limiter.quota.pause_seconds, world.upstream.state) == (after, "answers")


async def test_what_was_not_sent_for_the_quota_costs_no_retry() -> None:
    world = World(timeout_seconds=10)
    await world.told(0)
    asked = await world.ask()
    with pytest.raises(RateLimited, match="in 21 seconds"):
        await asked  # told after 20 s, and a millisecond that may be rounded away
    assert (world.wire.requests, world.upstream.budget.spent) == (1, 0)


async def test_retries_cost_a_budget_that_all_operations_share(world: World) -> None:
    for _ in range(40):
        asked = await world.ask()
        while not asked.done():
            await world.wire.answer(503 if world.wire.requests % 7 else 200, body=EMPTY)
        asked.exception()
        await world.time.pass_by(40)
    budget = world.upstream.budget
    assert budget.denied > 0
    assert budget.spent <= MOST_SAVED + 40 * 0.2


def test_a_retry_is_saved_up_for_every_five_operations() -> None:
    budget = RetryBudget()
    assert [budget.spend() for _ in range(11)] == [True] * 10 + [False]
    for _ in range(5):
        budget.earn()
    # Fifths do not add up to a whole in binary.
    budget.earn()
    assert [budget.spend(), budget.spend()] == [True, False]
    assert (budget.spent, budget.denied) == (11, 2)


async def test_attempt_that_hangs_leaves_time_for_another(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(timeout_seconds=0.5)
    asked = await world.ask()
    with pytest.raises(UpstreamTimeout, match="did not answer in time"):
        await asked
    assert world.wire.requests == 2
    first, second = [line for line in caplog.messages if "no answer" in line]
    assert first == "list_segments: no answer from the upstream within 0.3 seconds"
    assert float(second.split()[-2]) <= 0.2
    assert world.limiter.quota.in_flight == 0


async def test_each_attempt_but_the_first_is_told_at_debug(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "gateway.bigcommerce.operations")
    asked = await world.ask()
    for _ in range(ATTEMPTS):
        await world.wire.answer(500)
    with pytest.raises(UpstreamUnavailable):
        await asked
    told = [line for line in caplog.record_tuples if line[0] == "gateway.bigcommerce.operations"]
    assert told == [
        ("gateway.bigcommerce.operations", logging.DEBUG, f"list_segments: attempt {number}")
        for number in (2, 3)
    ]


async def test_answer_that_cannot_be_used_is_no_failure(world: World) -> None:
    for _ in range(2 * FAILURES_IN_A_ROW):
        asked = asyncio.ensure_future(
            world.upstream.ask(
                LIST, lambda answer: read_page(SEGMENTS, answer, 1, 250), retry_unreadable=False
            )
        )
        await settle()
        await world.wire.answer(body=b"<html>")
        with pytest.raises(UpstreamUnreadable):
            await asked
    assert (world.wire.requests, world.breaker.is_open) == (2 * FAILURES_IN_A_ROW, False)


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>"), (404, b""), (409, b"{}")])
async def test_answer_without_a_value_defers_background_refreshes_for_a_second(
    world: World, status: int, body: bytes
) -> None:
    asked = await world.ask("POST")
    await world.wire.answer(status, body=body)
    with pytest.raises(UpstreamError):
        await asked
    deferred = world.upstream.defer_reason(LIST.operation, foreground=False)
    assert deferred is ErrorCode.UPSTREAM_UNAVAILABLE
    await world.time.pass_by(1)
    assert world.upstream.defer_reason(LIST.operation, foreground=False) is None


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (500, ErrorCode.UPSTREAM_UNAVAILABLE),
        (200, ErrorCode.UPSTREAM_UNAVAILABLE),  # whose body is no JSON
        (404, None),
        (429, None),
    ],
)
async def test_caller_with_a_stale_value_does_not_wait_for_ten_seconds_after_a_failure(
    world: World, status: int, code: ErrorCode | None
) -> None:
    asked = await world.ask("POST")
    await world.wire.answer(status, left=100, body=b"<html>")
    if status == 429:
        asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    await world.time.pass_by(21 if status == 429 else 9.5)
    assert world.upstream.defer_reason(LIST.operation, foreground=True) is code
    await world.time.pass_by(1)
    assert world.upstream.defer_reason(LIST.operation, foreground=True) is None


async def test_caller_with_a_stale_value_waits_again_after_a_success(world: World) -> None:
    await world.fail(1)
    await world.told(100)
    assert world.upstream.defer_reason(LIST.operation, foreground=True) is None


async def test_refusal_of_ids_defers_nothing(world: World) -> None:
    asked = asyncio.ensure_future(
        world.upstream.ask(
            SEGMENTS.page(1, 1, ["bad"]), lambda answer: read_page(SEGMENTS, answer, 1, 1)
        )
    )
    await settle()
    await world.wire.answer(422)
    with pytest.raises(UpstreamRefused):
        await asked
    for foreground in (False, True):
        reason = world.upstream.defer_reason(SEGMENTS.operation_by_id, foreground=foreground)
        assert reason is None


async def test_answer_with_a_value_ends_that(world: World) -> None:
    asked = await world.ask("POST")
    await world.wire.answer(body=b"<html>")
    with pytest.raises(UpstreamUnreadable):
        await asked
    asked = await world.ask()
    await world.wire.answer(body=EMPTY)
    assert await asked == 0
    assert world.upstream.defer_reason(LIST.operation, foreground=False) is None


@pytest.mark.parametrize("status", [400, 404, 409, 422])
async def test_refusals_in_a_row_are_answers(world: World, status: int) -> None:
    for _ in range(2 * FAILURES_IN_A_ROW):
        asked = await world.ask("POST")
        await world.wire.answer(status)
        with pytest.raises(UpstreamRefused):
            await asked
    assert (world.breaker.is_open, world.upstream.state) == (False, "refuses requests")


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_token_is_asked_again_after_a_pause_that_grows(
    world: World, status: int
) -> None:
    asked = await world.ask()
    await world.wire.answer(status)
    with pytest.raises(UpstreamForbidden) as sent:
        await asked
    assert sent.value.was_sent
    pauses = []
    for refusals in range(1, 7):
        paused_at = world.time.now
        while True:
            asked = await world.ask()
            if world.wire.requests > refusals:
                break
            with pytest.raises(UpstreamForbidden) as refused:
                await asked
            assert not refused.value.was_sent
            await world.time.pass_by(0.5)
        pauses.append(world.time.now - paused_at)
        with pytest.raises(UpstreamForbidden):
            await (await world.ask())  # one probe at a time
        await world.wire.answer(status)
        with pytest.raises(UpstreamForbidden):
            await asked
    assert pauses == [5, 10, 20, 40, 60, 60]
    await world.time.pass_by(60)
    asked = await world.ask()
    await world.wire.answer(body=EMPTY)
    assert (await asked, world.upstream.state) == (0, "answers")


async def test_operation_that_is_refused_leaves_others_alone(world: World) -> None:
    asked = await world.ask()
    await world.wire.answer(403)
    with pytest.raises(UpstreamForbidden):
        await asked
    other = replace(LIST, operation="list_shopper_profiles")
    asked_too = asyncio.ensure_future(world.upstream.ask(other, lambda answer: answer.status))
    await settle()
    await world.wire.answer()
    assert await asked_too == 200
    assert world.upstream.defer_reason(other.operation, foreground=False) is None
    assert (
        world.upstream.defer_reason(LIST.operation, foreground=True) is ErrorCode.UPSTREAM_FORBIDDEN
    )
    assert world.upstream.state == "list_segments refuses the token"


async def test_operation_that_fails_leaves_others_alone(world: World) -> None:
    await world.fail(FAILURES_IN_A_ROW)
    other = replace(LIST, operation="list_shopper_profiles")
    asked = asyncio.ensure_future(world.upstream.ask(other, lambda answer: answer.status))
    await settle()
    await world.wire.answer()
    assert (await asked, world.breaker.is_open) == (200, True)


async def test_429_without_a_reset_pauses_for_what_it_says(world: World) -> None:
    asked = await world.ask()
    headers = {"X-Rate-Limit-Requests-Left": "0", "Retry-After": "2"}
    await world.wire.answer(429, headers=headers)
    assert world.upstream.quota_state == "nothing is sent for 2 s"
    await world.time.pass_by(2.5)
    await world.wire.answer(body=EMPTY)
    assert await asked == 0


async def test_state_is_that_of_the_token_until_it_is_accepted(world: World) -> None:
    asked = await world.ask()
    await world.wire.answer(403)
    with pytest.raises(UpstreamForbidden):
        await asked
    await world.time.pass_by(5)
    asked = await world.ask("POST")
    await world.wire.answer(429)
    assert world.upstream.state == "refuses the token"
    asked.cancel()
    await settle()


async def test_429_while_the_token_is_refused_lets_the_next_one_probe(world: World) -> None:
    asked = await world.ask()
    await world.wire.answer(403)
    with pytest.raises(UpstreamForbidden):
        await asked
    await world.time.pass_by(5)
    asked = await world.ask()
    await world.wire.answer(429, left=0, resets_in=1)
    await world.time.pass_by(1.5)
    assert (asked.done(), world.wire.requests) == (False, 3)
    await world.wire.answer(body=EMPTY)
    assert await asked == 0


async def test_dead_upstream_is_not_asked(world: World) -> None:
    await world.fail(FAILURES_IN_A_ROW)
    assert world.upstream.state == "fails, and is only probed"
    with pytest.raises(UpstreamUnavailable, match="failed again and again"):
        await (await world.ask())
    assert world.wire.requests == FAILURES_IN_A_ROW
    for urgent in (False, True):
        assert (
            world.upstream.defer_reason(LIST.operation, foreground=urgent)
            is ErrorCode.UPSTREAM_UNAVAILABLE
        )
    await world.time.pass_by(1)
    assert world.upstream.defer_reason(LIST.operation, foreground=False) is None
    probe = await world.ask()
    with pytest.raises(UpstreamUnavailable, match="failed again and again"):
        await (await world.ask())
    await world.wire.answer(body=EMPTY)
    assert (await probe, world.upstream.state) == (0, "answers")


async def test_dead_upstream_fails_at_once_whatever_there_is_to_wait_for(world: World) -> None:
    await world.told(0)
    for _ in range(FAILURES_IN_A_ROW):
        world.breaker.failed(None)
    with pytest.raises(CircuitOpen):
        await (await world.ask())
    assert (world.wire.requests, world.time.slept) == (1, [])


async def test_failure_that_opens_the_breaker_is_not_tried_again(world: World) -> None:
    await world.fail(FAILURES_IN_A_ROW - 1)
    asked = await world.ask()
    await world.wire.answer(500)
    with pytest.raises(UpstreamUnavailable, match="status 500"):
        await asked
    assert world.upstream.budget.spent == 0


async def test_what_was_not_sent_says_nothing_about_the_upstream() -> None:
    world = World(timeout_seconds=0.0)
    for _ in range(FAILURES_IN_A_ROW):
        with pytest.raises(UpstreamTimeout):
            await (await world.ask())
    assert (world.breaker.is_open, world.wire.requests) == (False, 0)


async def test_whoever_waits_for_a_turn_when_the_upstream_is_given_up_is_not_sent(
    world: World,
) -> None:
    sent = [await world.ask("POST") for _ in range(MAXIMUM_IN_FLIGHT)]
    waiting = [await world.ask() for _ in range(30)]
    for _ in range(FAILURES_IN_A_ROW):
        await world.wire.answer(500)
    # Those whose turn came before the last of the failures were sent.
    told = await asyncio.gather(*waiting[FAILURES_IN_A_ROW - 1 :], return_exceptions=True)
    assert {type(error) for error in told} == {CircuitOpen}
    assert world.wire.requests == MAXIMUM_IN_FLIGHT + FAILURES_IN_A_ROW - 1
    assert len([task for task in sent if task.done()]) == FAILURES_IN_A_ROW
    for _ in range(len(world.wire.waiting)):
        await world.wire.answer(body=EMPTY)
    assert world.limiter.quota.in_flight == 0
    assert world.breaker.is_open is False
    await asyncio.gather(*sent, *waiting, return_exceptions=True)


async def test_whoever_waits_for_the_quota_probes_when_it_is_sent_and_no_sooner(
    world: World,
) -> None:
    await world.told(0)
    for _ in range(FAILURES_IN_A_ROW):
        world.breaker.failed(None)
    await world.time.pass_by(1)
    waiting = [await world.ask() for _ in range(3)]
    assert (world.wire.requests, world.breaker.lets_through) == (1, True)
    waiting[0].cancel(ABANDONED)
    await world.time.pass_by(30)
    assert (world.wire.requests, world.breaker.lets_through) == (2, False)
    with pytest.raises(CircuitOpen):
        await waiting[2]
    await world.wire.answer(body=EMPTY)
    assert (waiting[0].cancelled(), await waiting[1]) == (True, 0)
    assert world.limiter.quota.in_flight == 0


async def test_probe_that_is_cancelled_on_the_wire_leaves_it_to_the_next(world: World) -> None:
    for _ in range(FAILURES_IN_A_ROW):
        world.breaker.failed(None)
    await world.time.pass_by(1)
    probe = await world.ask()
    assert not world.breaker.lets_through
    probe.cancel()
    await settle()
    assert (probe.cancelled(), world.breaker.lets_through) == (True, True)


@pytest.mark.parametrize(
    ("left", "quota", "not_urgent", "urgent"),
    [
        (16, 150, None, None),
        (15, 150, ErrorCode.RATE_LIMITED, None),
        (1, 150, ErrorCode.RATE_LIMITED, None),
        (0, 150, ErrorCode.RATE_LIMITED, ErrorCode.RATE_LIMITED),
        (6, 10, None, None),
        (5, 10, ErrorCode.RATE_LIMITED, None),
    ],
)
async def test_the_reserve_is_for_what_must_be_sent(
    world: World,
    left: int,
    quota: int,
    not_urgent: ErrorCode | None,
    urgent: ErrorCode | None,
) -> None:
    assert world.upstream.defer_reason(LIST.operation, foreground=False) is None
    assert world.upstream.quota_state == "not told"
    await world.told(left, quota)
    assert world.upstream.defer_reason(LIST.operation, foreground=False) is not_urgent
    assert world.upstream.defer_reason(LIST.operation, foreground=True) is urgent
    assert world.upstream.quota_state == f"{left} of {quota} requests left"


async def test_nothing_is_welcome_during_a_pause(world: World) -> None:
    asked = await world.ask()
    await world.wire.answer(429, Retry_After="5")
    for urgent in (False, True):
        assert (
            world.upstream.defer_reason(LIST.operation, foreground=urgent) is ErrorCode.RATE_LIMITED
        )
    assert world.upstream.quota_state == "nothing is sent for 5 s"
    asked.cancel()
    await settle()
    assert world.wire.requests == 1


async def test_abandoned_operation_is_carried_out(world: World) -> None:
    assert world.upstream.state == "not asked yet"
    asked = await world.ask()
    asked.cancel(ABANDONED)
    await world.wire.answer(left=9, body=EMPTY)
    assert (await asked, world.upstream.state) == (0, "answers")


async def test_abandoned_operation_is_not_tried_again(world: World) -> None:
    asked = await world.ask()
    asked.cancel(ABANDONED)
    await world.wire.answer(500)
    with pytest.raises(UpstreamUnavailable, match="status 500"):
        await asked
    assert (world.wire.requests, world.upstream.budget.spent) == (1, 0)


async def test_whoever_was_abandoned_asks_for_nothing_more(world: World) -> None:
    async def ask_twice() -> None:
        for _ in range(2):
            await world.upstream.ask(LIST, lambda answer: answer.status)

    asked = asyncio.ensure_future(ask_twice())
    await settle()
    asked.cancel(ABANDONED)
    await world.wire.answer()
    assert (asked.cancelled(), world.wire.requests) == (True, 1)


async def test_any_other_cancellation_ends_an_operation(world: World) -> None:
    asked = await world.ask()
    asked.cancel()
    await settle()
    assert (asked.cancelled(), world.wire.cancelled, world.limiter.quota.in_flight) == (True, 1, 0)


async def test_error_of_the_reader_itself_is_neither_tried_again_nor_a_failure(
    world: World,
) -> None:
    def read(_: Answer) -> int:
        raise ZeroDivisionError

    asked = asyncio.ensure_future(world.upstream.ask(LIST, read))
    await settle()
    await world.wire.answer()
    with pytest.raises(ZeroDivisionError):
        await asked
    assert (world.wire.requests, world.upstream.state) == (1, "not asked yet")


ID = "00000000-0000-4000-8000-000000000001"


async def test_page_of_ids_that_holds_more_rows_than_ids_cannot_be_used(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    asked = asyncio.ensure_future(world.upstream.page(SEGMENTS, 1, 1, [ID], retry_unreadable=False))
    await settle()
    await world.wire.answer(
        body=b'{"data":[{"id":"%s"}],"meta":{"pagination":{"total":2,"per_page":1}}}' % ID.encode()
    )
    with pytest.raises(UpstreamUnreadable, match="more segments than it was asked for"):
        await asked
    assert caplog.messages == [
        "list_segments_by_id, page 1: The store's API sent more segments than it was asked for. "
        "(status 200, 103 bytes)"
    ]


async def test_rows_without_ids_are_a_warning_once_for_each_operation(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "gateway.bigcommerce.operations")
    for ids in ((), (), (ID,)):
        asked = asyncio.ensure_future(world.upstream.page(SEGMENTS, 1, 50, ids))
        await settle()
        await world.wire.answer(
            body=b'{"data":[{"id":"?"}],"meta":{"pagination":{"total":1,"per_page":50}}}'
        )
        assert (await asked).rows == [None]
    logged = [line for line in caplog.record_tuples if line[0] == "gateway.bigcommerce.operations"]
    text = "page 1: 1 of 1 segments have no id of their own, and are left out"
    assert [(level, line) for _, level, line in logged] == [
        (logging.WARNING, f"list_segments, {text}"),
        (logging.DEBUG, f"list_segments, {text}"),
        (logging.WARNING, f"list_segments_by_id, {text}"),
    ]
