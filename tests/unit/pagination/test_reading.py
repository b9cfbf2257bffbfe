"""Windows over blocks that were read at different times, against the emulator."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from in_process import Answer, in_process
from moving_list import MovingList, page, row_id

from gateway.bigcommerce.models import Segment
from gateway.emulator import SegmentRow
from gateway.errors import UpstreamUnavailable
from gateway.pagination import PAGE_SIZE_CHANGES, Block, Cursor, Slice, encode_cursor
from gateway.pagination.view import SEARCHED_ROWS

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
    gateway.services.segments.invalidate_before(gateway.services.cache.now())
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


@pytest.mark.parametrize(
    ("first", "after", "last", "before", "requests"),
    [
        (50, 249, None, None, 2),  # the cursor's block and the window's
        (50, 253, None, None, 2),  # row 249 is remembered by the cursor of row 254
        (50, 254, None, None, 1),
        (250, 250, None, None, 3),  # 247 rows and more, from the second to the fifth of a block
        (250, 254, None, None, 2),
        (None, None, 245, 500, 2),  # the cursor's block and the window's
        (None, None, 246, 500, 3),  # the same, and the one of row 249
        (None, None, 0, 500, 1),
        (50, 0, None, None, 1),
    ],
)
async def test_cold_page_costs_the_blocks_of_its_rows_and_of_those_that_cursors_remember(
    first: int | None, after: int | None, last: int | None, before: int | None, requests: int
) -> None:
    gateway = in_process(1000)
    rows = [row.id for row in gateway.emulator.store.segments]
    cursors = [
        None if at is None else encode_cursor(Cursor(at, rows[at]), gateway.services.segments.name)
        for at in (after, before)
    ]
    low, high = (0 if after is None else after + 1), (1000 if before is None else before)
    expected = rows[low:high][:first]
    expected = expected if last is None else expected[len(expected) - last :]
    answer = await gateway.page(first=first, after=cursors[0], last=last, before=cursors[1])
    assert ids_of(answer) == expected
    assert gateway.upstream_requests == requests


@pytest.mark.parametrize(("deleted", "added"), [(1, 3), (2, 1)])
@pytest.mark.parametrize("step", [50, 250])
async def test_backward_walk_goes_on_before_a_seam_whose_first_row_is_deleted(
    step: int, deleted: int, added: int
) -> None:
    gateway = in_process(1000, CACHE_TTL_SECONDS="0")
    store = gateway.emulator.store
    rows = [row.id for row in store.segments]
    before = None
    for _ in range(250 // step):
        before = (await gateway.page(last=step, before=before))["pageInfo"]["startCursor"]
    store.delete(rows[750 : 750 + deleted])
    for number in range(added):
        new = SegmentRow(str(UUID(int=number, version=4)), f"New {number}", None, DAY, DAY)
        store.insert(new, 0)
    assert ids_of(await gateway.page(last=step, before=before)) == rows[750 - step : 750]


@pytest.mark.parametrize("size", [1, 2, 10])
@pytest.mark.parametrize(
    ("now", "first", "after", "last", "before", "expected"),
    [
        ("", 3, 4, None, None, ""),
        ("", None, None, 3, 4, ""),
        ("01", 3, 7, None, None, ""),
        ("0", None, None, 3, 7, "0"),
        ("0123456789", None, None, 3, 0, ""),
        ("0123456789", 3, 9, None, None, ""),
        # All that stood before the cursor is gone, and it remembers that this was all.
        ("6789", 3, 5, None, None, "678"),
        ("6789", None, None, 3, 5, ""),
        # Nothing is left that this one remembers: the old offset is the best there is.
        ("0789", None, None, 3, 6, "789"),
        ("012345678", 2, 5, None, 8, "67"),
        ("0123456789", None, 2, 3, None, "789"),
        ("0123456789", 3, None, None, 8, "012"),
        ("0123456789", 3, 8, None, 2, ""),
    ],
)
async def test_page_beside_a_cursor_at_the_ends_of_a_list_that_has_changed(
    now: str,
    first: int | None,
    after: int | None,
    last: int | None,
    before: int | None,
    expected: str,
    size: int,
) -> None:
    source = MovingList(usable("0123456789"), size)
    whole = await page(source, first=10)
    source.rows = usable(now)
    answer = await page(
        source,
        first=first,
        after=None if after is None else whole.cursors[after],
        last=last,
        before=None if before is None else whole.cursors[before],
    )
    assert shown(answer) == expected


def usable(numbers: str) -> list[str | None]:
    """Returns rows: the id of each digit, None for each dash."""
    return [None if number == "-" else row_id(int(number)) for number in numbers]


def shown(answer: Slice[Segment]) -> str:
    return "".join(str(int(row.id[-1])) for row in answer.rows)


@pytest.mark.parametrize("size", [1, 2, 3, 10])
@pytest.mark.parametrize(
    ("rows", "counts", "expected", "has_previous", "has_next"),
    [
        ("01-345", (4, None), "013", False, True),
        ("01-345", (None, 4), "345", True, False),
        ("---345", (2, None), "3", False, True),
        ("---345", (3, None), "345", False, False),
        ("012---", (None, 2), "2", True, False),
        ("012---", (2, None), "01", False, True),
        ("01---56--9", (5, 3), "01", False, True),
        ("----456789", (3, 2), "4", False, True),
        ("----------", (3, None), "", False, False),
        ("----------", (None, 3), "", False, False),
        ("----------", (0, None), "", False, True),
    ],
)
async def test_page_leaves_out_rows_that_cannot_be_used_and_has_one_that_can(
    rows: str,
    counts: tuple[int | None, int | None],
    expected: str,
    has_previous: bool,
    has_next: bool,
    size: int,
) -> None:
    answer = await page(MovingList(usable(rows), size), first=counts[0], last=counts[1])
    assert shown(answer) == expected
    assert (answer.has_previous, answer.has_next) == (has_previous, has_next)
    assert answer.total == len(rows)


async def test_blocks_with_rows_that_cannot_be_used_are_read_once() -> None:
    source = MovingList(usable("01--45-789"), size=5)
    assert shown(await page(source, first=10)) == "0145789"
    assert source.reads == 2


@pytest.mark.parametrize("counts", [(50, None), (None, 50), (50, 20)])
async def test_list_of_rows_that_cannot_be_used_is_an_error_before_too_many_are_read(
    counts: tuple[int | None, int | None],
) -> None:
    source = MovingList([None] * 100_000, size=250)
    with pytest.raises(UpstreamUnavailable, match="without usable ids"):
        await page(source, first=counts[0], last=counts[1])
    assert source.reads <= SEARCHED_ROWS // 250 + 2


class UnsteadyList(MovingList):
    """A list of 12 rows whose pages have the sizes of `sizes` in turn, then the last of them."""

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__([row_id(number) for number in range(12)], size=4, total=12)
        self.sizes = sizes

    async def read(self, index: int) -> Block[Segment]:
        self.size = self.sizes[min(self.reads, len(self.sizes) - 1)]
        return await super().read(index)

    async def last_rows(self, count: int, after: int) -> list[str]:
        cursor = encode_cursor(Cursor(after, row_id(after)), self.name)
        return [row.id for row in (await page(self, last=count, after=cursor)).rows]


@pytest.mark.parametrize("sizes", [[3, 4], [1, 4, 2], [2, 3, 2], [4, 1, 1, 3]])
async def test_window_is_read_by_the_size_of_pages_that_settles(sizes: list[int]) -> None:
    assert await UnsteadyList(sizes).last_rows(2, after=5) == [row_id(10), row_id(11)]


NEVER_THE_SAME = [int(size) for size in "23332322322333232233232223232233"]


@pytest.mark.parametrize(
    ("sizes", "after"),
    [
        (NEVER_THE_SAME, 1),  # they change in each round in which the cursor's row is found
        ([1, 4] * 50, 0),  # and while the blocks of a window are read
    ],
)
async def test_pages_that_change_their_size_all_the_time_are_an_error(
    sizes: list[int], after: int
) -> None:
    with pytest.raises(UpstreamUnavailable, match=PAGE_SIZE_CHANGES):
        await UnsteadyList(sizes).last_rows(1, after=after)


async def test_cursor_whose_block_has_another_size_at_each_read_is_an_error() -> None:
    source = UnsteadyList([1, 4, 1, 4, 1])
    after, before = (encode_cursor(Cursor(2, row_id(n)), source.name) for n in (3, 8))
    with pytest.raises(UpstreamUnavailable, match=PAGE_SIZE_CHANGES):
        await page(source, last=2, after=after, before=before)


async def test_row_of_a_long_list_that_is_gone_costs_the_blocks_around_its_place() -> None:
    source = MovingList([row_id(n) for n in range(1000)], size=100)
    source.is_long = True
    half = await page(source, first=250, after=(await page(source, first=250)).end_cursor)
    cursor = (await page(source, first=1, after=half.end_cursor)).end_cursor
    del source.rows[499:501]
    source.reads = 0
    found = await page(source, first=2, after=cursor)
    assert [row.id for row in found.rows] == [row_id(501), row_id(502)]
    assert source.reads == 3
