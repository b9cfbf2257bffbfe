"""Lookups by id, against the emulator: every test counts the upstream requests."""

from uuid import UUID

import msgspec
import pytest
from in_process import in_process

from gateway.bigcommerce.models import Segment
from gateway.bigcommerce.protocol import Answer, read_segments
from gateway.cache.read_through import Entry
from gateway.data_source import StoredKeys
from gateway.emulator import Fault, SegmentRow
from gateway.errors import UpstreamRefused, UpstreamUnavailable


def a_row(number: int) -> SegmentRow:
    day = "2024-05-01T10:00:00Z"
    return SegmentRow(str(UUID(int=number, version=4)), f"Segment {number}", None, day, day)


async def test_list_read_brings_the_rows_to_the_pool() -> None:
    gateway = in_process(10)
    await gateway.parts.segments.read(0)
    ids = [row.id for row in gateway.emulator.store.segments]
    assert list(await gateway.parts.lookups.cached_segments(ids)) == ids
    assert gateway.upstream_requests == 1


async def test_lookup_learns_absence_too() -> None:
    gateway = in_process(3)
    source = gateway.parts.lookups
    present = gateway.emulator.store.segments[1].id
    absent = a_row(7).id
    assert list(await source.look_up_segments([absent, present])) == [present]
    found = await source.cached_segments([absent, present])
    assert (found[absent], found[present] is not None) == (None, True)
    assert gateway.upstream_requests == 1


async def test_lookup_follows_the_pages_of_an_upstream_that_clamps() -> None:
    gateway = in_process(200, max_limit=30)
    ids = [row.id for row in gateway.emulator.store.segments[:100]]
    assert sorted(await gateway.parts.lookups.look_up_segments(ids)) == sorted(ids)
    assert gateway.upstream_requests == 4


async def test_lookup_steps_down_where_its_size_is_refused() -> None:
    gateway = in_process(200, max_limit=50, over_limit="refuse")
    ids = [row.id for row in gateway.emulator.store.segments[:100]]
    assert len(await gateway.parts.lookups.look_up_segments(ids)) == 100
    assert gateway.upstream_requests == 3


async def test_refused_size_of_a_lookup_is_remembered() -> None:
    gateway = in_process(200, max_limit=50, over_limit="refuse")
    ids = [row.id for row in gateway.emulator.store.segments]
    await gateway.parts.lookups.look_up_segments(ids[:100])
    await gateway.parts.lookups.look_up_segments(ids[100:])
    assert gateway.upstream_requests == 3 + 2


async def test_lookup_asks_for_fewer_ids_where_its_address_is_too_long() -> None:
    gateway = in_process(100, longest_query=1000)
    ids = [row.id for row in gateway.emulator.store.segments]
    assert [*await gateway.parts.lookups.look_up_segments(ids)] == ids
    assert gateway.parts.client.requests == 1 + 2 + 4
    await gateway.parts.lookups.look_up_segments(ids)
    assert gateway.parts.client.requests == 7 + 4


async def test_refusal_of_all_ids_stands_in_the_place_of_each_and_changes_nothing() -> None:
    gateway = in_process(100, longest_query=10)
    ids = [row.id for row in gateway.emulator.store.segments]
    for _ in range(2):
        found = await gateway.parts.lookups.look_up_segments(ids)
        assert {type(row) for row in found.values()} == {UpstreamRefused}
        assert [*found] == ids
    assert gateway.parts.client.requests == 2 * (1 + 2 + 4)


async def test_refusal_of_one_id_is_for_it_and_its_neighbours_alone() -> None:
    gateway = in_process(100)
    ids = [row.id for row in gateway.emulator.store.segments]
    gateway.refused_text = ids[60]
    found = await gateway.parts.lookups.look_up_segments(ids)
    assert [row_id for row_id in ids if not isinstance(found[row_id], Segment)] == ids[50:75]
    assert gateway.parts.client.requests == 1 + 2 + 2
    gateway.refused_text = None
    assert len(await gateway.parts.lookups.look_up_segments(ids)) == 100
    assert gateway.parts.client.requests == 5 + 1


async def test_older_answer_does_not_replace_a_newer_one_in_the_pool() -> None:
    gateway = in_process(3)
    row_id = gateway.emulator.store.segments[0].id
    cache = gateway.parts.cache
    read_at = cache.now()
    await gateway.parts.segments.read(0)
    await cache.store_many([(StoredKeys("teststore").segment(row_id), Entry(read_at, b""))])
    assert (await gateway.parts.lookups.cached_segments([row_id]))[row_id] is not None


async def test_segment_that_moves_while_a_lookup_is_paged_is_found() -> None:
    gateway = in_process(120, max_limit=50, latency_seconds=1)
    store = gateway.emulator.store
    ids = [row.id for row in store.segments[:100]]

    async def delete_the_first(_seconds: float) -> None:
        # Whatever stood behind it on the next page moves to this one, which is out already.
        if gateway.upstream_requests == 1:
            store.delete(ids[:1])

    gateway.emulator.sleep = delete_the_first
    found = await gateway.parts.lookups.look_up_segments(ids)
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
    with pytest.raises(UpstreamUnavailable):
        await gateway.parts.lookups.look_up_segments(ids)
    assert len(await gateway.parts.lookups.cached_segments(ids)) >= 30
    emulator.max_limit, emulator.latency_seconds = 250, 0
    assert len(await gateway.parts.lookups.look_up_segments(ids)) == 100


def test_answer_with_more_rows_than_ids_were_asked_for_is_an_error() -> None:
    body = {"data": [], "meta": {"pagination": {"total": 101, "per_page": 100}}}
    with pytest.raises(UpstreamUnavailable, match="more segments than it was asked for"):
        read_segments(Answer(200, {}, msgspec.json.encode(body)), 1, 100, at_most=100)


async def test_absence_is_not_learned_from_a_part_of_an_answer() -> None:
    gateway = in_process(100, max_limit=50)
    ids = [row.id for row in gateway.emulator.store.segments]
    gateway.emulator.faults.skip(1)
    gateway.emulator.faults.add(Fault.SERVER_ERROR)
    with pytest.raises(UpstreamUnavailable):
        await gateway.parts.lookups.look_up_segments(ids)
    cached = await gateway.parts.lookups.cached_segments(ids)
    assert len(cached) == 50
    assert None not in cached.values()


async def test_clamp_that_a_lookup_met_is_remembered() -> None:
    gateway = in_process(200, max_limit=40)
    ids = [row.id for row in gateway.emulator.store.segments]
    await gateway.parts.lookups.look_up_segments(ids[:80])
    assert gateway.upstream_requests == 2
    await gateway.parts.lookups.look_up_segments(ids[80:160])
    assert gateway.upstream_requests == 4


async def test_id_that_is_refused_alone_costs_one_request() -> None:
    gateway = in_process(1)
    row_id = gateway.emulator.store.segments[0].id
    gateway.refused_text = row_id
    found = await gateway.parts.lookups.look_up_segments([row_id])
    assert isinstance(found[row_id], UpstreamRefused)
    assert gateway.parts.client.requests == 1


@pytest.mark.parametrize(("status", "is_learned"), [(413, True), (422, True), (400, False)])
async def test_only_a_refusal_that_can_be_about_size_makes_lookups_smaller(
    status: int, is_learned: bool
) -> None:
    gateway = in_process(200, longest_query=2500, too_long=status)
    ids = [row.id for row in gateway.emulator.store.segments]
    await gateway.parts.lookups.look_up_segments(ids[:100])
    assert gateway.parts.client.requests == 3
    await gateway.parts.lookups.look_up_segments(ids[100:])
    assert gateway.parts.client.requests == (5 if is_learned else 6)
