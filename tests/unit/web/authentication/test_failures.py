import asyncio

import pytest
from virtual_time import in_virtual_time

from gateway.web.authentication.failures import MAXIMUM_PEERS, MAXIMUM_WAITING, Failures

PEER = "192.0.2.1"


def failures() -> Failures:
    return Failures(asyncio.get_running_loop().time)


async def seconds_of(awaitable: object) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await awaitable  # type: ignore[misc]
    return loop.time() - began


@in_virtual_time
async def test_a_peer_waits_longer_with_each_failure_and_at_most_a_second() -> None:
    record = failures().record
    waited = [await seconds_of(record(PEER, "wrong")) for _ in range(25)]
    assert waited[:4] == pytest.approx([0, 0.05, 0.1, 0.15])
    assert waited[-1] == pytest.approx(1.0)


@in_virtual_time
async def test_another_peer_does_not_wait() -> None:
    record = failures().record
    for _ in range(10):
        await record(PEER, "wrong")
    assert await seconds_of(record("192.0.2.2", "wrong")) == 0


@in_virtual_time
async def test_a_minute_without_a_failure_forgets_a_peer() -> None:
    record = failures().record
    for _ in range(10):
        await record(PEER, "wrong")
    await asyncio.sleep(60)
    assert await seconds_of(record(PEER, "wrong")) == 0


@in_virtual_time
async def test_failures_beyond_a_number_are_answered_at_once() -> None:
    record = failures().record
    await record(PEER, "wrong")
    waiting = [asyncio.ensure_future(record(PEER, "wrong")) for _ in range(MAXIMUM_WAITING)]
    await asyncio.sleep(0)
    assert await seconds_of(record(PEER, "wrong")) == 0
    assert not any(task.done() for task in waiting)
    waiting[0].cancel()
    await asyncio.sleep(0)
    assert await seconds_of(record(PEER, "wrong")) == pytest.approx(1.0)
    await asyncio.gather(*waiting, return_exceptions=True)


@in_virtual_time
async def test_any_number_of_peers_takes_bounded_memory() -> None:
    kept = failures()
    for n in range(MAXIMUM_PEERS + 10):
        await kept.record(f"10.0.{n // 256}.{n % 256}", "wrong")
    assert len(kept._by_peer) == MAXIMUM_PEERS


def test_the_log_has_a_line_at_once_and_then_one_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    @in_virtual_time
    async def fail_for_a_while() -> None:
        kept = failures()
        await kept.record(PEER, "No credentials.")
        for n in range(30):
            await kept.record("192.0.2.2", "Expired." if n % 3 else "No credentials.")
        await asyncio.sleep(60)
        await kept.record(PEER, "Expired.")
        await asyncio.sleep(150)  # a minute without any ends the lines
        await kept.record(PEER, "Expired.")

    fail_for_a_while()
    lines = "requests without valid credentials: "
    assert caplog.messages == [
        f"{lines}1, the last from 192.0.2.1 (1 x No credentials.)",
        f"{lines}30, the last from 192.0.2.2 (20 x Expired.; 10 x No credentials.)",
        f"{lines}1, the last from 192.0.2.1 (1 x Expired.)",
        f"{lines}1, the last from 192.0.2.1 (1 x Expired.)",
    ]
