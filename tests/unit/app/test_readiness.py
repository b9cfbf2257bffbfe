"""Whether answers can be served, as the parts stand."""

from clock import Clock, settle
from in_process import InProcess, in_process

from gateway.app.readiness import readiness_of
from gateway.bigcommerce.operation_health import (
    FAILURES_IN_A_ROW,
    LONGEST_PAUSE_SECONDS,
    SHORTEST_REFUSAL_SECONDS,
)
from gateway.emulator import Fault, Rule


async def fail_often(gateway: InProcess) -> None:
    gateway.emulator.faults.rules = [Rule(Fault.SERVER_ERROR)]
    for _ in range(FAILURES_IN_A_ROW):
        await gateway.ask("{ segments(first: 1) { totalCount } }")


async def test_a_gateway_that_has_asked_nothing_yet_is_ready() -> None:
    gateway = in_process(3)
    found = await readiness_of(gateway.services)
    assert found.is_ready
    assert found.parts == {
        "upstream": "not asked yet",
        "quota": "not known",
        "cache": "memory",
        "redis": "not set",
    }
    assert gateway.upstream_requests == 0


async def test_a_store_that_is_dead_takes_nobody_out_who_has_something_stale() -> None:
    clock = Clock()
    gateway = in_process(3, clock=clock, CACHE_STALE_WHILE_REVALIDATE_SECONDS="0")
    await gateway.page(first=1)
    clock.now += 100
    gateway.emulator.faults.rules = [Rule(Fault.SERVER_ERROR)]
    for _ in range(FAILURES_IN_A_ROW):
        assert "errors" not in await gateway.ask("{ segments(first: 1) { totalCount } }")
        await settle()  # the background refresh fails
        clock.advance(1.1)  # for a second after that, the block is not refreshed again
    found = await readiness_of(gateway.services)
    assert (found.is_ready, found.parts["upstream"]) == (True, "fails, and is only probed")
    clock.now += 600
    assert not (await readiness_of(gateway.services)).is_ready


async def test_a_store_that_is_dead_is_asked_now_and_then_until_it_is_back() -> None:
    clock = Clock()
    gateway = in_process(3, clock=clock)
    await fail_often(gateway)
    asked = gateway.upstream_requests
    for _ in range(3):
        found = await readiness_of(gateway.services)
        assert (found.is_ready, gateway.upstream_requests) == (False, asked)
    clock.now += LONGEST_PAUSE_SECONDS
    assert not (await readiness_of(gateway.services)).is_ready
    assert gateway.upstream_requests == asked + 1
    gateway.emulator.faults.rules = []
    clock.now += LONGEST_PAUSE_SECONDS
    found = await readiness_of(gateway.services)
    assert (found.is_ready, gateway.upstream_requests) == (True, asked + 2)
    assert (await readiness_of(gateway.services)).parts["upstream"] == "answers"


async def test_parts_tell_what_is_turned_off() -> None:
    gateway = in_process(3, CACHE_TTL_SECONDS="0")
    await gateway.page(first=1)
    parts = (await readiness_of(gateway.services)).parts
    assert parts["cache"] == "off"
    assert parts["quota"] == "999999 of 1000000 requests left"


async def test_a_refused_token_is_not_ready_until_it_is_accepted() -> None:
    clock = Clock()
    gateway = in_process(3, clock=clock)
    gateway.emulator.faults.rules = [Rule(Fault.STATUS, status=403)]
    await gateway.ask("{ segments(first: 1) { totalCount } }")
    found = await readiness_of(gateway.services)
    assert (found.is_ready, found.parts["upstream"]) == (False, "refuses the token")
    gateway.emulator.faults.rules = []
    clock.now += SHORTEST_REFUSAL_SECONDS
    assert (await readiness_of(gateway.services)).is_ready
