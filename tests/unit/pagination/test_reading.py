"""Windows over blocks that were read at different times, against the emulator."""

import asyncio
from uuid import UUID

from in_process import Answer, in_process

from gateway.emulator import SegmentRow

DAY = "2024-05-01T10:00:00Z"


def ids_of(page: Answer) -> list[str]:
    return [edge["node"]["entityId"] for edge in page["edges"]]


async def test_row_that_moved_over_a_seam_is_shown_once_and_nothing_is_missed() -> None:
    gateway = in_process(500)
    store = gateway.emulator.store
    rows = [row.id for row in store.segments]
    cursor = (await gateway.page(first=246))["pageInfo"]["endCursor"]
    # The total stays as it was: only the row that stands in two blocks tells that they differ.
    store.delete([rows[499]])
    store.insert(SegmentRow(str(UUID(int=7, version=4)), "New", None, DAY, DAY), 0)
    assert ids_of(await gateway.page(first=10, after=cursor)) == rows[246:256]
    assert gateway.upstream_requests == 3


async def test_blocks_of_one_window_are_read_side_by_side() -> None:
    gateway = in_process(1000, latency_seconds=1, CACHE_TTL_SECONDS="15")
    gate = asyncio.Event()
    gate.set()

    async def wait(_seconds: float) -> None:
        await gate.wait()

    gateway.emulator.sleep = wait
    cursor = (await gateway.page(first=240))["pageInfo"]["endCursor"]
    gateway.parts.segments.supersede(gateway.parts.cache.now())
    gate.clear()
    reader = asyncio.ensure_future(gateway.page(first=250, after=cursor))
    for _ in range(200):
        await asyncio.sleep(0)
    assert gateway.upstream_requests == 1 + 2
    gate.set()
    assert len(ids_of(await reader)) == 250


async def test_window_far_from_its_cursor_costs_the_cursors_block_and_its_own() -> None:
    gateway = in_process(1000)
    rows = [row.id for row in gateway.emulator.store.segments]
    after = (await gateway.page(first=1))["pageInfo"]["endCursor"]
    assert ids_of(await gateway.page(last=2, after=after)) == rows[998:]
    assert gateway.upstream_requests == 2
