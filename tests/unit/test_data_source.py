"""Segments through the cache, against the emulator: every test counts the upstream requests."""

from uuid import UUID

import pytest
from in_process import in_process

from gateway.cache.read_through import Entry
from gateway.emulator import Fault, SegmentRow
from gateway.errors import UpstreamRefused, UpstreamUnavailable
from gateway.pagination import Cursor, encode_cursor


def a_row(number: int) -> SegmentRow:
    day = "2024-05-01T10:00:00Z"
    return SegmentRow(str(UUID(int=number, version=4)), f"Segment {number}", None, day, day)


async def test_block_is_read_once_while_it_is_fresh() -> None:
    gateway = in_process(300)
    source = gateway.parts.segments
    blocks = [await source.read(index) for index in (0, 1, 0, 1)]
    assert [len(block.rows) for block in blocks] == [250, 50, 250, 50]
    assert gateway.upstream_requests == 2
    assert source.total == 300


async def test_list_read_brings_the_rows_to_the_pool() -> None:
    gateway = in_process(10)
    await gateway.parts.segments.read(0)
    ids = [row.id for row in gateway.emulator.store.segments]
    assert list(await gateway.parts.segments.cached_segments(ids)) == ids
    assert gateway.upstream_requests == 1


async def test_silent_clamp_is_remembered_and_its_block_is_not_read_again() -> None:
    gateway = in_process(300, max_limit=50)
    source = gateway.parts.segments
    first = await source.read(0)
    assert (first.size, len(first.rows), source.size) == (50, 50, 50)
    assert await source.read(0) == first
    assert gateway.upstream_requests == 1


@pytest.mark.parametrize(("max_limit", "size"), [(100, 100), (60, 50)])
async def test_refused_page_size_steps_down_and_is_remembered(max_limit: int, size: int) -> None:
    gateway = in_process(300, max_limit=max_limit, over_limit="refuse")
    source = gateway.parts.segments
    assert (await source.read(0)).size == size
    refused = gateway.upstream_requests - 1
    assert (await source.read(1)).index == 1
    assert gateway.upstream_requests == refused + 2


async def test_page_size_that_is_always_refused_is_an_error() -> None:
    gateway = in_process(300, max_limit=10, over_limit="refuse")
    with pytest.raises(UpstreamRefused):
        await gateway.parts.segments.read(0)
    assert gateway.upstream_requests == 3


async def test_superseded_block_is_read_again() -> None:
    gateway = in_process(10)
    source = gateway.parts.segments
    first = await source.read(0)
    source.supersede(first.read_at)
    assert await source.read(0) == first
    source.supersede(first.read_at + 1e-9)
    assert (await source.read(0)).read_at > first.read_at
    assert gateway.upstream_requests == 2


async def test_page_past_the_end_of_a_list_that_shrank_is_empty() -> None:
    gateway = in_process(300)
    source = gateway.parts.segments
    await source.read(0)
    gateway.emulator.store.delete([row.id for row in gateway.emulator.store.segments[100:]])
    block = await source.read(1)
    assert (list(block.rows), block.total) == ([], 100)


async def test_lookup_learns_absence_too() -> None:
    gateway = in_process(3)
    source = gateway.parts.segments
    present = gateway.emulator.store.segments[1].id
    absent = a_row(7).id
    assert list(await source.look_up_segments([absent, present])) == [present]
    found = await source.cached_segments([absent, present])
    assert (found[absent], found[present] is not None) == (None, True)
    assert gateway.upstream_requests == 1


async def test_lookup_follows_the_pages_of_an_upstream_that_clamps() -> None:
    gateway = in_process(200, max_limit=30)
    ids = [row.id for row in gateway.emulator.store.segments[:100]]
    assert sorted(await gateway.parts.segments.look_up_segments(ids)) == sorted(ids)
    assert gateway.upstream_requests == 4


async def test_lookup_steps_down_where_its_size_is_refused() -> None:
    gateway = in_process(200, max_limit=50, over_limit="refuse")
    ids = [row.id for row in gateway.emulator.store.segments[:100]]
    assert len(await gateway.parts.segments.look_up_segments(ids)) == 100
    assert gateway.upstream_requests == 3


@pytest.mark.parametrize(
    "fault", [Fault.HTML, Fault.TRUNCATED, Fault.NULL_DATA, Fault.ZERO_PER_PAGE, Fault.MISSING_ROW]
)
async def test_senseless_answer_is_an_error_and_is_not_kept(fault: Fault) -> None:
    gateway = in_process(300)
    gateway.emulator.faults.add(fault)
    with pytest.raises(UpstreamUnavailable):
        await gateway.parts.segments.read(0)
    assert len((await gateway.parts.segments.read(0)).rows) == 250


async def test_refused_size_of_a_lookup_is_remembered() -> None:
    gateway = in_process(200, max_limit=50, over_limit="refuse")
    ids = [row.id for row in gateway.emulator.store.segments]
    await gateway.parts.segments.look_up_segments(ids[:100])
    await gateway.parts.segments.look_up_segments(ids[100:])
    assert gateway.upstream_requests == 3 + 2


async def test_lookup_asks_for_fewer_ids_where_its_address_is_too_long() -> None:
    gateway = in_process(100, longest_query=1000)
    ids = [row.id for row in gateway.emulator.store.segments]
    assert [*await gateway.parts.segments.look_up_segments(ids)] == ids
    assert gateway.upstream_requests == 5  # of 20 ids each; what was refused did not get here
    await gateway.parts.segments.look_up_segments(ids)
    assert gateway.parts.client.requests == 2 + 5 + 5


async def test_refusal_that_is_not_about_size_is_an_error_and_changes_nothing() -> None:
    gateway = in_process(100, longest_query=10)
    ids = [row.id for row in gateway.emulator.store.segments]
    for _ in range(2):
        with pytest.raises(UpstreamRefused):
            await gateway.parts.segments.look_up_segments(ids)
    assert gateway.parts.client.requests == 3 + 3


async def test_size_that_is_refused_later_on_steps_down_too() -> None:
    gateway = in_process(300, over_limit="refuse", CACHE_TTL_SECONDS="0")
    await gateway.parts.segments.read(0)
    gateway.emulator.max_limit = 100
    assert (await gateway.parts.segments.read(0)).size == 100


async def test_older_answer_does_not_replace_a_newer_one_in_the_pool() -> None:
    gateway = in_process(3)
    source = gateway.parts.segments
    row_id = gateway.emulator.store.segments[0].id
    read_at = gateway.parts.cache.now()
    await source.read(0)
    await gateway.parts.cache.store_many([(source._segment_key(row_id), Entry(read_at, b""))])
    assert (await source.cached_segments([row_id]))[row_id] is not None


async def test_cursors_whose_rows_are_gone_do_not_take_turns_in_emptying_the_cache() -> None:
    gateway = in_process(1000)
    name = gateway.parts.segments.name
    dead = [encode_cursor(Cursor(at, a_row(1).id), name) for at in (5, 300, 600, 900)]
    for cursor in dead:
        await gateway.page(first=5, after=cursor)
    assert gateway.upstream_requests == 4
    for cursor in dead * 3:
        await gateway.page(first=5, after=cursor)
    assert gateway.upstream_requests == 4
