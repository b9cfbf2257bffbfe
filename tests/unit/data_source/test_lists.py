"""Lists in blocks, over the emulator: every test counts the upstream requests."""

import asyncio
from dataclasses import replace
from typing import Literal
from uuid import UUID

import pytest
from clock import Clock, settle
from in_process import in_process
from redis_server import redis_server

from gateway.cache.counts import CacheCounts
from gateway.data_source import ALL_SEGMENTS
from gateway.data_source.learned import LEARNED_SECONDS
from gateway.data_source.list_source import SEARCHES, SEARCHES_SECONDS, UNSTABLE_SECONDS
from gateway.data_source.lists import MAXIMUM_LISTS
from gateway.emulator import Fault
from gateway.errors import UpstreamRefused, UpstreamUnavailable
from gateway.pagination import Cursor, encode_cursor
from gateway.pagination.view import ROUNDS

TOTAL = "{ segments { totalCount } }"


async def test_block_is_read_once_while_it_is_fresh() -> None:
    gateway = in_process(300)
    source = gateway.services.segments
    blocks = [await source.read(index) for index in (0, 1, 0, 1)]
    assert [len(block.rows) for block in blocks] == [250, 50, 250, 50]
    assert gateway.upstream_requests == 2
    assert source.total == 300


async def test_herd_of_readers_costs_one_request() -> None:
    gateway = in_process(10, CACHE_TTL_SECONDS="0")
    blocks = await asyncio.gather(*(gateway.services.segments.read(0) for _ in range(50)))
    assert {len(block.rows) for block in blocks} == {10}
    assert gateway.upstream_requests == 1


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


async def test_page_size_that_is_refused_later_steps_down_too() -> None:
    gateway = in_process(300, over_limit="refuse", CACHE_TTL_SECONDS="0")
    await gateway.services.segments.read(0)
    gateway.emulator.max_limit = 100
    # The second block cannot tell why it is refused; the first one settles the size.
    assert (await gateway.services.segments.read(1)).size == 100
    assert gateway.upstream_requests == 1 + 1 + 2


async def test_page_size_that_is_always_refused_is_an_error() -> None:
    gateway = in_process(300, max_limit=10, over_limit="refuse")
    with pytest.raises(UpstreamRefused):
        await gateway.services.segments.read(0)
    assert gateway.upstream_requests == 3


@pytest.mark.parametrize("status", [400, 404])
async def test_refusal_that_is_not_about_size_is_not_tried_again(status: int) -> None:
    gateway = in_process(300, longest_query=1, too_long=status)
    with pytest.raises(UpstreamRefused):
        await gateway.services.segments.read(0)
    assert gateway.services.client.requests == 1


async def test_refusal_is_answered_with_the_stale_block_that_is_left() -> None:
    clock = Clock()
    gateway = in_process(300, clock=clock)
    first = await gateway.services.segments.read(0)
    clock.advance(120)
    gateway.refused_text = "page=1"
    stale = await gateway.services.segments.read(0)
    assert (stale.rows, stale.stale_because) == (first.rows, "UPSTREAM_UNAVAILABLE")
    assert gateway.services.client.requests == 1 + 3  # 250, 100 and 50 rows


async def test_invalidated_block_is_read_again() -> None:
    gateway = in_process(10)
    source = gateway.services.segments
    first = await source.read(0)
    source.invalidate_before(first.read_at)
    assert await source.read(0) == first
    source.invalidate_before(first.read_at + 1e-6)
    assert (await source.read(0)).read_at > first.read_at
    assert gateway.upstream_requests == 2


@pytest.mark.parametrize(("past_the_end", "requests"), [("empty", 2), ("refuse", 3)])
async def test_page_past_the_end_of_a_list_that_shrank_is_empty(
    past_the_end: Literal["empty", "refuse"], requests: int
) -> None:
    gateway = in_process(300, past_the_end=past_the_end)
    source, store = gateway.services.segments, gateway.emulator.store
    await source.read(0)
    store.delete([row.id for row in store.segments[100:]])
    # A second reader joins the first, however the end is found.
    for block in await asyncio.gather(source.read(1), source.read(1)):
        assert (list(block.rows), block.total) == ([], 100)
    assert gateway.upstream_requests == requests


async def test_page_that_is_refused_though_the_list_has_it_is_an_error() -> None:
    gateway = in_process(300)
    await gateway.services.segments.read(0)
    gateway.refused_text = "page=2"
    with pytest.raises(UpstreamRefused):
        await gateway.services.segments.read(1)
    assert gateway.services.client.requests == 3


async def test_walk_over_a_list_that_shrank_ends_if_pages_past_the_end_are_refused() -> None:
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
async def test_unreadable_answer_is_an_error_and_is_not_cached(fault: Fault) -> None:
    gateway = in_process(300)
    gateway.emulator.faults.add(fault, None)
    with pytest.raises(UpstreamUnavailable):
        await gateway.services.segments.read(0)
    gateway.emulator.faults.clear()
    assert len((await gateway.services.segments.read(0)).rows) == 250


async def test_cursors_whose_rows_are_gone_have_the_list_read_again_a_few_times_at_most() -> None:
    clock = Clock()
    gateway = in_process(1000, clock=clock, CACHE_TTL_SECONDS="1000", RESPONSE_CACHE_MAX_BYTES="0")
    name, gone = gateway.services.segments.name, str(UUID(int=1, version=4))
    dead = [encode_cursor(Cursor(at, gone), name) for at in (5, 300, 600, 900)]
    for cursor in dead * 3:
        await gateway.page(first=5, after=cursor)
    assert gateway.upstream_requests == 4 + SEARCHES * 4
    clock.advance(SEARCHES_SECONDS + 1)
    await gateway.page(first=5, after=dead[0])
    assert gateway.upstream_requests == 4 + SEARCHES * 4 + 4


def test_list_that_was_not_read_for_long_is_forgotten() -> None:
    lists = in_process(1).services.lists
    first, *others = (replace(ALL_SEGMENTS, name=f"list {n}") for n in range(MAXIMUM_LISTS + 1))
    source = lists.of(first)
    forgotten, *_ = [lists.of(other) for other in others[:-1]]
    assert lists.of(first) is source
    lists.of(others[-1])
    assert lists.of(first) is source
    assert lists.of(others[0]) is not forgotten


async def test_total_of_any_block_is_answered_while_that_is_fresh() -> None:
    clock = Clock()
    gateway = in_process(1000, clock=clock)
    assert gateway.services.segments.fresh_total() is None
    await gateway.services.segments.read(3)
    assert await gateway.data(TOTAL) == {"segments": {"totalCount": 1000}}
    assert gateway.upstream_requests == 1
    clock.advance(16)
    await gateway.data(TOTAL)
    assert gateway.upstream_requests == 2


async def test_total_is_read_again_after_a_write() -> None:
    gateway = in_process(10)
    await gateway.data(TOTAL)
    store = gateway.emulator.store
    store.delete([store.segments[0].id])
    await gateway.services.invalidations.announce(["segments"], gateway.services.cache.now())
    assert await gateway.data(TOTAL) == {"segments": {"totalCount": 9}}
    assert gateway.upstream_requests == 2


async def test_total_is_read_again_each_time_without_a_cache() -> None:
    gateway = in_process(10, CACHE_TTL_SECONDS="0")
    for _ in range(2):
        await gateway.data(TOTAL)
    assert gateway.upstream_requests == 2


async def test_answer_that_was_overtaken_does_not_bring_an_older_total_back() -> None:
    gateway = in_process(600, latency_seconds=1)
    source, store = gateway.services.segments, gateway.emulator.store
    answers = asyncio.Event()

    async def hold_the_first(_seconds: float) -> None:
        if gateway.upstream_requests == 1:
            await answers.wait()

    gateway.emulator.sleep = hold_the_first
    early = asyncio.ensure_future(source.read(0))
    await settle()
    store.delete([store.segments[-1].id])
    await source.read(1)
    answers.set()
    assert (await early).total == 600
    assert source.total == source.fresh_total() == 599
    source.invalidate_before(source.now())
    assert source.fresh_total() is None


async def test_pages_that_never_agree_are_soon_answered_as_they_are() -> None:
    clock = Clock()
    gateway = in_process(501, latency_seconds=1, clock=clock)
    store = gateway.emulator.store
    last = store.segments[-1]

    async def come_and_go(_seconds: float) -> None:
        if not store.delete([last.id]):
            store.insert(last)

    gateway.emulator.sleep = come_and_go
    cursor = (await gateway.page(first=249))["pageInfo"]["endCursor"]
    for _ in range(3):
        assert len((await gateway.page(first=2, after=cursor))["edges"]) == 2
    unstable = gateway.upstream_requests
    assert unstable == 1 + 1 + 1 + 2 * (ROUNDS - 1)
    clock.advance(UNSTABLE_SECONDS + 1)
    await gateway.page(first=2, after=cursor)
    assert gateway.upstream_requests > unstable


async def test_smaller_pages_are_forgotten_after_a_while() -> None:
    clock = Clock()
    gateway = in_process(1000, max_limit=50, CACHE_TTL_SECONDS="1", clock=clock)
    source = gateway.services.segments
    assert (await source.read(0)).size == 50
    gateway.emulator.max_limit = 250
    clock.advance(LEARNED_SECONDS - 1)
    assert (await source.read(0)).size == 50
    clock.advance(2)
    await source.read(0)
    await settle()  # the larger page is tried in the background
    assert (await source.read(0)).size == 250


async def test_blocks_of_the_learned_size_serve_in_an_outage_that_begins_when_it_is_old() -> None:
    clock = Clock()
    gateway = in_process(1000, max_limit=100, clock=clock)
    pages = [(await gateway.page(first=5, after=None))["pageInfo"]["endCursor"]]
    await gateway.walk(250)
    clock.advance(LEARNED_SECONDS - 10)
    await gateway.walk(250)
    middle = await gateway.page(first=5, after=pages[0])
    clock.advance(20)
    gateway.emulator.faults.add(Fault.SERVER_ERROR, times=None)
    assert await gateway.page(first=5, after=pages[0]) == middle
    assert len(await gateway.walk(250)) == 1000


async def test_blocks_that_are_fresh_or_all_there_is_serve_when_their_size_is_old() -> None:
    clock = Clock()
    gateway = in_process(300, max_limit=100, clock=clock)
    assert gateway.services.segments.size == 250  # the time of what is learned starts to run
    clock.advance(LEARNED_SECONDS - 1)
    page = await gateway.page(first=5)
    clock.advance(2)
    assert await gateway.page(first=5) == page
    assert gateway.upstream_requests == 1
    last = await gateway.page(last=5)
    gateway.emulator.faults.add(Fault.SERVER_ERROR, times=None)
    clock.advance(LEARNED_SECONDS + 1)
    assert await gateway.page(first=5) == page
    assert await gateway.page(last=5) == last


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
            assert second.upstream_requests == 0
            assert second.services.segments.size == 100


async def test_block_is_ready_while_a_read_serves_it_at_once() -> None:
    clock = Clock()
    gateway = in_process(600, clock=clock)
    source = gateway.services.segments
    assert source.ready(0) is None
    block = await source.read(0)
    assert source.ready(0) is block
    assert source.ready(1) is None
    clock.advance(20)
    assert source.ready(0) is block
    source.invalidate_before(source.now())
    assert source.ready(0) is None
    assert gateway.upstream_requests == 1


async def test_ready_blocks_that_are_served_are_hits_and_the_stale_ones_are_refreshed() -> None:
    clock = Clock()
    gateway = in_process(600, clock=clock)
    source, cache = gateway.services.segments, gateway.services.cache
    first = await source.read(0)
    clock.advance(20)
    second = await source.read(1)
    source.serve([first, second])
    assert cache.counts == {"segments": CacheCounts(hit=1, stale=1, miss=2)}
    await settle()
    assert gateway.upstream_requests == 3
    newer = source.ready(0)
    assert newer is not None
    assert newer.read_at > second.read_at


async def test_served_block_teaches_the_total_and_the_size_of_pages() -> None:
    gateway = in_process(600)
    block = await gateway.services.segments.read(1)
    other = in_process(600).services.segments
    other.serve([replace(block, size=100)])
    assert (other.total, other.total_read_at, other.size) == (600, block.read_at, 100)


async def test_a_collection_changes_with_a_write_and_with_another_version_of_its_list() -> None:
    clock = Clock()
    services = in_process(10, clock=clock).services
    assert services.lists.changed_at("segments") == 0
    services.segments.invalidate_before(clock() - 3)
    assert services.lists.changed_at("segments") == clock() - 3
    await services.invalidations.announce(["segments"], clock() - 1)
    assert services.lists.changed_at("segments") == clock() - 1
