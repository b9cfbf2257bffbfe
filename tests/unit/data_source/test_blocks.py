"""Blocks through the cache, against the emulator: every test counts the upstream requests."""

import asyncio
from dataclasses import replace
from typing import Literal
from uuid import UUID

import pytest
from in_process import in_process
from redis_server import redis_server

from gateway.data_source.blocks import RESTLESS_SECONDS, SEARCHES, SEARCHES_SECONDS
from gateway.data_source.learned import LEARNED_SECONDS
from gateway.emulator import Fault, SegmentRow, Store
from gateway.errors import UpstreamRefused, UpstreamUnavailable
from gateway.pagination import Cursor, encode_cursor
from gateway.pagination.view import ROUNDS


def a_row(number: int) -> SegmentRow:
    day = "2024-05-01T10:00:00Z"
    return SegmentRow(str(UUID(int=number, version=4)), f"Segment {number}", None, day, day)


async def test_block_is_read_once_while_it_is_fresh() -> None:
    gateway = in_process(300)
    source = gateway.services.segments
    blocks = [await source.read(index) for index in (0, 1, 0, 1)]
    assert [len(block.rows) for block in blocks] == [250, 50, 250, 50]
    assert gateway.upstream_requests == 2
    assert source.total == 300


async def test_silent_clamp_is_remembered_and_its_block_is_not_read_again() -> None:
    gateway = in_process(300, max_limit=50)
    source = gateway.services.segments
    first = await source.read(0)
    assert (first.size, len(first.rows), source.size) == (50, 50, 50)
    assert await source.read(0) == first
    assert gateway.upstream_requests == 1


@pytest.mark.parametrize(("max_limit", "size"), [(100, 100), (60, 50)])
async def test_refused_page_size_steps_down_and_is_remembered(max_limit: int, size: int) -> None:
    gateway = in_process(300, max_limit=max_limit, over_limit="refuse")
    source = gateway.services.segments
    assert (await source.read(0)).size == size
    refused = gateway.upstream_requests - 1
    assert (await source.read(1)).index == 1
    assert gateway.upstream_requests == refused + 2


async def test_page_size_that_is_always_refused_is_an_error() -> None:
    gateway = in_process(300, max_limit=10, over_limit="refuse")
    with pytest.raises(UpstreamRefused):
        await gateway.services.segments.read(0)
    assert gateway.upstream_requests == 3


async def test_superseded_block_is_read_again() -> None:
    gateway = in_process(10)
    source = gateway.services.segments
    first = await source.read(0)
    source.supersede(first.read_at)
    assert await source.read(0) == first
    source.supersede(first.read_at + 1e-6)
    assert (await source.read(0)).read_at > first.read_at
    assert gateway.upstream_requests == 2


@pytest.mark.parametrize(("past_the_end", "requests"), [("empty", 2), ("refuse", 3)])
async def test_page_past_the_end_of_a_list_that_shrank_is_empty(
    past_the_end: Literal["empty", "refuse"], requests: int
) -> None:
    gateway = in_process(300, past_the_end=past_the_end)
    source = gateway.services.segments
    await source.read(0)
    gateway.emulator.store.delete([row.id for row in gateway.emulator.store.segments[100:]])
    block = await source.read(1)
    assert (list(block.rows), block.total) == ([], 100)
    assert gateway.upstream_requests == requests


async def test_page_that_is_refused_though_the_list_has_it_is_an_error() -> None:
    gateway = in_process(300)
    await gateway.services.segments.read(0)
    gateway.refused_text = "page=2"
    with pytest.raises(UpstreamRefused):
        await gateway.services.segments.read(1)
    assert gateway.services.client.requests == 3


async def test_walk_over_a_list_that_shrank_ends_where_pages_past_the_end_are_refused() -> None:
    gateway = in_process(600, past_the_end="refuse")
    store = gateway.emulator.store
    cursor = (await gateway.page(first=245))["pageInfo"]["endCursor"]
    store.delete([row.id for row in store.segments[248:]])
    page = await gateway.page(first=50, after=cursor)
    assert [edge["node"]["entityId"] for edge in page["edges"]] == [
        row.id for row in store.segments[245:]
    ]
    assert page["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize(
    "fault", [Fault.HTML, Fault.TRUNCATED, Fault.NULL_DATA, Fault.ZERO_PER_PAGE, Fault.MISSING_ROW]
)
async def test_senseless_answer_is_an_error_and_is_not_kept(fault: Fault) -> None:
    gateway = in_process(300)
    gateway.emulator.faults.add(fault)
    with pytest.raises(UpstreamUnavailable):
        await gateway.services.segments.read(0)
    assert len((await gateway.services.segments.read(0)).rows) == 250


async def test_size_that_is_refused_later_on_steps_down_too() -> None:
    gateway = in_process(300, over_limit="refuse", CACHE_TTL_SECONDS="0")
    await gateway.services.segments.read(0)
    gateway.emulator.max_limit = 100
    assert (await gateway.services.segments.read(0)).size == 100


async def test_cursors_whose_rows_are_gone_empty_the_cache_a_few_times_at_most() -> None:
    gateway = in_process(1000)
    name = gateway.services.segments.name
    dead = [encode_cursor(Cursor(at, a_row(1).id), name) for at in (5, 300, 600, 900)]
    for cursor in dead * 3:
        await gateway.page(first=5, after=cursor)
    assert gateway.upstream_requests == 4 + SEARCHES * 4


async def test_readers_that_hang_up_leave_the_block_to_the_next_one() -> None:
    gateway = in_process(1000, latency_seconds=1)
    gate = asyncio.Event()

    async def wait(_seconds: float) -> None:
        await gate.wait()

    gateway.emulator.sleep = wait
    for _ in range(10):
        reader = asyncio.ensure_future(gateway.services.segments.read(0))
        for _ in range(20):
            await asyncio.sleep(0)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
    gate.set()
    assert len((await gateway.services.segments.read(0)).rows) == 250
    assert gateway.upstream_requests == 1


async def test_any_fresh_block_tells_the_total() -> None:
    seconds = 1_800_000_000.0
    gateway = in_process(1000, clock=lambda: seconds)
    assert gateway.services.segments.take_fresh_total() is None
    await gateway.services.segments.read(3)
    assert await gateway.data("{ segments { totalCount } }") == {"segments": {"totalCount": 1000}}
    assert gateway.upstream_requests == 1
    seconds += 16
    await gateway.data("{ segments { totalCount } }")
    assert gateway.upstream_requests == 2


async def test_total_is_read_anew_where_nothing_is_kept() -> None:
    gateway = in_process(10, CACHE_TTL_SECONDS="0")
    for _ in range(2):
        await gateway.data("{ segments { totalCount } }")
    assert gateway.upstream_requests == 2


async def test_pages_that_never_agree_are_soon_answered_as_they_are() -> None:
    seconds = 1_800_000_000.0
    gateway = in_process(501, latency_seconds=1, clock=lambda: seconds)
    store = gateway.emulator.store
    last = store.segments[-1]

    async def come_and_go(_seconds: float) -> None:
        if not store.delete([last.id]):
            store.insert(last)

    gateway.emulator.sleep = come_and_go
    cursor = (await gateway.page(first=249))["pageInfo"]["endCursor"]
    for _ in range(3):
        assert len((await gateway.page(first=2, after=cursor))["edges"]) == 2
    restless = gateway.upstream_requests
    assert restless == 1 + 1 + 1 + 2 * (ROUNDS - 1)
    seconds += RESTLESS_SECONDS + 1
    await gateway.page(first=2, after=cursor)
    assert gateway.upstream_requests > restless


@pytest.mark.parametrize(("ttl", "kept"), [("15", 4), ("0", 0)])
async def test_blocks_are_kept_decoded_where_anything_is_kept(ttl: str, kept: int) -> None:
    gateway = in_process(1000, CACHE_TTL_SECONDS=ttl)
    for index in range(4):
        await gateway.services.segments.read(index)
    assert len(gateway.services.segments._decoded) == kept


async def test_decoded_blocks_are_bounded_in_bytes() -> None:
    rows = [replace(a_row(n), description="x" * 4000) for n in range(1000)]
    gateway = in_process(Store(rows), CACHE_MAX_BYTES="8000000")
    source = gateway.services.segments
    for index in range(4):
        assert len((await source.read(index)).rows) == 250
    assert len(source._decoded) == 0  # each weighs 3 MB, and a quarter of 8 MB is for them


def test_a_few_searches_in_half_a_minute_are_allowed() -> None:
    seconds = 1_800_000_000.0
    source = in_process(1, clock=lambda: seconds).services.segments
    assert [source.may_search_anew() for _ in range(5)] == [True] * SEARCHES + [False] * 2
    seconds += SEARCHES_SECONDS + 1
    assert source.may_search_anew()


async def test_smaller_pages_are_forgotten_after_a_while() -> None:
    seconds = 1_800_000_000.0
    gateway = in_process(1000, max_limit=50, CACHE_TTL_SECONDS="1", clock=lambda: seconds)
    assert (await gateway.services.segments.read(0)).size == 50
    gateway.emulator.max_limit = 250
    seconds += 10
    assert (await gateway.services.segments.read(0)).size == 50
    seconds += LEARNED_SECONDS
    assert (await gateway.services.segments.read(0)).size == 250


@pytest.mark.parametrize("status", [400, 404])
async def test_refusal_that_is_not_about_size_is_not_tried_again(status: int) -> None:
    gateway = in_process(300, longest_query=1, too_long=status)
    with pytest.raises(UpstreamRefused):
        await gateway.services.segments.read(0)
    assert gateway.services.client.requests == 1


async def test_answer_that_was_overtaken_does_not_bring_an_older_total_back() -> None:
    gateway = in_process(600, latency_seconds=1)
    source, store = gateway.services.segments, gateway.emulator.store
    gate = asyncio.Event()

    async def hold_the_first(_seconds: float) -> None:
        if gateway.upstream_requests == 1:
            await gate.wait()

    gateway.emulator.sleep = hold_the_first
    early = asyncio.ensure_future(source.read(0))
    for _ in range(20):
        await asyncio.sleep(0)
    store.delete([store.segments[-1].id])
    await source.read(1)
    gate.set()
    assert (await early).total == 600
    assert source.total == source.take_fresh_total() == 599
    source.supersede(source.now())
    assert source.take_fresh_total() is None


@pytest.mark.parametrize("over_limit", ["clamp", "refuse"])
async def test_page_size_is_learned_from_what_another_process_has_read(
    over_limit: Literal["clamp", "refuse"],
) -> None:
    with redis_server() as server:
        first, second = (
            in_process(
                300,
                max_limit=100,
                over_limit=over_limit,
                REDIS_URL=server.url,
                REDIS_TIMEOUT_MILLISECONDS="5000",
            )
            for _ in range(2)
        )
        async with first.services.running(), second.services.running():
            page = await first.page(first=250)
            assert await second.page(first=250) == page
            # What is refused is not stored: each process has to find out.
            refused = {"clamp": 0, "refuse": 1}[over_limit]
            assert second.upstream_requests == refused
            assert second.services.segments.size == 100


async def test_blocks_that_are_fresh_or_all_there_is_serve_when_their_size_is_forgotten() -> None:
    seconds = 1_800_000_000.0
    gateway = in_process(300, max_limit=100, clock=lambda: seconds)
    seconds += LEARNED_SECONDS - 1
    page = await gateway.page(first=5)
    seconds += 2
    assert await gateway.page(first=5) == page
    assert gateway.upstream_requests == 1
    last = await gateway.page(last=5)
    gateway.emulator.faults.add(Fault.SERVER_ERROR, times=None)
    seconds += LEARNED_SECONDS + 1
    assert await gateway.page(first=5) == page
    assert await gateway.page(last=5) == last
