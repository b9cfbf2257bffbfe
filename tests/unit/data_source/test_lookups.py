"""Lookups by id, against the emulator: every test counts the upstream requests."""

import asyncio
from uuid import UUID

import msgspec
import pytest
from in_process import InProcess, in_process

from gateway.bigcommerce.protocol import Answer, read_segments
from gateway.cache.lives import Entry
from gateway.data_source import Kept, StoredKeys
from gateway.emulator import Fault, SegmentRow
from gateway.errors import (
    UpstreamError,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamUnreadable,
)


def a_row(number: int) -> SegmentRow:
    day = "2024-05-01T10:00:00Z"
    return SegmentRow(str(UUID(int=number, version=4)), f"Segment {number}", None, day, day)


async def test_list_read_brings_the_rows_to_the_pool() -> None:
    gateway = in_process(10)
    await gateway.services.segments.read(0)
    ids = [row.id for row in gateway.emulator.store.segments]
    assert list(await gateway.services.lookups.kept_segments(ids)) == ids
    assert gateway.upstream_requests == 1


async def test_lookup_learns_absence_too() -> None:
    gateway = in_process(3)
    source = gateway.services.lookups
    present = gateway.emulator.store.segments[1].id
    absent = a_row(7).id
    for find in (source.look_up_segments, source.kept_segments):
        found = await find([absent, present])
        rows = [getattr(found[row_id], "segment", "an error") for row_id in (absent, present)]
        assert (rows[0], getattr(rows[1], "id", None)) == (None, present)
    assert gateway.upstream_requests == 1


async def test_lookup_follows_the_pages_of_an_upstream_that_clamps() -> None:
    gateway = in_process(200, max_limit=30)
    ids = [row.id for row in gateway.emulator.store.segments[:100]]
    assert sorted(await gateway.services.lookups.look_up_segments(ids)) == sorted(ids)
    assert gateway.upstream_requests == 4


async def test_lookup_steps_down_where_its_size_is_refused() -> None:
    gateway = in_process(200, max_limit=50, over_limit="refuse")
    ids = [row.id for row in gateway.emulator.store.segments[:100]]
    assert len(await gateway.services.lookups.look_up_segments(ids)) == 100
    assert gateway.upstream_requests == 3


async def test_refused_size_of_a_lookup_is_remembered() -> None:
    gateway = in_process(200, max_limit=50, over_limit="refuse")
    ids = [row.id for row in gateway.emulator.store.segments]
    await gateway.services.lookups.look_up_segments(ids[:100])
    await gateway.services.lookups.look_up_segments(ids[100:])
    assert gateway.upstream_requests == 3 + 2


async def test_lookup_asks_for_fewer_ids_where_its_address_is_too_long() -> None:
    gateway = in_process(100, longest_query=1000)
    ids = [row.id for row in gateway.emulator.store.segments]
    assert [*await gateway.services.lookups.look_up_segments(ids)] == ids
    assert gateway.services.client.requests == 1 + 2 + 4
    await gateway.services.lookups.look_up_segments(ids)
    assert gateway.services.client.requests == 7 + 4


async def test_refusal_of_all_ids_stands_in_the_place_of_each_and_changes_nothing() -> None:
    gateway = in_process(100, longest_query=10)
    ids = [row.id for row in gateway.emulator.store.segments]
    for _ in range(2):
        found = await gateway.services.lookups.look_up_segments(ids)
        assert {type(row) for row in found.values()} == {UpstreamRefused}
        assert [*found] == ids
    assert gateway.services.client.requests == 2 * (1 + 2 + 4)


async def test_refusal_of_one_id_is_for_it_and_its_neighbours_alone() -> None:
    gateway = in_process(100)
    ids = [row.id for row in gateway.emulator.store.segments]
    gateway.refused_text = ids[60]
    found = await gateway.services.lookups.look_up_segments(ids)
    assert [i for i in ids if isinstance(found[i], UpstreamError)] == ids[50:75]
    assert gateway.services.client.requests == 1 + 2 + 2
    gateway.refused_text = None
    assert len(await gateway.services.lookups.look_up_segments(ids)) == 100
    assert gateway.services.client.requests == 5 + 1


async def test_older_answer_does_not_replace_a_newer_one_in_the_pool() -> None:
    gateway = in_process(3)
    row_id = gateway.emulator.store.segments[0].id
    cache = gateway.services.cache
    read_at = cache.now()
    await gateway.services.segments.read(0)
    key = StoredKeys("segments-gateway:v3:teststore", "segments").segment(row_id)
    await cache.store_many([(key, Entry(read_at, b""))])
    assert (await gateway.services.lookups.kept_segments([row_id]))[row_id].segment is not None


async def test_segment_that_moves_while_a_lookup_is_paged_is_found() -> None:
    gateway = in_process(120, max_limit=50, latency_seconds=1)
    store = gateway.emulator.store
    ids = [row.id for row in store.segments[:100]]

    async def delete_the_first(_seconds: float) -> None:
        # Whatever stood behind it on the next page moves to this one, which is out already.
        if gateway.upstream_requests == 1:
            store.delete(ids[:1])

    gateway.emulator.sleep = delete_the_first
    found = await gateway.services.lookups.look_up_segments(ids)
    assert sorted(found) == sorted(ids)
    assert gateway.upstream_requests == 2


async def test_lookup_follows_a_size_of_pages_that_shrinks_but_not_for_ever() -> None:
    gateway = in_process(100, latency_seconds=1)
    ids = [row.id for row in gateway.emulator.store.segments]
    emulator = gateway.emulator

    async def shrink(_seconds: float) -> None:
        emulator.max_limit = max(1, emulator.max_limit // 3)

    emulator.sleep = shrink
    emulator.max_limit = 30
    found = await gateway.services.lookups.look_up_segments(ids)
    assert {type(row) for row in found.values()} == {Kept, UpstreamUnavailable}
    assert len(await gateway.services.lookups.kept_segments(ids)) >= 30
    emulator.max_limit, emulator.latency_seconds = 250, 0
    assert len(await gateway.services.lookups.look_up_segments(ids)) == 100


def test_answer_with_more_rows_than_ids_were_asked_for_is_an_error() -> None:
    body = {"data": [], "meta": {"pagination": {"total": 101, "per_page": 100}}}
    with pytest.raises(UpstreamUnavailable, match="more segments than it was asked for"):
        read_segments(Answer(200, {}, msgspec.json.encode(body)), 1, 100, at_most=100)


async def test_absence_is_not_learned_from_a_part_of_an_answer() -> None:
    gateway = in_process(100, max_limit=50)
    ids = [row.id for row in gateway.emulator.store.segments]
    gateway.emulator.faults.skip(1)
    gateway.emulator.faults.add(Fault.SERVER_ERROR)
    found = await gateway.services.lookups.look_up_segments(ids)
    assert [type(found[i]) for i in ids] == [Kept] * 50 + [UpstreamUnavailable] * 50
    kept = await gateway.services.lookups.kept_segments(ids)
    assert len(kept) == 50
    assert None not in [row.segment for row in kept.values()]


async def test_clamp_that_a_lookup_met_is_remembered() -> None:
    gateway = in_process(200, max_limit=40)
    ids = [row.id for row in gateway.emulator.store.segments]
    await gateway.services.lookups.look_up_segments(ids[:80])
    assert gateway.upstream_requests == 2
    await gateway.services.lookups.look_up_segments(ids[80:160])
    assert gateway.upstream_requests == 4


async def test_id_that_is_refused_alone_costs_one_request() -> None:
    gateway = in_process(1)
    row_id = gateway.emulator.store.segments[0].id
    gateway.refused_text = row_id
    found = await gateway.services.lookups.look_up_segments([row_id])
    assert isinstance(found[row_id], UpstreamRefused)
    assert gateway.services.client.requests == 1


@pytest.mark.parametrize(("status", "is_learned"), [(413, True), (422, True), (400, False)])
async def test_only_a_refusal_that_can_be_about_size_makes_lookups_smaller(
    status: int, is_learned: bool
) -> None:
    gateway = in_process(200, longest_query=2500, too_long=status)
    ids = [row.id for row in gateway.emulator.store.segments]
    await gateway.services.lookups.look_up_segments(ids[:100])
    assert gateway.services.client.requests == 3
    await gateway.services.lookups.look_up_segments(ids[100:])
    assert gateway.services.client.requests == (5 if is_learned else 6)


def ids_of(gateway: InProcess) -> list[str]:
    return [row.id for row in gateway.emulator.store.segments]


@pytest.mark.parametrize(
    ("total", "asked", "requests", "found"),
    [
        (1000, 400, 0, 0),  # as many requests as the list: ids tell absence, too
        (1000, 401, 1, 250),  # the first block leaves 151, which take 2 requests, not 3
        (1000, 551, 4, 551),
        (1000, 1000, 4, 1000),
        (120, 401, 1, 120),
    ],
)
async def test_the_list_is_read_where_that_takes_fewer_requests(
    total: int, asked: int, requests: int, found: int
) -> None:
    gateway = in_process(total)
    ids = (ids_of(gateway) + [a_row(n).id for n in range(asked)])[:asked]
    assert list(await gateway.services.lookups.listed_segments(ids)) == ids[:found]
    assert gateway.upstream_requests == requests


async def test_as_many_ids_as_a_client_s_field_takes_are_asked_for_by_id() -> None:
    gateway = in_process(300, CACHE_TTL_SECONDS="0")
    await gateway.page(first=1)
    ids = ids_of(gateway)
    assert await gateway.services.lookups.listed_segments(ids[:250]) == {}
    assert len(await gateway.services.lookups.listed_segments(ids[:251])) == 250
    assert gateway.upstream_requests == 2  # the page, and the first block


@pytest.mark.parametrize("max_limit", [10, 30, 50, 100])
async def test_a_clamp_that_the_first_block_tells_of_ends_the_reading_where_it_does_not_pay(
    max_limit: int,
) -> None:
    gateway = in_process(1000, max_limit=max_limit)
    ids = ids_of(gateway)[:501]
    found = await gateway.services.segment_loader.load_segments_by_id(ids)
    assert [getattr(row, "id", None) for row in found] == ids
    full, rest = divmod(501 - max_limit, 100)
    lookups = full * -(-100 // max_limit) + -(-rest // max_limit)
    assert gateway.upstream_requests == 1 + lookups


async def test_a_list_that_has_grown_is_read_on_only_where_that_pays() -> None:
    gateway = in_process(1000)
    rows = gateway.emulator.store.segments
    grown = rows[120:]
    del rows[120:]
    await gateway.page(first=1)
    rows += grown
    gateway.services.segments.supersede(gateway.services.segments.now())
    ids = [row.id for row in rows[-251:]]
    assert len(await gateway.services.segment_loader.load_segments_by_id(ids)) == 251
    assert gateway.upstream_requests == 1 + 1 + 3  # 3 blocks are no fewer than 3 lookups


async def test_without_a_cache_the_list_s_rows_are_found_all_the_same() -> None:
    gateway = in_process(1000, CACHE_TTL_SECONDS="0")
    found = await gateway.services.segment_loader.load_segments_by_id(ids_of(gateway))
    assert [getattr(row, "id", None) for row in found] == ids_of(gateway)
    assert gateway.upstream_requests == 4


async def test_an_existing_segment_that_the_list_did_not_show_is_asked_for_by_id() -> None:
    gateway = in_process(1000)
    ids = ids_of(gateway)
    await gateway.page(first=1)
    moved = gateway.emulator.store.segments.pop(0)  # each row behind it is now one place earlier
    gateway.emulator.store.segments.append(moved)
    found = await gateway.services.segment_loader.load_segments_by_id(ids)
    assert [getattr(row, "id", None) for row in found] == ids
    assert gateway.upstream_requests == 4 + 1


async def test_error_of_one_block_stands_for_what_no_other_block_shows() -> None:
    gateway = in_process(1000)
    ids = ids_of(gateway)
    gateway.refused_text = "page=3"
    found = await gateway.services.segment_loader.load_segments_by_id([*ids, a_row(7).id])
    failed = [at for at, row in enumerate(found) if isinstance(row, UpstreamRefused)]
    assert failed == [*range(500, 750), 1000]
    assert [getattr(row, "id", None) for row in found[:500]] == ids[:500]
    assert [getattr(row, "id", None) for row in found[750:1000]] == ids[750:]


async def test_error_of_the_first_block_stands_for_all_and_costs_one_request() -> None:
    gateway = in_process(1000)
    gateway.emulator.faults.add(Fault.SERVER_ERROR, 1)
    found = await gateway.services.lookups.listed_segments(ids_of(gateway))
    assert {type(row) for row in found.values()} == {UpstreamUnavailable}
    assert gateway.upstream_requests == 1


async def test_lookup_after_a_write_makes_nothing_of_one_that_left_before() -> None:
    gateway = in_process(10, latency_seconds=1, LOOKUP_WINDOW_MILLISECONDS="0")
    left, answers = asyncio.Event(), asyncio.Event()

    async def wait(_: float) -> None:
        left.set()
        await answers.wait()

    gateway.emulator.sleep = wait
    loader, ids = gateway.services.segment_loader, [gateway.emulator.store.segments[0].id]
    before = asyncio.ensure_future(loader.load_segments_by_id(ids))
    await left.wait()
    await gateway.services.invalidate_segments()
    after = asyncio.ensure_future(loader.load_segments_by_id(ids))
    await asyncio.sleep(0)  # it joins the lookup that is under way
    answers.set()
    assert await before == await after
    assert gateway.upstream_requests == 2
    await loader.load_segments_by_id(ids)
    assert gateway.upstream_requests == 2


async def test_failed_lookups_defer_their_own_ids_then_all_of_them_until_one_is_answered() -> None:
    seconds = 1_800_000_000.0
    gateway = in_process(10, clock=lambda: seconds)
    lookups = gateway.services.lookups
    ids = [row.id for row in gateway.emulator.store.segments]
    gateway.emulator.faults.add(Fault.HTML, None)
    for number, row_id in enumerate(ids[:5], 1):
        with pytest.raises(UpstreamUnreadable):
            await lookups.look_up_segments([row_id])
        assert lookups.has_just_failed(row_id)
        assert lookups.has_just_failed(ids[9]) is (number == 5)
    seconds += 1.1
    assert not any(map(lookups.has_just_failed, ids))
    for row_id in ids[:5]:
        with pytest.raises(UpstreamUnreadable):
            await lookups.look_up_segments([row_id])
    assert all(map(lookups.has_just_failed, ids))
    gateway.emulator.faults.clear()
    await lookups.look_up_segments([ids[8]])
    assert not any(map(lookups.has_just_failed, ids))
    gateway.emulator.faults.add(Fault.HTML)
    with pytest.raises(UpstreamUnreadable):
        await lookups.look_up_segments([ids[0]])
    seconds += 1.1
    assert not lookups.has_just_failed(ids[0])
