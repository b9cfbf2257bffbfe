"""A page that need not wait is the page that is read, whatever the list and its blocks."""

import asyncio
from dataclasses import dataclass, field, replace

from hypothesis import example, given, settings
from hypothesis import strategies as st
from moving_list import MovingList, row_id

from examples import examples
from gateway.bigcommerce.models import Segment
from gateway.pagination import (
    Block,
    Cursor,
    Slice,
    connection_arguments,
    encode_cursor,
    fingerprint,
    read_slice,
    still_page,
)
from gateway.pagination.cursors import REMEMBERED_ROWS

many_examples = settings(max_examples=examples(600))

Arguments = tuple[int | None, str | None, int | None, str | None]
counts = st.none() | st.integers(0, 12) | st.integers(0, 250)
VERSION_SECONDS = 10.0


@dataclass
class KeptList(MovingList):
    """A list of which some blocks are kept: those are ready, all others are read."""

    kept: dict[int, Block[Segment]] = field(default_factory=dict)
    recorded: list[int] = field(default_factory=list)

    version_seconds = VERSION_SECONDS

    def ready(self, index: int) -> Block[Segment] | None:
        return self.kept.get(index)

    async def read(self, index: int) -> Block[Segment]:
        return self.kept.get(index) or await super().read(index)

    def record_read(self, block: Block[Segment]) -> None:
        self.recorded.append(block.index)

    def invalidate_before(self, read_at: float) -> None:
        self.kept = {at: block for at, block in self.kept.items() if block.read_at >= read_at}

    async def keep_all(self) -> None:
        for index in range(-(-len(self.rows) // self.size) or 1):
            self.kept[index] = replace(await super().read(index), read_at=1.0)


def list_of(rows: int, size: int, unusable: set[int]) -> KeptList:
    source = KeptList([None if n in unusable else row_id(n) for n in range(rows)], size=size)
    asyncio.run(source.keep_all())
    source.reads = 0
    return source


def read(source: KeptList, arguments: Arguments) -> Slice[Segment]:
    return asyncio.run(read_slice(source, connection_arguments(*arguments, source.name)))


def still(source: KeptList, arguments: Arguments) -> Slice[Segment] | None:
    return still_page(source, connection_arguments(*arguments, source.name))


def minted(page: Slice[Segment]) -> list[str]:
    """Returns the cursors of a page anew: its blocks keep theirs."""
    rows = {
        index * block.size + at: row
        for index, block in page.blocks.items()
        for at, row in enumerate(block.rows)
    }
    cursors = {}
    for offset in range(page.window.start, page.window.end):
        if (row := rows.get(offset)) is not None:
            before = [rows.get(offset - n) for n in range(1, REMEMBERED_ROWS + 1)]
            marks = tuple(fingerprint(one.id) for one in before if one is not None)
            cursors[row.id] = encode_cursor(Cursor(offset, row.id, marks), page.list_name)
    return [*cursors.values()]


def check_same(found: Slice[Segment], expected: Slice[Segment]) -> None:
    assert found == expected
    assert (found.rows, found.cursors) == (expected.rows, expected.cursors)
    assert minted(found) == found.cursors
    assert [found.start_cursor, found.end_cursor] == (
        [expected.cursors[0], expected.cursors[-1]] if expected.rows else [None, None]
    )
    assert (found.total, found.has_next, found.has_previous) == (
        expected.total,
        expected.has_next,
        expected.has_previous,
    )


@st.composite
def lists(draw: st.DrawFn) -> KeptList:
    rows = draw(st.integers(0, 60))
    size = draw(st.integers(1, 7) | st.integers(1, 70))
    return list_of(rows, size, draw(st.sets(st.integers(0, 59), max_size=30)))


@st.composite
def arguments_of(draw: st.DrawFn, source: KeptList) -> Arguments:
    """Any arguments with cursors from real pages."""
    pages = read(source, (250, None, None, None)).cursors
    cursors = st.none() | st.sampled_from(pages) if pages else st.none()
    return draw(counts), draw(cursors), draw(counts), draw(cursors)


@many_examples
@given(lists(), st.data())
@example(list_of(0, 5, set()), None)
@example(list_of(20, 5, set()), None)
def test_page_of_kept_blocks_is_the_page_that_is_read(
    source: KeptList, data: st.DataObject | None
) -> None:
    wanted = (50, None, None, None) if data is None else data.draw(arguments_of(source))
    found = still(source, wanted)
    source.recorded.clear()
    expected = read(source, wanted)
    if found is None:
        # The first window has no usable row, and is widened.
        assert any(row is None for row in source.rows)
    else:
        check_same(found, expected)
        assert sorted(source.recorded) == sorted(found.blocks)
        assert source.reads == 0


def changed(block: Block[Segment], data: st.DataObject) -> Block[Segment]:
    """Returns a block that differs in one thing from what was read."""
    match data.draw(st.sampled_from(["rows", "total", "size", "time"]), "change"):
        case "rows":
            numbers = data.draw(st.lists(st.integers(0, 200), unique=True), "rows")
            return replace(block, rows=[Segment(id=row_id(n)) for n in numbers][: block.size])
        case "total":
            return replace(block, total=block.total + data.draw(st.sampled_from([-1, 1]), "more"))
        case "size":
            return replace(block, size=block.size + 1)
        case _:
            later = data.draw(st.sampled_from([1.0, VERSION_SECONDS, VERSION_SECONDS + 1]), "later")
            return replace(block, read_at=block.read_at + later)


@many_examples
@given(lists(), st.data())
def test_page_that_need_not_wait_reads_nothing_whatever_has_changed(
    source: KeptList, data: st.DataObject
) -> None:
    wanted = data.draw(arguments_of(source))
    gone = data.draw(st.sets(st.sampled_from([*source.kept]), max_size=2), "gone")
    for index in gone:
        del source.kept[index]
    for index in data.draw(st.lists(st.sampled_from([*source.kept, -1]), max_size=3), "changed"):
        if (block := source.kept.get(index)) is not None:
            source.kept[index] = changed(block, data)
    source.total = data.draw(st.sampled_from([source.total, None, 0, 61]), "known total")
    found = still(source, wanted)
    if found is not None:
        source.recorded.clear()
        source.reads = 0
        check_same(found, read(source, wanted))
        assert sorted(source.recorded) == sorted(found.blocks)
        assert source.reads == 0
