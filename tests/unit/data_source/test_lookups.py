"""Rows by id, over the emulator: every test counts the upstream requests."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
import stamina
from clock import Clock, settle
from in_process import InProcess, in_process

from gateway.bigcommerce.operations import ATTEMPTS
from gateway.cache.counts import CacheCounts
from gateway.emulator import Fault
from gateway.errors import (
    UpstreamForbidden,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreadable,
)
from gateway.request_scope import open_request_scope


def ids_of(gateway: InProcess) -> list[str]:
    return [row.id for row in gateway.emulator.store.segments]


def absent_ids(number: int) -> list[str]:
    return [str(UUID(int=n, version=4)) for n in range(number)]


async def load(gateway: InProcess, ids: Sequence[str]) -> list[str | type | None]:
    """Returns the id of each row, None for absence, or the type of the error."""
    rows = await gateway.services.segment_lookups.load(ids)
    assert len(rows) == len(ids)
    return [getattr(row, "id", type(row)) if row is not None else None for row in rows]


async def test_rows_come_in_order_with_repeats_and_absences_and_are_cached() -> None:
    gateway = in_process(3)
    one, two, _ = ids_of(gateway)
    (absent,) = absent_ids(1)
    for _ in range(2):
        found = await load(gateway, [two, absent, one, two, absent])
        assert found == [two, None, one, two, None]
    assert await load(gateway, []) == []
    assert gateway.upstream_requests == 1


async def test_rows_of_a_list_need_no_lookup() -> None:
    gateway = in_process(10)
    await gateway.page(first=1)
    assert await load(gateway, ids_of(gateway)) == ids_of(gateway)
    assert gateway.upstream_requests == 1


@pytest.mark.parametrize("ttl", ["15", "0"])
async def test_herd_of_identical_lookups_costs_one_request(ttl: str) -> None:
    gateway = in_process(10, CACHE_TTL_SECONDS=ttl)
    ids = ids_of(gateway)[:2]
    assert await asyncio.gather(*(load(gateway, ids) for _ in range(50))) == [ids] * 50
    assert gateway.upstream_requests == 1


@pytest.mark.parametrize(
    ("max_limit", "over_limit", "first", "second"),
    [(30, "clamp", 4, 4), (40, "clamp", 3, 3), (50, "refuse", 3, 2)],
)
async def test_ids_follow_the_size_of_pages_which_is_remembered(
    max_limit: int, over_limit: str, first: int, second: int
) -> None:
    gateway = in_process(200, max_limit=max_limit, over_limit=over_limit)  # type: ignore[arg-type]
    ids = ids_of(gateway)
    assert await load(gateway, ids[:100]) == ids[:100]
    assert gateway.upstream_requests == first
    assert await load(gateway, ids[100:]) == ids[100:]
    assert gateway.upstream_requests == first + second


async def test_ids_are_asked_for_at_once_in_parts_of_a_size_that_is_known() -> None:
    gateway = in_process(200, max_limit=30)
    ids = ids_of(gateway)
    await load(gateway, ids[:100])
    gateway.emulator.latency_seconds, answers = 1, asyncio.Event()
    gateway.emulator.sleep = lambda _: answers.wait()
    second = asyncio.ensure_future(load(gateway, ids[100:]))
    await settle()
    assert gateway.upstream_requests == 4 + 4
    answers.set()
    assert await second == ids[100:]


async def test_address_that_is_too_long_is_halved_twice_and_remembered() -> None:
    gateway = in_process(200, longest_query=1000)
    ids = ids_of(gateway)
    assert await load(gateway, ids[:100]) == ids[:100]
    assert gateway.services.client.requests == 1 + 2 + 4
    assert await load(gateway, ids[100:]) == ids[100:]
    assert gateway.services.client.requests == 7 + 4


@pytest.mark.parametrize(("status", "is_learned"), [(413, True), (422, True), (400, False)])
async def test_only_a_refusal_that_can_be_about_their_number_makes_batches_smaller(
    status: int, is_learned: bool
) -> None:
    gateway = in_process(200, longest_query=2500, too_long=status)
    ids = ids_of(gateway)
    await load(gateway, ids[:100])
    assert gateway.services.client.requests == 3
    await load(gateway, ids[100:])
    assert gateway.services.client.requests == (5 if is_learned else 6)


async def test_refusal_of_all_ids_is_the_error_of_each_and_changes_nothing() -> None:
    gateway = in_process(100, longest_query=10)
    for _ in range(2):
        assert await load(gateway, ids_of(gateway)) == [UpstreamRefused] * 100
    assert gateway.services.client.requests == 2 * (1 + 2 + 4)


async def test_refusal_of_one_id_is_the_error_of_a_few_and_of_none_once_it_is_gone() -> None:
    gateway = in_process(100)
    ids = ids_of(gateway)
    gateway.refused_text = ids[60]
    found = await load(gateway, ids)
    assert [at for at, row in enumerate(found) if row is UpstreamRefused] == [*range(50, 75)]
    assert gateway.services.client.requests == 1 + 2 + 2
    assert await load(gateway, ids[:60] + ids[61:]) == ids[:60] + ids[61:]
    assert gateway.services.client.requests == 5 + 1
    gateway.refused_text = None
    assert await load(gateway, ids) == ids
    assert gateway.services.client.requests == 6 + 1


async def test_each_try_leaves_fewer_neighbours_to_an_id_that_is_refused() -> None:
    gateway = in_process(100)
    ids = ids_of(gateway)
    gateway.refused_text = ids[60]
    failed = [(await load(gateway, ids)).count(UpstreamRefused) for _ in range(5)]
    # After four lookups the list is read, which names no ids.
    assert failed == [25, 6, 2, 1, 0]
    assert gateway.services.client.requests == 5 + 5 + 5 + 3 + 1


async def test_id_that_is_refused_alone_costs_one_request() -> None:
    gateway = in_process(1)
    (row_id,) = ids_of(gateway)
    gateway.refused_text = row_id
    assert await load(gateway, [row_id]) == [UpstreamRefused]
    assert gateway.services.client.requests == 1


async def test_id_that_is_refused_keeps_no_other_stale() -> None:
    clock = Clock()
    gateway = in_process(10, clock=clock)
    ids = ids_of(gateway)
    await load(gateway, ids)
    gateway.refused_text = bad = ids[0]
    clock.advance(120)  # all are stale, and wait for a lookup
    with open_request_scope(10) as scope:
        assert await load(gateway, [bad]) == [bad]
    assert scope.stale_because == "UPSTREAM_UNAVAILABLE"
    for neighbours in (ids[1:4], ids[4:]):
        with open_request_scope(10) as scope:
            assert await load(gateway, neighbours) == neighbours
        assert (scope.is_stale, scope.stale_because) == (False, None)
    # The refused one is not asked for again at once, but a second later.
    for seconds, requests in ((0, 4), (1.1, 5)):
        clock.advance(seconds)
        await load(gateway, [bad])
        await settle()
        assert gateway.services.client.requests == requests


async def test_unreadable_answer_is_asked_for_twice_for_one_id_and_in_halves_for_many() -> None:
    gateway = in_process(100)
    ids, faults = ids_of(gateway), gateway.emulator.faults
    with stamina.set_testing(True, attempts=ATTEMPTS):
        faults.add(Fault.HTML)
        assert await load(gateway, ids[:1]) == ids[:1]
        assert gateway.upstream_requests == 2
        faults.add(Fault.TRUNCATED)
        assert await load(gateway, ids[1:]) == ids[1:]
        assert gateway.upstream_requests == 2 + 3
        faults.add(Fault.HTML, None)
        assert await load(gateway, absent_ids(2)) == [UpstreamUnreadable] * 2
        assert gateway.upstream_requests == 5 + 3


async def test_absence_is_not_learned_from_a_part_of_an_answer() -> None:
    gateway = in_process(100, max_limit=50)
    ids = ids_of(gateway)
    gateway.emulator.faults.skip(1)
    gateway.emulator.faults.add(Fault.HTML, 3)
    assert await load(gateway, ids) == [*ids[:50], *[UpstreamUnreadable] * 50]
    assert gateway.upstream_requests == 1 + 1 + 2
    assert await load(gateway, ids) == ids
    assert gateway.upstream_requests == 4 + 1


async def test_row_that_moves_while_an_answer_is_paged_is_found() -> None:
    gateway = in_process(120, max_limit=50, latency_seconds=1)
    ids = ids_of(gateway)[:100]

    async def delete_the_first(_seconds: float) -> None:
        # The row behind it moves from the next page to the one that is out already.
        if gateway.upstream_requests == 1:
            gateway.emulator.store.delete(ids[:1])

    gateway.emulator.sleep = delete_the_first
    assert await load(gateway, ids) == ids
    assert gateway.upstream_requests == 2


async def test_pages_that_shrink_are_followed_but_not_for_ever() -> None:
    gateway = in_process(100, max_limit=30, latency_seconds=1)
    ids, emulator = ids_of(gateway), gateway.emulator

    async def shrink(_seconds: float) -> None:
        emulator.max_limit = max(1, emulator.max_limit // 3)

    emulator.sleep = shrink
    found = await load(gateway, ids)
    assert found[:30] == ids[:30]
    assert UpstreamUnavailable in found
    emulator.max_limit, emulator.latency_seconds = 250, 0
    assert await load(gateway, ids) == ids


@pytest.mark.parametrize(
    ("total", "asked", "requests"),
    [
        (1000, 400, 4),  # by id: the list would take as many
        (1000, 401, 1 + 2),  # the first block leaves 151, which take 2 requests, not 3
        (1000, 551, 4),
        (1000, 1000, 4),
        (120, 401, 1),  # all of the list: an id that is not in it is absent
        (750, 1000, 3),
    ],
)
async def test_list_is_read_if_that_takes_fewer_requests(
    total: int, asked: int, requests: int
) -> None:
    gateway = in_process(total)
    present = ids_of(gateway)[:asked]
    absent = absent_ids(asked - len(present))
    assert await load(gateway, present + absent) == present + [None] * len(absent)
    assert gateway.upstream_requests == requests


@pytest.mark.parametrize(("total", "requests"), [(500, 2), (501, 3)])
async def test_list_of_known_length_is_read_for_fewer_ids(total: int, requests: int) -> None:
    gateway = in_process(total, CACHE_TTL_SECONDS="0")
    await gateway.page(first=1)
    ids = ids_of(gateway)[-250:]
    assert await load(gateway, ids) == ids
    assert gateway.upstream_requests == 1 + requests


@pytest.mark.parametrize("max_limit", [10, 30, 50, 100])
async def test_list_whose_first_block_shows_a_clamp_is_not_read_on(max_limit: int) -> None:
    gateway = in_process(1000, max_limit=max_limit)
    ids = ids_of(gateway)[:501]
    assert await load(gateway, ids) == ids
    full, rest = divmod(501 - max_limit, 100)
    assert gateway.upstream_requests == 1 + full * -(-100 // max_limit) + -(-rest // max_limit)


async def test_list_that_has_grown_is_read_on_only_if_that_pays() -> None:
    gateway = in_process(1000)
    rows = gateway.emulator.store.segments
    grown = rows[120:]
    del rows[120:]
    await gateway.page(first=1)
    rows += grown
    gateway.services.segments.invalidate_before(gateway.services.segments.now())
    ids = ids_of(gateway)[-251:]
    assert await load(gateway, ids) == ids
    assert gateway.upstream_requests == 1 + 1 + 3  # 3 blocks are no fewer than 3 lookups


async def test_row_that_the_list_did_not_show_is_asked_for_by_id() -> None:
    gateway = in_process(1000)
    ids = ids_of(gateway)
    await gateway.page(first=1)
    rows = gateway.emulator.store.segments
    rows.append(rows.pop(0))  # each row behind it is now one place earlier
    assert await load(gateway, ids) == ids
    assert gateway.upstream_requests == 4 + 1


async def test_list_is_read_without_a_cache_too() -> None:
    gateway = in_process(1000, CACHE_TTL_SECONDS="0")
    assert await load(gateway, ids_of(gateway)) == ids_of(gateway)
    assert gateway.upstream_requests == 4


async def test_error_of_one_block_is_that_of_the_ids_that_no_other_block_has() -> None:
    gateway = in_process(1000)
    ids = ids_of(gateway)
    gateway.refused_text = "page=3"
    found = await load(gateway, [*ids, *absent_ids(1)])
    failed = [UpstreamRefused] * 250
    assert found == [*ids[:500], *failed, *ids[750:], UpstreamRefused]


async def test_error_of_the_first_block_is_that_of_all_and_costs_one_request() -> None:
    gateway = in_process(1000)
    gateway.emulator.token_scope = None
    assert await load(gateway, ids_of(gateway)) == [UpstreamForbidden] * 1000
    assert gateway.upstream_requests == 1


async def test_lookup_after_a_write_takes_nothing_of_one_that_was_sent_before() -> None:
    gateway = in_process(10, latency_seconds=1, LOOKUP_WINDOW_MILLISECONDS="0")
    answers = asyncio.Event()
    gateway.emulator.sleep = lambda _: answers.wait()
    ids = ids_of(gateway)[:1]
    before = asyncio.ensure_future(load(gateway, ids))
    await settle()
    await gateway.services.invalidations.announce(["segments"], gateway.services.cache.now())
    after = asyncio.ensure_future(load(gateway, ids))
    await settle()
    assert gateway.upstream_requests == 1
    answers.set()
    assert [await before, await after, await load(gateway, ids)] == [ids] * 3
    assert gateway.upstream_requests == 2


async def test_deadline_of_a_request_ends_its_own_wait_alone() -> None:
    gateway = in_process(10, latency_seconds=1, LOOKUP_WINDOW_MILLISECONDS="0")
    answers = asyncio.Event()
    gateway.emulator.sleep = lambda _: answers.wait()
    ids = ids_of(gateway)[:2]
    patient = asyncio.ensure_future(load(gateway, ids))
    await settle()
    with open_request_scope(0.0):
        assert await load(gateway, ids) == [UpstreamTimeout] * 2
    answers.set()
    assert await patient == ids
    assert gateway.upstream_requests == 1


async def test_rows_and_absences_are_ready_in_the_order_of_their_ids() -> None:
    clock = Clock()
    gateway = in_process(3, clock=clock)
    lookups, cache = gateway.services.segment_lookups, gateway.services.cache
    one, two, _ = ids_of(gateway)
    (absent,) = absent_ids(1)
    assert lookups.ready([one]) is None
    await load(gateway, [one, two, absent])
    ids = [two, absent, one, two]
    entries = lookups.ready(ids)
    assert entries is not None
    assert [entry.value and entry.value.id for entry in entries] == [two, None, one, two]
    assert cache.counts == {"segments": CacheCounts(miss=3)}
    lookups.serve(ids, entries)
    assert cache.counts == {"segments": CacheCounts(hit=3, miss=3)}
    assert gateway.upstream_requests == 1


async def test_stale_rows_that_are_served_are_refreshed() -> None:
    clock = Clock()
    gateway = in_process(3, clock=clock)
    lookups, cache = gateway.services.segment_lookups, gateway.services.cache
    ids = ids_of(gateway)
    await load(gateway, ids)
    clock.advance(20)
    entries = lookups.ready(ids)
    assert entries is not None
    lookups.serve(ids, entries)
    assert cache.counts == {"segments": CacheCounts(stale=3, miss=3)}
    assert await load(gateway, ids) == ids
    while gateway.upstream_requests == 1:  # noqa: ASYNC110 - the batch is sent when its window ends
        await asyncio.sleep(0)
    await settle()
    assert gateway.upstream_requests == 2
    newer = lookups.ready(ids)
    assert newer is not None
    assert min(entry.read_at for entry in newer) > entries[0].read_at
    assert lookups.ready([*ids, *absent_ids(1)]) is None
