"""The JSON of rows: made once, counted to the byte, bounded; and what fits no selection."""

import gc
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import pytest
import strawberry
from graphql import GraphQLObjectType
from hypothesis import given
from hypothesis import strategies as st
from moving_list import row_id

from gateway.cache.policy import Entry
from gateway.pagination import Block, Slice, Window
from gateway.schema.plans.inputs import NotPlanned
from gateway.schema.plans.rendered import (
    BLOCK_BYTES,
    PLACE_BYTES,
    ROW_BYTES,
    SELECTION_BYTES,
    RenderedBlocks,
    RenderedById,
    RenderedRows,
)
from gateway.schema.plans.selections import Leaf, RowJson


@dataclass(frozen=True)
class Row:
    id: str
    name: str | None = "n"
    size: int | None = None


@strawberry.type
class Other:
    id: str


@strawberry.type
class Shown:
    id: str
    name: str
    size: int | None
    other: Other | None = None

    @strawberry.field
    def resolved(self) -> str:
        return "r"


@strawberry.type
class Query:
    shown: Shown


SHOWN = strawberry.Schema(Query)._schema.type_map["Shown"]
assert isinstance(SHOWN, GraphQLObjectType)
TYPE: GraphQLObjectType = SHOWN
ID = [Leaf("id", "id")]
NAME = [Leaf("name", "name")]
A, B, C = Row("a"), Row("b"), Row("c")
# What each of them takes: {"id":"a"}
EACH = 10 + ROW_BYTES


class Shower:
    """Makes rows objects, and counts how often."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def __call__(self, row: Row) -> Shown:
        self.shown.append(row.id)
        return Shown(id=row.id, name=row.name, size=row.size)  # type: ignore[arg-type] # as odd


def json_of(row: Row, *leaves: Leaf) -> bytes:
    return RowJson(TYPE, leaves, Shower()).make(row)


def by_id(
    memory: RenderedRows, leaves: Sequence[Leaf] = ID, show: Shower | None = None
) -> RenderedById[Row]:
    return RenderedById(RowJson(TYPE, leaves, show or Shower()), memory)


def shared(memory: RenderedRows, key: str = "key") -> RenderedById[Row]:
    return memory.shared(key, partial(RenderedById, RowJson(TYPE, ID, Shower())))


def add(selection: RenderedById[Row], *rows: Row, read_at: float = 1) -> list[bytes]:
    return [selection.add(row.id, Entry(read_at, row)).json for row in rows]


def found(
    selection: RenderedById[Row],
    *texts: str,
    after: float = 0,
    before: float = 10,
    version: int = 0,
) -> list[bytes] | None:
    rows = selection.find(texts, version, after, before)
    return None if rows is None else [row.json for row in rows]


class Maker:
    """Makes the JSON of rows and cursors, and counts how often."""

    def __init__(self, refused: str = "") -> None:
        self.made: list[str] = []
        self.refused = refused

    def __call__(self, cursor: str, row: Row) -> bytes:
        if row.id == self.refused:
            raise NotPlanned
        self.made.append(row.id)
        return f"{cursor} {row.name}".encode()


def rows_of(*numbers: int | None, name: str = "n") -> list[Row | None]:
    return [None if number is None else Row(row_id(number), name) for number in numbers]


def blocks_of(rows: Sequence[Row | None], size: int) -> list[Block[Row]]:
    return [
        Block(start // size, size, len(rows), rows[start : start + size], 1.0)
        for start in range(0, len(rows), size)
    ]


def page(blocks: Sequence[Block[Row]], start: int, end: int, list_name: str = "rows") -> Slice[Row]:
    by_index = {block.index: block for block in blocks}
    return Slice(by_index, blocks[0].size, Window(start, end), blocks[0].total, list_name)


def jsons(blocks: Sequence[Block[Row]], start: int, end: int, name: str = "rows") -> list[bytes]:
    """Makes each row's JSON anew, with new cursors."""
    fresh = page([replace(block) for block in blocks], start, end, name)
    return [*map(Maker(), fresh.cursors, fresh.rows)]


def joined(blocks: Sequence[Block[Row]], start: int, end: int, name: str = "rows") -> bytes:
    return b",".join(jsons(blocks, start, end, name))


def size_of(json: Sequence[bytes], rows: int, blocks: int = 1) -> int:
    """What the JSON takes of one selection, of blocks with as many rows in all."""
    return SELECTION_BYTES + blocks * BLOCK_BYTES + rows * PLACE_BYTES + sum(map(len, json))


def ids_of(*numbers: int) -> list[str]:
    return [row_id(number) for number in numbers]


# A row


def test_row_has_the_keys_of_its_selection_in_their_order() -> None:
    leaves = Leaf("size", "size"), Leaf("t", None), Leaf("é", "name"), Leaf("id", "id")
    json = json_of(Row("a", 'x"\u2028', 5), *leaves)
    assert json == '{"size":5,"t":"Shown","é":"x\\"\u2028","id":"a"}'.encode()


def test_key_and_value_are_escaped() -> None:
    assert json_of(Row("a", "\\\n%s"), Leaf("__typename", None), Leaf("n", "name")) == (
        rb'{"__typename":"Shown","n":"\\\n%s"}'
    )


def test_null_in_place_of_a_nullable_value() -> None:
    assert json_of(A, Leaf("size", "size")) == b'{"size":null}'


def test_null_in_place_of_a_required_value_has_no_plan() -> None:
    with pytest.raises(NotPlanned):
        json_of(Row("b", None), *NAME)


def test_field_that_is_an_object_has_no_plan() -> None:
    with pytest.raises(NotPlanned):
        RowJson(TYPE, [Leaf("other", "other")], Shower())


# Rows by id


def test_rows_are_found_once_all_of_them_are_there() -> None:
    show = Shower()
    selection = by_id(RenderedRows(), show=show)
    assert found(selection, "a", "b") is None
    add(selection, A)
    assert found(selection, "a", "b") is None
    add(selection, B)
    assert found(selection, "b", "a", "b") == [b'{"id":"b"}', b'{"id":"a"}', b'{"id":"b"}']
    assert found(selection, "a", "b", "c") is None
    assert found(selection) == []
    assert show.shown == ["a", "b"]


def test_only_rows_that_were_read_strictly_between_two_times_are_found() -> None:
    selection = by_id(RenderedRows())
    add(selection, A, read_at=2)
    add(selection, B, read_at=4)
    assert found(selection, "a", "b", after=1.9, before=4.1) is not None
    assert found(selection, "a", "b", after=2, before=4.1) is None
    assert found(selection, "a", "b", after=1.9, before=4) is None
    assert found(selection, "b", after=2, before=4.1) is not None


def test_row_is_known_by_the_text_of_its_id_in_the_request() -> None:
    selection = by_id(RenderedRows())
    selection.add("A", Entry(1, A))
    assert found(selection, "A") == [b'{"id":"a"}']
    assert found(selection, "a") is None


def test_row_that_does_not_exist_is_null() -> None:
    show, memory = Shower(), RenderedRows()
    selection = by_id(memory, show=show)
    assert selection.add("a", Entry(1, None)) == (1, None, b"null")
    assert selection.add("a", Entry(2, None)) == (2, None, b"null")
    assert found(selection, "a", after=1) == [b"null"]
    assert (show.shown, memory.bytes) == ([], SELECTION_BYTES + 4 + ROW_BYTES)
    assert add(selection, A) == [b'{"id":"a"}']
    assert (show.shown, memory.bytes) == (["a"], SELECTION_BYTES + EACH)


def test_equal_row_that_was_read_again_is_not_rendered_again() -> None:
    show, memory = Shower(), RenderedRows()
    selection = by_id(memory, show=show)
    first = selection.add("a", Entry(1, A))
    again = replace(A)
    second = selection.add("a", Entry(5, again))
    assert second.json is first.json
    assert (second.read_at, second.row) == (5, again)
    assert second.row is again
    assert selection.find(["a"], 0, 4, 6) == [second]
    assert selection.find(["a"], 0, 0, 5) is None
    assert (show.shown, memory.bytes) == (["a"], SELECTION_BYTES + EACH)


def test_rows_are_found_as_long_as_the_cache_has_their_version() -> None:
    show = Shower()
    selection = by_id(RenderedRows(), show=show)
    add(selection, A, B)
    assert found(selection, "a") is not None
    assert found(selection, "a", version=1) is None
    add(selection, A)
    assert found(selection, "a", version=1) is not None
    assert found(selection, "b", version=1) is None
    assert found(selection, "a", version=2) is None
    assert show.shown == ["a", "b"]


def test_row_that_has_changed_is_rendered_again_in_place_of_the_earlier_one() -> None:
    show, memory = Shower(), RenderedRows()
    selection = by_id(memory, NAME, show)
    assert add(selection, A) == [b'{"name":"n"}']
    assert add(selection, replace(A, name="longer")) == [b'{"name":"longer"}']
    assert found(selection, "a") == [b'{"name":"longer"}']
    assert memory.bytes == selection.bytes == SELECTION_BYTES + 17 + ROW_BYTES
    assert add(selection, A) == [b'{"name":"n"}']
    assert memory.bytes == selection.bytes == SELECTION_BYTES + 12 + ROW_BYTES
    assert show.shown == ["a", "a", "a"]


def test_row_that_has_no_plan_is_not_kept_and_leaves_the_earlier_one() -> None:
    memory = RenderedRows()
    selection = by_id(memory, NAME)
    add(selection, A)
    for odd in Row("a", None), Row("b", None):
        with pytest.raises(NotPlanned):
            add(selection, odd, read_at=5)
    assert found(selection, "b") is None
    assert found(selection, "a", before=2) == [b'{"name":"n"}']
    assert memory.bytes == selection.bytes == SELECTION_BYTES + 12 + ROW_BYTES


def test_selections_of_one_key_are_shared() -> None:
    memory = RenderedRows()
    selection = shared(memory)
    assert shared(memory) is selection
    assert shared(memory, "another") is not selection
    assert shared(RenderedRows()) is not selection


def test_selection_without_rows_is_forgotten_with_its_last_plan() -> None:
    memory = RenderedRows()
    selection = shared(memory)
    known = weakref.ref(selection)
    assert shared(memory) is known()
    del selection
    assert known() is None


def test_selection_that_no_plan_has_any_more_is_known_as_long_as_its_rows_count() -> None:
    memory = RenderedRows(SELECTION_BYTES + 2 * EACH)
    known = weakref.ref(selection := shared(memory))
    add(selection, A)
    del selection
    assert memory.bytes == SELECTION_BYTES + EACH
    assert found(shared(memory), "a") == [b'{"id":"a"}']
    other = by_id(memory)
    add(other, A, B)
    assert known() is None
    assert memory.bytes == other.bytes == SELECTION_BYTES + 2 * EACH


# Rows of blocks


def test_page_of_one_block_is_the_json_of_its_rows_with_commas_between() -> None:
    make, blocks = Maker(), blocks_of(rows_of(*range(20)), 10)
    rendered = RenderedBlocks(make, RenderedRows())
    cursors = page(blocks, 12, 15).cursors
    assert rendered.rows(page(blocks, 12, 15)) == (
        f"{cursors[0]} n,{cursors[1]} n,{cursors[2]} n".encode()
    )
    for start, end in [(12, 13), (10, 14), (3, 4), (19, 20)]:
        assert rendered.rows(page(blocks, start, end)) == joined(blocks, start, end)


def test_rows_are_made_once() -> None:
    make, blocks = Maker(), blocks_of(rows_of(*range(20)), 10)
    rendered = RenderedBlocks(make, RenderedRows())
    for start, end, made in [(12, 15, [12, 13, 14]), (12, 15, []), (11, 17, [11, 15, 16])]:
        make.made.clear()
        assert rendered.rows(page(blocks, start, end)) == joined(blocks, start, end)
        assert make.made == ids_of(*made)


@pytest.mark.parametrize(("start", "end"), [(9, 11), (5, 15), (0, 20), (7, 30), (9, 21), (10, 20)])
def test_page_of_several_blocks_is_the_json_of_its_rows_with_commas_between(
    start: int, end: int
) -> None:
    make, blocks = Maker(), blocks_of(rows_of(*range(30)), 10)
    rendered = RenderedBlocks(make, RenderedRows())
    for _ in range(2):
        assert rendered.rows(page(blocks, start, end)) == joined(blocks, start, end)
    assert make.made == ids_of(*range(start, end))


@pytest.mark.parametrize("at", [0, 10, 13, 20])
def test_empty_page_is_empty(at: int) -> None:
    make, memory = Maker(), RenderedRows()
    rendered = RenderedBlocks(make, memory)
    assert rendered.rows(page(blocks_of(rows_of(*range(20)), 10), at, at)) == b""
    assert (make.made, memory.bytes) == ([], 0)


def test_block_all_of_whose_rows_are_there_makes_no_row_any_more() -> None:
    make, memory, blocks = Maker(), RenderedRows(), blocks_of(rows_of(*range(17)), 10)
    rendered = RenderedBlocks(make, memory)
    for start, end in [(6, 10), (0, 4), (3, 7), (10, 17)]:
        assert rendered.rows(page(blocks, start, end)) == joined(blocks, start, end)
    assert sorted(make.made) == ids_of(*range(17))
    for start in range(17):
        for end in range(start, 18):
            assert rendered.rows(page(blocks, start, end)) == joined(blocks, start, end)
    assert len(make.made) == 17
    assert memory.bytes == rendered.bytes == size_of(jsons(blocks, 0, 17), 17, 2)


def test_pages_of_a_block_all_of_whose_rows_are_there_are_parts_of_one_text() -> None:
    blocks = blocks_of(rows_of(*range(10)), 10)
    rendered = RenderedBlocks(Maker(), RenderedRows())
    assert isinstance(rendered.rows(page(blocks, 0, 9)), bytes)
    whole, part = (rendered.rows(page(blocks, start, 10)) for start in (0, 9))
    assert isinstance(whole, memoryview)
    assert isinstance(part, memoryview)
    assert part.obj is whole.obj


def test_block_of_one_row_makes_it_once() -> None:
    make, blocks = Maker(), blocks_of(rows_of(*range(3)), 1)
    rendered = RenderedBlocks(make, RenderedRows())
    for start, end in [(1, 2), (0, 3), (1, 3), (2, 3)]:
        assert rendered.rows(page(blocks, start, end)) == joined(blocks, start, end)
    assert make.made == ids_of(1, 0, 2)


def test_page_of_blocks_with_an_unusable_row_is_not_kept() -> None:
    make, memory, blocks = Maker(), RenderedRows(), blocks_of(rows_of(0, None, *range(2, 20)), 10)
    rendered = RenderedBlocks(make, memory)
    for start, end, made in [(0, 3, [0, 2]), (1, 2, []), (8, 11, [8, 9, 10]), (2, 3, [2])]:
        for _ in range(2):
            make.made.clear()
            assert page(blocks, start, end).parts is None
            assert rendered.rows(page(blocks, start, end)) == joined(blocks, start, end)
            assert make.made == ids_of(*made)
    assert memory.bytes == rendered.bytes == 0
    rendered.rows(page(blocks, 10, 20))
    assert memory.bytes == rendered.bytes == size_of(jsons(blocks, 10, 20), 10)


def test_page_of_blocks_that_have_a_row_in_common_has_it_once_and_is_not_kept() -> None:
    make, memory = Maker(), RenderedRows()
    blocks = blocks_of(rows_of(0, 1, 2, 2, 3, 4), 3)
    rendered = RenderedBlocks(make, memory)
    assert rendered.rows(page(blocks, 1, 5)) == joined(blocks, 1, 5)
    assert make.made == ids_of(1, 2, 3)
    assert memory.bytes == 0


def test_block_that_was_read_again_is_rendered_anew_in_place_of_the_older_one() -> None:
    make, memory = Maker(), RenderedRows()
    older = blocks_of(rows_of(*range(20)), 10)
    newer = [replace(older[0], rows=rows_of(*range(10), name="longer")), older[1]]
    rendered = RenderedBlocks(make, memory)
    rendered.rows(page(older, 0, 20))
    assert memory.bytes == size_of(jsons(older, 0, 20), 20, 2)
    make.made.clear()
    assert rendered.rows(page(newer, 2, 8)) == joined(newer, 2, 8)
    assert make.made == ids_of(*range(2, 8))
    assert (
        memory.bytes == rendered.bytes == size_of(jsons(newer, 2, 8) + jsons(newer, 10, 20), 20, 2)
    )
    assert rendered.rows(page(newer, 0, 20)) == joined(newer, 0, 20)
    assert make.made == ids_of(*range(2, 8), 0, 1, 8, 9)
    assert memory.bytes == rendered.bytes == size_of(jsons(newer, 0, 20), 20, 2)


def test_equal_block_that_was_read_again_is_rendered_anew() -> None:
    make, memory, blocks = Maker(), RenderedRows(), blocks_of(rows_of(*range(10)), 10)
    rendered = RenderedBlocks(make, memory)
    rendered.rows(page(blocks, 0, 10))
    rendered.rows(page([replace(blocks[0])], 4, 6))
    assert make.made == ids_of(*range(10), 4, 5)
    assert memory.bytes == rendered.bytes == size_of(jsons(blocks, 4, 6), 10)


def test_first_rows_of_a_block_have_new_cursors_where_the_rows_before_have_changed() -> None:
    make, memory = Maker(), RenderedRows()
    older = blocks_of(rows_of(*range(20)), 10)
    newer = [replace(older[0], rows=rows_of(*range(30, 40))), older[1]]
    rendered = RenderedBlocks(make, memory)
    assert rendered.rows(page(older, 10, 20)) == joined(older, 10, 20)
    make.made.clear()
    assert rendered.rows(page(newer, 15, 20)) == joined(older, 15, 20)
    assert make.made == []
    assert rendered.rows(page(newer, 13, 16)) == joined(newer, 13, 16)
    assert make.made == ids_of(13, 14, 15)
    assert joined(newer, 13, 15) != joined(older, 13, 15)
    assert memory.bytes == rendered.bytes == size_of(jsons(newer, 13, 16), 10)


def test_equal_rows_before_that_were_read_again_change_no_cursor() -> None:
    make, blocks = Maker(), blocks_of(rows_of(*range(20)), 10)
    rendered = RenderedBlocks(make, RenderedRows())
    rendered.rows(page(blocks, 10, 20))
    renamed = replace(blocks[0], rows=rows_of(*range(10), name="longer"))
    assert rendered.rows(page([renamed, blocks[1]], 10, 20)) == joined(blocks, 10, 20)
    assert len(make.made) == 10


def test_two_lists_do_not_share_blocks() -> None:
    make, memory, blocks = Maker(), RenderedRows(), blocks_of(rows_of(*range(10)), 10)
    rendered = RenderedBlocks(make, memory)
    for name in ("one", "other", "one", "other"):
        assert rendered.rows(page(blocks, 0, 3, name)) == joined(blocks, 0, 3, name)
    assert joined(blocks, 0, 3, "one") != joined(blocks, 0, 3, "other")
    assert make.made == ids_of(0, 1, 2, 0, 1, 2)
    assert memory.bytes == size_of(jsons(blocks, 0, 3, "one") + jsons(blocks, 0, 3, "other"), 20, 2)


def test_page_with_a_row_that_has_no_plan_has_none() -> None:
    make, blocks = Maker(refused=row_id(2)), blocks_of(rows_of(*range(5)), 5)
    rendered = RenderedBlocks(make, RenderedRows())
    for _ in range(2):
        with pytest.raises(NotPlanned):
            rendered.rows(page(blocks, 0, 5))
    assert make.made[:2] == ids_of(0, 1)
    assert rendered.rows(page(blocks, 3, 5)) == joined(blocks, 3, 5)


def test_bytes_of_a_block_with_a_row_that_has_no_plan_are_those_of_its_other_rows() -> None:
    memory, blocks = RenderedRows(), blocks_of(rows_of(*range(5)), 5)
    make = Maker(refused=row_id(2))
    rendered = RenderedBlocks(make, memory)
    with pytest.raises(NotPlanned):
        rendered.rows(page(blocks, 0, 5))
    rendered.rows(page(blocks, 0, 2))
    assert memory.bytes == rendered.bytes == size_of(jsons(blocks, 0, 2), 5)
    rendered.rows(page([replace(blocks[0])], 3, 5))
    assert memory.bytes == rendered.bytes == size_of(jsons(blocks, 3, 5), 5)


# Memory


def test_selection_that_was_used_least_recently_forgets_its_rows() -> None:
    memory = RenderedRows(2 * SELECTION_BYTES + 3 * EACH)
    first, second = by_id(memory, ID, Shower()), by_id(memory, ID, Shower())
    add(first, A)
    add(second, A, B)
    assert found(first, "a") is not None
    assert memory.bytes == 2 * SELECTION_BYTES + 3 * EACH
    add(first, C)
    kept = SELECTION_BYTES + 2 * EACH
    assert (first.bytes, second.bytes, memory.bytes) == (kept, 0, kept)
    assert found(second, "a") is None
    assert found(first, "a", "c") is not None


def test_blocks_and_rows_by_id_take_the_place_of_each_other() -> None:
    blocks = blocks_of(rows_of(*range(9)), 9)
    of_blocks, of_row = size_of(jsons(blocks, 0, 9), 9), SELECTION_BYTES + EACH
    memory = RenderedRows(of_blocks + of_row)
    make = Maker()
    rendered, selection = RenderedBlocks(make, memory), by_id(memory)
    rendered.rows(page(blocks, 0, 9))
    add(selection, A)
    assert (rendered.bytes, selection.bytes) == (of_blocks, of_row)
    assert memory.bytes == of_blocks + of_row
    add(selection, B)
    assert (rendered.bytes, selection.bytes, memory.bytes) == (0, of_row + EACH, of_row + EACH)
    assert rendered.rows(page(blocks, 0, 9)) == joined(blocks, 0, 9)
    assert make.made == ids_of(*range(9), *range(9))
    assert (rendered.bytes, selection.bytes, memory.bytes) == (of_blocks, 0, of_blocks)


def test_rows_beyond_the_memory_are_rendered_and_forgotten() -> None:
    memory = RenderedRows(SELECTION_BYTES + EACH - 1)
    selection = by_id(memory)
    assert add(selection, A, B, A) == [b'{"id":"a"}', b'{"id":"b"}', b'{"id":"a"}']
    assert found(selection, "a") is None
    assert memory.bytes == selection.bytes == 0


def test_row_of_a_selection_that_forgets_while_it_renders_is_counted_once() -> None:
    memory = RenderedRows(SELECTION_BYTES + 2 * EACH)
    selection = by_id(memory)
    assert add(selection, A, B, C) == [b'{"id":"a"}', b'{"id":"b"}', b'{"id":"c"}']
    assert memory.bytes == selection.bytes == 0
    add(selection, A)
    assert memory.bytes == selection.bytes == SELECTION_BYTES + EACH


def test_rows_of_an_older_block_are_not_kept() -> None:
    memory, rows = RenderedRows(), rows_of(*range(5))
    known = weakref.ref(rows[0])
    rendered = RenderedBlocks(Maker(), memory)
    rendered.rows(page(blocks_of(rows, 5), 0, 2))
    del rows
    gc.collect()
    assert known() is None
    assert memory.bytes > 0


def test_blocks_beyond_the_memory_are_rendered_and_forgotten() -> None:
    blocks = blocks_of(rows_of(*range(20)), 10)
    one = size_of(jsons(blocks, 0, 10), 10)
    memory = RenderedRows(one)
    make = Maker()
    rendered = RenderedBlocks(make, memory)
    for _ in range(2):
        assert rendered.rows(page(blocks, 0, 20)) == joined(blocks, 0, 20)
        assert memory.bytes == rendered.bytes == 0
    assert make.made == ids_of(*range(20), *range(20))
    rendered.rows(page(blocks, 0, 10))
    assert memory.bytes == rendered.bytes == one


def test_memory_is_full_to_the_byte() -> None:
    blocks = blocks_of(rows_of(*range(7)), 7)
    exactly = size_of(jsons(blocks, 0, 7), 7)
    for maximum, kept in [(exactly, exactly), (exactly - 1, 0)]:
        memory = RenderedRows(maximum)
        RenderedBlocks(Maker(), memory).rows(page(blocks, 0, 7))
        assert memory.bytes == kept


def test_rows_of_blocks_that_no_plan_has_any_more_still_count() -> None:
    blocks = blocks_of(rows_of(*range(5)), 5)
    taken = size_of(jsons(blocks, 0, 5), 5)
    memory = RenderedRows(taken)
    RenderedBlocks(Maker(), memory).rows(page(blocks, 0, 5))
    assert memory.bytes == taken
    selection = by_id(memory)
    add(selection, A)
    assert memory.bytes == selection.bytes == SELECTION_BYTES + EACH


# Any pages


@st.composite
def lists(draw: st.DrawFn) -> list[Block[Row]]:
    size, total = draw(st.integers(1, 7)), draw(st.integers(1, 30))
    unusable = draw(st.sets(st.integers(0, total - 1), max_size=2))
    numbers = [None if at in unusable else at for at in range(total)]
    return blocks_of(rows_of(*numbers), size)


@st.composite
def visits(draw: st.DrawFn, total: int, blocks: int) -> tuple[int, int, int | None, int]:
    """A window, and the block that is read again before, with the rows that moved into it."""
    start = draw(st.integers(0, total))
    end = draw(st.integers(start, total))
    again = draw(st.none() | st.integers(0, blocks - 1))
    return start, end, again, draw(st.sampled_from([0, 0, 1, 100]))


@given(st.data())
def test_any_page_is_the_json_of_its_rows_with_commas_between(data: st.DataObject) -> None:
    blocks = data.draw(lists())
    maximum = data.draw(st.sampled_from([10**6, 15_000, 9000, 900]))
    memory = RenderedRows(maximum)
    selection, all_blocks = by_id(memory), [RenderedBlocks(Maker(), memory) for _ in range(2)]
    pages = st.lists(visits(blocks[0].total, len(blocks)), max_size=12)
    for at, (start, end, again, moved) in enumerate(data.draw(pages)):
        if again is not None:
            block = blocks[again]
            first = again * block.size + moved
            numbers = range(first, first + len(block.rows))
            blocks[again] = replace(block, rows=rows_of(*numbers, name=f"read {at}"))
        for rendered in all_blocks[: 1 + at % 2]:
            assert rendered.rows(page(blocks, start, end)) == joined(blocks, start, end)
        add(selection, Row(str(start), name=str(at)))
        assert memory.bytes == selection.bytes + sum(rendered.bytes for rendered in all_blocks)
        assert 0 <= memory.bytes <= maximum
