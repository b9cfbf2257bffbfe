"""Slots and quota of the upstream, on a wire that the test holds and in virtual time."""

import asyncio

import httpx
import pytest
from clock import settle
from virtual_time import in_virtual_time
from wire import HeldWire

from gateway.bigcommerce.limiter import MAXIMUM_IN_FLIGHT
from gateway.errors import DeadlineTooClose, QuotaExhausted, RateLimited
from gateway.request_scope import open_request_scope


async def free_slots(wire: HeldWire) -> int:
    """Counts the requests that are sent at once when no quota is known."""
    await asyncio.sleep(100)
    before = wire.requests
    for _ in range(30):
        await wire.ask()
    return wire.requests - before


@in_virtual_time
async def test_at_most_ten_requests_are_in_flight() -> None:
    wire = HeldWire()
    asked = [await wire.ask() for _ in range(12)]
    assert wire.requests == MAXIMUM_IN_FLIGHT == 10
    await wire.answer(left=100)
    assert wire.requests == 11
    for _ in range(11):
        await wire.answer(left=100)
    assert await asyncio.gather(*asked) == [0] * 12
    assert (wire.limiter.quota.in_flight, await free_slots(wire)) == (0, 10)


@in_virtual_time
async def test_slots_go_round_the_clients() -> None:
    wire = HeldWire()
    first = [await wire.ask() for _ in range(10)]
    with open_request_scope(60):
        greedy = [await wire.ask() for _ in range(20)]
    with open_request_scope(60):
        modest = await wire.ask()
    for _ in range(12):
        await wire.answer(left=100)
    assert [task.done() for task in first] == [True] * 10
    # The second request after those is the other client's.
    assert [task.done() for task in (greedy[0], modest, greedy[1])] == [True, True, False]


@in_virtual_time
async def test_request_waits_for_the_reset() -> None:
    wire = HeldWire()
    await wire.learn(0, resets_in=20)
    waiting = await wire.ask()
    await asyncio.sleep(19.9)
    assert wire.requests == 1
    await asyncio.sleep(0.4)
    await wire.answer(left=149)
    assert await waiting == 0


@in_virtual_time
async def test_reset_beyond_the_deadline_fails_at_once_in_whole_seconds() -> None:
    wire = HeldWire(timeout_seconds=20)
    await wire.learn(0, resets_in=20.3)
    before = asyncio.get_running_loop().time()
    with pytest.raises(QuotaExhausted, match=r"Try again in 21 seconds\.$") as error:
        await (await wire.ask())
    assert error.value.extensions == {"code": "RATE_LIMITED", "retryAfter": 21}
    assert (wire.requests, wire.upstream.budget.spent) == (1, 0)
    assert asyncio.get_running_loop().time() == before
    assert await free_slots(wire) == 10


@in_virtual_time
async def test_waiting_requests_fail_as_soon_as_an_answer_leaves_nothing() -> None:
    wire = HeldWire(timeout_seconds=10)
    await wire.learn(1)
    first = await wire.ask()
    others = [await wire.ask() for _ in range(3)]
    assert wire.requests == 2  # what is in flight counts as used
    await wire.answer(left=0)
    assert await first == 0
    errors = await asyncio.gather(*others, return_exceptions=True)
    assert [type(error) for error in errors] == [QuotaExhausted] * 3


@in_virtual_time
async def test_answer_that_leaves_more_wakes_a_waiting_request() -> None:
    wire = HeldWire()
    asked = [await wire.ask() for _ in range(2)]
    await wire.answer(left=1)
    waiting = await wire.ask()
    assert wire.requests == 2
    await wire.answer(left=1)
    assert wire.requests == 3
    await wire.answer(left=0)
    await asyncio.gather(*asked, waiting)


@in_virtual_time
async def test_after_the_reset_as_many_are_sent_as_the_quota_allows() -> None:
    wire = HeldWire()
    await wire.learn(0, quota=3)
    asked = [await wire.ask() for _ in range(10)]
    await asyncio.sleep(21)
    assert wire.requests == 1 + 3
    for left in (2, 1, 0):
        await wire.answer(left=left, quota=3, resets_in=29)
    assert sum(task.done() for task in asked) == 3
    await asyncio.sleep(30)
    assert wire.requests == 1 + 3 + 3


@in_virtual_time
async def test_429_says_that_nothing_is_left() -> None:
    wire = HeldWire()
    await wire.ask()
    await wire.answer(429, left=5)  # as BigCommerce was seen to do
    assert (wire.limiter.quota.available, wire.limiter.quota.remaining) == (0, 0)


@in_virtual_time
async def test_429_without_headers_pauses_all_requests() -> None:
    wire = HeldWire(timeout_seconds=0.5)
    pauses = []
    for _ in range(3):
        refused = await wire.ask()
        await wire.answer(429)
        with pytest.raises(RateLimited):
            await refused
        pauses.append(wire.limiter.quota.pause_seconds)
        with pytest.raises(QuotaExhausted):
            await (await wire.ask())
        await asyncio.sleep(pauses[-1])
    assert (pauses, wire.requests) == ([1, 2, 4], 3)


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "7"},
        {"Retry-After": "Sun, 06 Nov 1994 08:49:44 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"},
        {"X-Rate-Limit-Time-Reset-Ms": "7000"},
        {"X-Rate-Limit-Requests-Left": "0", "Retry-After": "7"},
        {
            "X-Rate-Limit-Requests-Left": "14",
            "X-Rate-Limit-Time-Reset-Ms": "0",
            "Retry-After": "7",
        },
    ],
    ids=["seconds", "date", "a reset alone", "nothing left", "a reset of no time"],
)
@in_virtual_time
async def test_time_that_a_429_names_is_waited_for(headers: dict[str, str]) -> None:
    wire = HeldWire()
    asked = await wire.ask()
    await wire.answer(429, headers=headers)
    assert wire.upstream.quota_state == "nothing is sent for 7 s"
    await asyncio.sleep(6.9)
    assert wire.requests == 1
    await asyncio.sleep(0.5)
    assert wire.requests == 2
    await wire.answer()
    assert await asked == 0


@pytest.mark.parametrize(
    ("headers", "after"),
    [({}, 1), ({"Retry-After": "7"}, 7), ({"Retry-After": "3600"}, 60)],
    ids=["no headers", "seconds", "an hour"],
)
@in_virtual_time
async def test_error_of_a_429_names_the_seconds_for_which_requests_pause(
    headers: dict[str, str], after: int
) -> None:
    wire = HeldWire(timeout_seconds=0.5)
    asked = await wire.ask()
    await wire.answer(429, headers=headers)
    with pytest.raises(RateLimited, match=rf"in {after} seconds?\.$") as error:
        await asked
    assert error.value.extensions == {"code": "RATE_LIMITED", "retryAfter": after}
    assert (wire.limiter.quota.pause_seconds, wire.upstream.state) == (after, "answers")


@in_virtual_time
async def test_with_too_little_time_left_nothing_is_sent() -> None:
    wire = HeldWire(timeout_seconds=0.0)
    for _ in range(20):
        with pytest.raises(DeadlineTooClose):
            await (await wire.ask())
    # It says nothing about the upstream.
    assert (wire.requests, wire.upstream.state) == (0, "not asked yet")


@in_virtual_time
async def test_wait_for_a_slot_ends_before_the_deadline() -> None:
    wire = HeldWire(timeout_seconds=10)
    for _ in range(MAXIMUM_IN_FLIGHT):
        await wire.limiter.acquire(60)
    with pytest.raises(DeadlineTooClose):
        await (await wire.ask())
    assert asyncio.get_running_loop().time() == 9.5


@in_virtual_time
async def test_wait_for_an_answer_of_the_new_window_ends_before_the_deadline() -> None:
    wire = HeldWire(timeout_seconds=10)
    await wire.learn(0, quota=1)
    await asyncio.sleep(21)
    await wire.limiter.acquire(60)
    with pytest.raises(QuotaExhausted, match="in 30 seconds"):
        await (await wire.ask())
    assert (asyncio.get_running_loop().time(), wire.requests) == (30.5, 1)


@pytest.mark.parametrize("left", [0, 100], ids=["for the quota", "for a slot"])
@in_virtual_time
async def test_caller_that_is_cancelled_while_it_waits_sends_nothing(left: int) -> None:
    wire = HeldWire()
    await wire.learn(left)
    if left:
        for _ in range(MAXIMUM_IN_FLIGHT):
            await wire.ask()
    before = wire.requests
    waiting = await wire.ask()
    waiting.cancel()
    await settle()
    for _ in range(len(wire.waiting)):
        await wire.answer(left=left)
    await asyncio.sleep(30)
    assert (waiting.cancelled(), wire.requests, wire.limiter.quota.in_flight) == (True, before, 0)
    assert await free_slots(wire) == 10


@in_virtual_time
async def test_request_that_was_sent_is_finished_though_its_caller_is_cancelled() -> None:
    wire = HeldWire()
    asked = await wire.ask()
    asked.cancel()
    await settle()
    assert (asked.cancelled(), wire.limiter.quota.in_flight) == (True, 1)
    await wire.answer(left=7)
    assert (wire.limiter.quota.remaining, wire.limiter.quota.in_flight) == (7, 0)
    assert (wire.upstream.state, await free_slots(wire)) == ("answers", 10)


@in_virtual_time
async def test_request_whose_caller_is_cancelled_fails_silently_and_is_not_sent_again() -> None:
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    wire = HeldWire()
    asked = await wire.ask()
    asked.cancel()
    await settle()
    await wire.fail(httpx.ReadError("cut"))
    assert (wire.requests, wire.upstream.state, errors) == (1, "fails", [])


@in_virtual_time
async def test_quota_that_is_used_up_is_logged_once_and_once_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "gateway.bigcommerce.limiter")
    wire = HeldWire()
    asked = [await wire.ask() for _ in range(3)]
    for left in (0, 1, 0):  # answers overtake each other
        await wire.answer(left=left)
    await asyncio.gather(*asked)
    await asyncio.sleep(21)
    for left in (149, 148):
        await wire.learn(left)
    assert [line for name, _, line in caplog.record_tuples if name.endswith("limiter")] == [
        "the store's quota is used up: none of 150 requests is left for 20.0 seconds",
        "the store's quota is back: 149 of 150 requests are left",
    ]
