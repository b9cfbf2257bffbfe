"""A list read whole, and its orders."""

from collections.abc import Callable

import pytest
from moving_list import MovingList, page, row_id

from gateway.bigcommerce.models import Segment
from gateway.errors import BadUserInput, UpstreamUnavailable
from gateway.pagination import Block, Kept, Order, Orders, SortKey, ordered_page, read_whole
from gateway.pagination.store_order import StoreOrderedRows

STORE_ORDER: Order[Segment] = Order(None, is_reversed=False)
REVERSED: Order[Segment] = Order(None, is_reversed=True)


def a_list(rows: int, size: int = 250, largest: int = 250) -> MovingList:
    return MovingList([*map(row_id, range(rows))], size, largest)


def ids(kept: Kept[Segment]) -> list[str]:
    return [row.id for row in ordered_page(*kept, first=250).rows]


@pytest.mark.parametrize(
    ("rows", "size", "reads"), [(0, 250, 1), (1, 250, 1), (250, 250, 1), (1000, 250, 4), (9, 2, 5)]
)
async def test_each_block_is_read_once(rows: int, size: int, reads: int) -> None:
    source = a_list(rows, size)
    blocks = await read_whole(source)
    assert [row.id for block in blocks for row in block.rows if row] == source.rows
    assert source.reads == reads


async def test_blocks_of_another_size_are_read_anew() -> None:
    source = a_list(20, size=250, largest=6)
    blocks = await read_whole(source)
    assert [len(block.rows) for block in blocks] == [6, 6, 6, 2]


async def test_size_that_never_stays_is_an_error() -> None:
    source = a_list(20, size=9, largest=9)

    def shrink() -> None:
        source.largest = source.largest % 9 + 1
        source.size = source.largest

    source.before_each_read = shrink
    with pytest.raises(UpstreamUnavailable, match="changes the size"):
        await read_whole(source)


async def test_longer_list_than_can_be_sorted_is_refused_until_it_is_shorter() -> None:
    source = a_list(2001)
    with pytest.raises(BadUserInput, match="has 2001 rows, and up to 2000 can be sorted"):
        await read_whole(source)
    assert source.reads == 1
    del source.rows[0]
    assert len(await read_whole(source)) == 8


def adding(source: MovingList, rows: int) -> Callable[[], None]:
    """Returns what adds rows at the end before the second read."""

    def add() -> None:
        if source.reads == 1:
            source.rows += map(row_id, range(1000, 1000 + rows))

    return add


async def test_rows_that_are_added_meanwhile_are_read_too() -> None:
    source = a_list(4, size=2, largest=2)
    source.before_each_read = adding(source, 3)
    blocks = await read_whole(source)
    assert [row.id for block in blocks for row in block.rows if row] == source.rows


async def test_store_order_has_the_cursors_of_the_plain_list() -> None:
    source = a_list(20, size=3, largest=3)
    source.rows[4] = source.rows[9] = None
    plain = await page(source, first=250)
    kept = await Orders[Segment]().read(source, STORE_ORDER, None)
    assert ordered_page(*kept).cursors == plain.cursors
    assert ids(await Orders[Segment]().read(source, REVERSED, None)) == [
        row.id for row in reversed(plain.rows)
    ]


@pytest.mark.parametrize("order", [STORE_ORDER, REVERSED])
async def test_filtered_walk_goes_on_where_rows_are_gone(order: Order[Segment]) -> None:
    """The filter keeps no row that the cursor remembers."""
    source, orders = a_list(20), Orders[Segment]()
    even = {row_id(number) for number in range(0, 20, 6)}
    kept = await orders.read(source, order, lambda row: row.id in even)
    cursor = ordered_page(*kept, first=2).end_cursor
    gone = 6 if order is STORE_ORDER else 12
    source.rows.remove(row_id(gone))
    source.rows.insert(0, row_id(100))
    kept = await orders.read(source, order, lambda row: row.id in even)
    rows = [row.id for row in ordered_page(*kept, after=cursor).rows]
    left = [12, 18] if order is STORE_ORDER else [6, 0]
    assert rows == [row_id(number) for number in left]


async def test_order_and_filter_are_computed_once_for_a_version() -> None:
    source, orders, seen = a_list(5), Orders[Segment](), []

    def value(row: Segment) -> str:
        seen.append(row.id)
        return row.id

    def keeps(row: Segment) -> bool:
        seen.append(row.id)
        return True

    by_value = Order(SortKey("value", value, is_text=True), is_reversed=False)
    for _ in range(3):
        assert ids(await orders.read(source, by_value, keeps)) == source.rows
    assert len(seen) == 10
    source.rows.append(row_id(5))
    assert ids(await orders.read(source, by_value, keeps)) == source.rows
    assert len(seen) == 22


async def test_only_64_filters_are_kept() -> None:
    source, orders = a_list(1), Orders[Segment]()
    seen: list[int] = []

    def a_filter(number: int) -> Callable[[Segment], bool]:
        def keeps(_row: Segment) -> bool:
            seen.append(number)
            return True

        return keeps

    filters = [a_filter(number) for number in range(65)]
    for keeps in [*filters, filters[1], filters[64], filters[0]]:
        await orders.read(source, STORE_ORDER, keeps)
    assert seen == [*range(65), 0]


class GrowingList(MovingList):
    """A list that has another block as soon as its last one is read."""

    async def read(self, index: int) -> Block[Segment]:
        if index == (len(self.rows) - 1) // self.size:
            self.rows += [row_id(len(self.rows) + n) for n in range(self.size)]
        return await super().read(index)


async def test_list_whose_end_is_never_read_is_an_error() -> None:
    source = GrowingList([row_id(n) for n in range(20)], size=10)
    with pytest.raises(UpstreamUnavailable, match="changes the size"):
        await read_whole(source)


@pytest.mark.parametrize(
    ("gone", "expected"),
    [
        ({7}, 7),  # behind the row before it
        ({6, 7}, 6),
        ({2, 3, 4, 5, 6, 7}, 7),  # at the old offset: no row is left that the cursor remembers
    ],
)
def test_gap_of_a_row_that_is_gone_is_behind_the_nearest_row_that_is_left(
    gone: set[int], expected: int
) -> None:
    rows = [Segment(row_id(n)) for n in range(20)]
    cursor = StoreOrderedRows(rows, "a list").cursor(7)
    left = [row for number, row in enumerate(rows) if number not in gone]
    assert StoreOrderedRows(left, "a list").gap(cursor, "after") == expected
