"""Pages of blocks that are in the cache, and what keeps a page from being still."""

from dataclasses import replace
from uuid import UUID

import pytest
from clock import Clock, settle
from in_process import InProcess, in_process

from gateway.bigcommerce.models import Segment
from gateway.cache.policy import Entry
from gateway.data_source import ALL_SEGMENTS
from gateway.pagination import (
    Block,
    Cursor,
    Slice,
    Window,
    connection_arguments,
    decode_cursor,
    encode_cursor,
    fingerprint,
    still_page,
)

ROWS = 520


async def full(clock: Clock | None = None) -> InProcess:
    gateway = in_process(ROWS, clock=clock or Clock())
    for index in range(3):
        await gateway.services.segments.read(index)
    return gateway


def ids_of(gateway: InProcess) -> list[str]:
    return [row.id for row in gateway.emulator.store.segments]


def cursor_of(gateway: InProcess, offset: int) -> str:
    cursor = Cursor(offset, ids_of(gateway)[offset])
    return encode_cursor(cursor, gateway.services.segments.name)


def still(
    gateway: InProcess,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Slice[Segment] | None:
    source = gateway.services.segments
    return still_page(source, connection_arguments(first, after, last, before, source.name))


@pytest.mark.parametrize(
    ("first", "after", "last", "before", "start", "end", "blocks"),
    [
        (50, None, None, None, 0, 50, {0}),
        (0, None, None, None, 0, 0, {0}),
        (10, 99, None, None, 100, 110, {0}),
        (20, 239, None, None, 240, 260, {0, 1}),
        (10, 249, None, None, 250, 260, {0, 1}),
        (10, 250, None, None, 251, 261, {0, 1}),  # its cursors remember rows of the first block
        (10, 254, None, None, 255, 265, {1}),
        (50, 499, None, None, 500, 520, {1, 2}),
        (50, 519, None, None, 520, 520, {2}),
        (None, None, 10, None, 510, 520, {2}),
        (None, None, 10, 5, 0, 5, {0}),
        (10, 9, None, 3, 10, 10, {0}),
    ],
)
async def test_page_of_ready_blocks_is_still(
    first: int | None,
    after: int | None,
    last: int | None,
    before: int | None,
    start: int,
    end: int,
    blocks: set[int],
) -> None:
    gateway = await full()
    cursors = [None if at is None else cursor_of(gateway, at) for at in (after, before)]
    page = still(gateway, first, cursors[0], last, cursors[1])
    assert page is not None
    assert [row.id for row in page.rows] == ids_of(gateway)[start:end]
    assert (page.total, page.has_previous, page.has_next) == (ROWS, start > 0, end < ROWS)
    assert page.blocks.keys() == blocks
    answer = await gateway.page(first=first, after=cursors[0], last=last, before=cursors[1])
    assert page.cursors == [edge["cursor"] for edge in answer["edges"]]
    assert gateway.upstream_requests == 3


async def test_empty_list_is_still() -> None:
    gateway = in_process(0)
    assert still(gateway) is None
    await gateway.services.segments.read(0)
    page = still(gateway)
    assert page is not None
    assert (page.rows, page.cursors, page.total, page.has_next) == ([], [], 0, False)


async def test_page_waits_for_a_block_that_is_missing() -> None:
    gateway = in_process(ROWS)
    await gateway.services.segments.read(0)
    assert still(gateway, 240) is not None
    assert still(gateway, last=10) is None


async def test_page_waits_if_the_row_of_its_cursor_stands_elsewhere_or_nowhere() -> None:
    gateway = await full()
    name, ids = gateway.services.segments.name, ids_of(gateway)
    for cursor in (Cursor(8, ids[7]), Cursor(300, ids[7]), Cursor(ROWS, ids[7])):
        assert still(gateway, 5, encode_cursor(cursor, name)) is None
        assert still(gateway, last=5, before=encode_cursor(cursor, name)) is None


async def test_page_waits_for_blocks_that_agree() -> None:
    clock = Clock()
    gateway = await full(clock)
    source, store = gateway.services.segments, gateway.emulator.store
    store.delete([ids_of(gateway)[-1]])
    clock.advance(20)
    await source.read(1)
    await settle()
    assert still(gateway, 240) is not None
    assert still(gateway, 20, cursor_of(gateway, 239)) is None


async def test_page_waits_while_the_size_of_pages_changes() -> None:
    gateway = await full()
    source = gateway.services.segments
    block = source.ready(0)
    assert block is not None
    source.serve([Block(0, 100, ROWS, block.rows[:100], block.read_at + 1)])
    assert source.size == 100
    assert still(gateway, 5) is None


@pytest.mark.parametrize(
    ("size", "total", "is_still"), [(250, ROWS, True), (249, ROWS, False), (250, 9, False)]
)
async def test_page_waits_if_its_block_has_another_size_or_no_place_for_its_cursor(
    size: int, total: int, is_still: bool
) -> None:
    gateway = await full()
    services = gateway.services
    block = services.segments.ready(0)
    assert block is not None
    read_at = services.cache.now()
    odd = replace(block, size=size, total=total, read_at=read_at)
    key = services.lists.keys_of(ALL_SEGMENTS).block(250, 0)
    await services.cache.store(ALL_SEGMENTS.blocks, {key: Entry(read_at, odd)})
    page = still(gateway, 5, cursor_of(gateway, 9))
    assert (page is not None) == is_still


def test_cursors_of_the_first_rows_of_a_block_follow_the_rows_before_it() -> None:
    rows = [Segment(id=str(UUID(int=n))) for n in range(30)]
    block = Block(1, 10, 20, rows[10:20], 1.0)
    for before in (rows[:10], rows[20:30], [*rows[:8], None, rows[9]]):
        blocks = {0: Block(0, 10, 20, before, 1.0), 1: block}
        cursors = Slice(blocks, 10, Window(8, 20), 20, "a list").cursors[-10:]
        ids = [row and row.id for row in [*before, *block.rows]]
        for offset, cursor in enumerate(cursors, 10):
            marks = tuple(fingerprint(one) for one in ids[offset - 5 : offset][::-1] if one)
            expected = Cursor(offset, rows[offset].id, marks)
            assert decode_cursor(cursor, "a list", "after") == expected


async def test_cursors_are_minted_once_for_a_block() -> None:
    gateway = await full()
    texts = [still(gateway, 20, cursor_of(gateway, 239)) for _ in range(2)]
    first, second = (page.cursors if page is not None else [] for page in texts)
    assert len(first) == 20
    assert all(one is other for one, other in zip(first, second, strict=True))
