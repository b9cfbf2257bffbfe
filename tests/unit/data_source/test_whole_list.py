"""Ids that have no row, over the emulator: any number of them costs no more than the list."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

import pytest
from clock import Clock, settle
from in_process import InProcess, in_process

from gateway.emulator import Fault
from gateway.errors import UpstreamForbidden, UpstreamUnavailable
from gateway.request_scope import open_request_scope

TTL = 15.0


def made_up() -> Iterator[str]:
    return (str(UUID(int=number, version=4)) for number in count(1))


def ids_of(gateway: InProcess) -> list[str]:
    return [row.id for row in gateway.emulator.store.segments]


async def look_up(gateway: InProcess, ids: list[str]) -> list[object]:
    return [getattr(row, "id", row) for row in await gateway.services.segment_lookups.load(ids)]


async def ask_for(gateway: InProcess, invented: Iterator[str], number: int) -> None:
    ids = [next(invented) for _ in range(number)]
    assert await look_up(gateway, ids) == [None] * number


@pytest.mark.parametrize(("total", "pages"), [(1000, 4), (751, 4), (500, 2), (120, 1), (0, 1)])
async def test_any_number_of_made_up_ids_costs_twice_the_list_in_each_ttl(
    total: int, pages: int
) -> None:
    clock = Clock()
    gateway = in_process(total, clock=clock)
    await gateway.page(first=1)
    clock.advance(TTL)
    invented = made_up()
    for window in range(1, 4):
        for _ in range(20):
            await ask_for(gateway, invented, 1)
            clock.advance(0.1)
        await asyncio.gather(*(ask_for(gateway, invented, 250) for _ in range(10)))
        assert gateway.upstream_requests == 1 + window * 2 * pages
        clock.advance(TTL)


async def test_request_for_500_and_1000_made_up_ids_costs_eight_at_most() -> None:
    gateway = in_process(1000)
    invented = made_up()
    for _ in range(3):
        await asyncio.gather(*(ask_for(gateway, invented, number) for number in (250, 250, 1000)))
        assert gateway.upstream_requests <= 8


async def test_ids_of_rows_cost_no_more_either() -> None:
    gateway = in_process(1000)
    for row_id in ids_of(gateway)[::10]:
        assert await look_up(gateway, [row_id]) == [row_id]
    assert gateway.upstream_requests == 4 + 4


async def test_list_that_clients_have_paged_through_answers_without_a_request() -> None:
    clock = Clock()
    gateway = in_process(1000, clock=clock)
    await gateway.page(first=250)
    clock.advance(5)
    await gateway.walk(250)
    with open_request_scope(10) as scope:
        await ask_for(gateway, made_up(), 300)
    assert scope.oldest_read_at == pytest.approx(clock.now - 5, abs=1e-3)
    assert gateway.upstream_requests == 4
    clock.advance(TTL - 5 + 0.1)
    await ask_for(gateway, made_up(), 1)
    assert gateway.upstream_requests == 5


async def test_absence_that_the_list_shows_is_not_stored() -> None:
    gateway = in_process(120)
    await gateway.page(first=1)
    before = len(gateway.services.cache._entries._memory._store._cache)
    await ask_for(gateway, made_up(), 1000)
    assert len(gateway.services.cache._entries._memory._store._cache) == before


async def test_row_that_the_list_no_longer_shows_is_not_served_stale() -> None:
    clock = Clock()
    gateway = in_process(120, clock=clock, LOOKUP_WINDOW_MILLISECONDS="0")
    row_id, *_ = ids_of(gateway)
    assert await look_up(gateway, [row_id]) == [row_id]
    clock.advance(TTL + 1)
    gateway.emulator.store.delete([row_id])
    await gateway.page(first=1)
    assert await look_up(gateway, [row_id]) == [row_id]  # stale, and refreshed behind it
    await settle()
    assert await look_up(gateway, [row_id]) == [None]
    assert gateway.upstream_requests == 2


async def test_write_ends_what_the_list_knows() -> None:
    gateway = in_process(120)
    await gateway.page(first=1)
    (row,) = gateway.emulator.store.segments[:1]
    new = replace(row, id=next(made_up()), name="new")
    assert await look_up(gateway, [new.id]) == [None]
    gateway.emulator.store.insert(new)
    await gateway.services.invalidations.announce(["segments"], gateway.services.cache.now())
    assert await look_up(gateway, [new.id]) == [new.id]
    assert gateway.upstream_requests == 1 + 1


@pytest.mark.parametrize(("ttl", "requests"), [("0", 20), ("15", 8)])
async def test_without_a_cache_the_list_shows_no_absence(ttl: str, requests: int) -> None:
    gateway = in_process(1000, CACHE_TTL_SECONDS=ttl)
    invented = made_up()
    for _ in range(20):
        await ask_for(gateway, invented, 1)
    assert gateway.upstream_requests == requests


async def test_list_of_small_pages_is_not_read() -> None:
    gateway = in_process(1000, max_limit=20)
    invented = made_up()
    for _ in range(20):
        await ask_for(gateway, invented, 1)
    # The one block that shows how many there are, and a lookup for each id.
    assert gateway.upstream_requests == 20 + 1


async def test_list_that_fails_is_tried_again_after_as_many_lookups() -> None:
    gateway = in_process(1000)
    gateway.refused_text = "page=2"
    invented = made_up()
    for lookups in range(1, 41):
        await ask_for(gateway, invented, 1)
        tries = (lookups - 1) // 4
        # A refused page costs one more request, which looks whether the list ends before it.
        assert gateway.services.client.requests == lookups + 5 * tries


async def test_list_that_is_forbidden_is_not_read() -> None:
    clock = Clock()
    gateway = in_process(1000, clock=clock)
    gateway.emulator.token_scope = None
    with pytest.raises(UpstreamForbidden):
        await gateway.services.segments.read(0)
    gateway.emulator.token_scope = "store_v2_customers"
    invented = made_up()
    for _ in range(6):
        await ask_for(gateway, invented, 1)
    assert gateway.upstream_requests == 1 + 6


async def test_row_that_changed_places_during_the_read_is_found() -> None:
    gateway = in_process(1000, latency_seconds=1)
    store, invented = gateway.emulator.store, made_up()
    hidden = store.segments[250].id

    async def replace_the_first(_seconds: float) -> None:
        # One row less, one more: the total stays, and the row at 250 moves to the block before.
        if gateway.upstream_requests == 4 + 1:
            gone = store.segments[0]
            date = datetime.now(UTC).isoformat()
            store.delete([gone.id])
            store.insert(replace(gone, id=next(invented), name="new", created_at=date))
            gateway.emulator.latency_seconds = 0

    gateway.emulator.sleep = replace_the_first
    for _ in range(5):
        await ask_for(gateway, invented, 1)
    assert gateway.upstream_requests == 4 + 4 + 1
    assert await look_up(gateway, [hidden]) == [hidden]
    assert gateway.upstream_requests == 4 + 4 + 2


async def test_absence_is_served_stale_while_the_store_is_down() -> None:
    clock = Clock()
    gateway = in_process(120, clock=clock, REQUEST_TIMEOUT_SECONDS="0.5")
    await gateway.page(first=1)
    invented = made_up()
    await ask_for(gateway, invented, 1)
    clock.advance(TTL + 1)
    gateway.emulator.faults.add(Fault.SERVER_ERROR, None)
    for _ in range(2):
        with open_request_scope(10) as scope:
            await ask_for(gateway, invented, 1)
        assert (scope.is_stale, scope.stale_because) == (True, "UPSTREAM_UNAVAILABLE")
    sent = gateway.upstream_requests
    await ask_for(gateway, invented, 100)
    assert gateway.upstream_requests == sent  # it has just failed
    clock.advance(700)
    (error,) = await gateway.services.segment_lookups.load([next(invented)])
    assert isinstance(error, UpstreamUnavailable)
