"""The shares of clients in the store's quota: counts, and what the limiter makes of them."""

import asyncio

import pytest
from clock import Clock
from virtual_time import in_virtual_time

from gateway.bigcommerce.limiter import (
    MAXIMUM_IN_FLIGHT,
    MAXIMUM_IN_FLIGHT_PER_CLIENT,
    RequestLimiter,
)
from gateway.bigcommerce.rate_limit import RateLimit
from gateway.bigcommerce.shares import GATEWAY, MAXIMUM_CLIENTS, Shares
from gateway.errors import DeadlineTooClose, QuotaExhausted
from gateway.request_scope import open_request_scope


async def send(limiter: RequestLimiter, client: str, within: float = 10.0) -> None:
    """Sends a request of a client, which keeps its slot."""
    with open_request_scope(60, client):
        await limiter.acquire(asyncio.get_running_loop().time() + within)


async def end(limiter: RequestLimiter, client: str) -> None:
    with open_request_scope(60, client):
        limiter.release()


async def exchange(limiter: RequestLimiter, client: str, times: int = 1) -> None:
    for _ in range(times):
        await send(limiter, client)
        await end(limiter, client)


def limiter_of(remaining: int, *, per_client: int = 60, resets_in: float = 20.0) -> RequestLimiter:
    limiter = RequestLimiter(
        asyncio.get_running_loop().time, lambda low, high: high, reserve=15, per_client=per_client
    )
    limiter.quota.record(RateLimit(remaining, limit=150, resets_in=resets_in, window=30.0))
    return limiter


def test_requests_count_for_a_minute_up_to_the_share() -> None:
    clock = Clock()
    shares = Shares(clock, per_minute=3)
    assert shares.sent("a") == 0
    for sent in (1, 2, 3, 3):
        shares.record("a")
        assert shares.sent("a") == sent
        clock.advance(10)
    assert (shares.sent("a"), shares.sent("b")) == (3, 0)
    clock.advance(41)  # the second was sent 71 seconds ago, the third 61
    assert shares.sent("a") == 1
    clock.advance(60)
    assert shares.sent("a") == 0


def test_share_is_exceeded_with_its_last_request_and_never_by_the_gateway_itself() -> None:
    shares = Shares(Clock(), per_minute=2)
    for sent in (1, 2):
        shares.record("a")
        shares.record(GATEWAY)
        assert shares.is_exceeded("a") is (sent == 2)
    assert not shares.is_exceeded(GATEWAY)


def test_batch_counts_for_the_client_that_has_sent_the_least() -> None:
    shares = Shares(Clock(), per_minute=20)
    shares.record("a")
    assert shares.least_used({"a", "b"}) == "b"


def test_clients_that_are_remembered_are_bounded() -> None:
    shares = Shares(Clock(), per_minute=20)
    for number in range(MAXIMUM_CLIENTS + 1):
        shares.record(str(number))
    assert (shares.sent("0"), shares.sent("1")) == (0, 1)


@in_virtual_time
async def test_client_alone_uses_all_down_to_the_reserve() -> None:
    limiter = limiter_of(150, per_client=10)
    for left in range(149, 15, -1):
        await exchange(limiter, "a")
        limiter.quota.record(RateLimit(left, limit=150, resets_in=20.0, window=30.0))
    limiter.quota.record(RateLimit(15, limit=150, resets_in=20.0, window=30.0))
    with pytest.raises(QuotaExhausted) as refused:
        await send(limiter, "a")
    assert refused.value.retry_after == 21
    await exchange(limiter, "b", 9)  # one within its share goes on


@in_virtual_time
async def test_client_beyond_its_share_is_refused_at_once_and_the_reset_frees_it() -> None:
    limiter = limiter_of(100)
    await exchange(limiter, "a", 60)
    limiter.quota.record(RateLimit(0, limit=150, resets_in=5.0, window=30.0))
    before = asyncio.get_running_loop().time()
    with pytest.raises(QuotaExhausted):
        await send(limiter, "a")
    assert asyncio.get_running_loop().time() == before
    await send(limiter, "b")  # waits for the reset
    assert asyncio.get_running_loop().time() == pytest.approx(5.25, abs=0.01)
    await send(limiter, "a")


@in_virtual_time
async def test_client_that_waits_for_the_quota_holds_no_slot() -> None:
    limiter = limiter_of(0)
    waiting = [asyncio.ensure_future(send(limiter, f"w{n}")) for n in range(20)]
    await asyncio.sleep(1)
    limiter.quota.record(RateLimit(0, limit=150, resets_in=15.0, window=30.0))
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    limiter.quota.record(RateLimit(150, limit=150, resets_in=60.0, window=30.0))
    for number in range(MAXIMUM_IN_FLIGHT):
        await send(limiter, str(number), within=2.0)


@in_virtual_time
async def test_quota_that_others_have_used_during_the_wait_for_a_slot_is_waited_for() -> None:
    limiter = limiter_of(11, resets_in=3.0)
    for number in range(MAXIMUM_IN_FLIGHT):
        await send(limiter, str(number))
    late = asyncio.ensure_future(send(limiter, "late"))  # one request is left, but no slot
    await asyncio.sleep(0)
    limiter.quota.record(RateLimit(0, limit=150, resets_in=3.0, window=30.0))
    await end(limiter, "0")
    await asyncio.sleep(1)
    assert not late.done()
    await late
    assert asyncio.get_running_loop().time() == pytest.approx(3.25, abs=0.01)


@in_virtual_time
async def test_one_client_leaves_two_slots_to_the_others() -> None:
    limiter = limiter_of(150)
    for _ in range(MAXIMUM_IN_FLIGHT_PER_CLIENT):
        await send(limiter, "greedy")
    with pytest.raises(DeadlineTooClose):
        await send(limiter, "greedy", within=1.0)
    for name in ("b", "c"):
        await send(limiter, name, within=1.0)
    waiting = asyncio.ensure_future(send(limiter, "greedy"))
    await asyncio.sleep(0)
    await end(limiter, "b")
    await asyncio.sleep(0)
    assert not waiting.done()  # it holds eight
    await end(limiter, "greedy")
    await waiting
