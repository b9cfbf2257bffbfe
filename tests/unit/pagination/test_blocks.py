"""The cursors of a block, made once, and whether blocks have a row in common."""

import weakref
from dataclasses import replace

import pytest
from moving_list import row_id

from gateway.bigcommerce.models import Segment
from gateway.pagination import Block, BlockCursors, Cursor, decode_cursor, fingerprint
from gateway.pagination.blocks import are_apart, do_agree

LIST = "segments of a store"


def rows_of(*numbers: int | None) -> list[Segment | None]:
    return [None if number is None else Segment(id=row_id(number)) for number in numbers]


def block_of(*numbers: int | None, index: int = 1, size: int = 10) -> Block[Segment]:
    return Block(index, size, 100, rows_of(*numbers), 1.0)


def cursor_of(offset: int, number: int, *before: int) -> Cursor:
    return Cursor(offset, row_id(number), tuple(fingerprint(row_id(one)) for one in before))


def decoded(cursors: BlockCursors[Segment], low: int, high: int) -> list[Cursor | None]:
    texts = cursors.between(low, high)
    return [None if text is None else decode_cursor(text, LIST, "after") for text in texts]


def test_cursors_have_the_offset_of_their_row_and_remember_the_rows_before() -> None:
    cursors = BlockCursors(LIST, 10, rows_of(*range(10, 20)))
    assert cursors.follow(rows_of(*range(5, 10)))
    assert decoded(cursors, 0, 1) == [cursor_of(10, 10, 9, 8, 7, 6, 5)]
    assert decoded(cursors, 2, 7) == [
        cursor_of(12, 12, 11, 10, 9, 8, 7),
        cursor_of(13, 13, 12, 11, 10, 9, 8),
        cursor_of(14, 14, 13, 12, 11, 10, 9),
        cursor_of(15, 15, 14, 13, 12, 11, 10),
        cursor_of(16, 16, 15, 14, 13, 12, 11),
    ]


def test_first_rows_of_a_list_remember_those_that_there_are() -> None:
    cursors = BlockCursors(LIST, 0, rows_of(*range(9)))
    assert decoded(cursors, 0, 2) == [cursor_of(0, 0), cursor_of(1, 1, 0)]


def test_each_cursor_is_made_once() -> None:
    cursors = BlockCursors(LIST, 0, rows_of(*range(9)))
    some = cursors.between(2, 4)
    every = cursors.between(0, 9)
    again = cursors.between(0, 9)
    assert len(every) == 9
    assert [id(text) for text in every[2:4]] == [id(text) for text in some]
    assert [id(text) for text in again] == [id(text) for text in every]


def test_only_the_cursors_that_are_asked_for_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def encode(cursor: Cursor, list_name: str) -> str:
        made.append(cursor.offset)
        return f"{list_name} {cursor.offset}"

    monkeypatch.setattr("gateway.pagination.blocks.encode_cursor", encode)
    cursors = BlockCursors("rows", 10, rows_of(*range(9)))
    assert cursors.between(2, 4) == ["rows 12", "rows 13"]
    cursors.between(3, 6)
    cursors.between(2, 6)
    assert made == [12, 13, 14, 15]


def test_row_that_cannot_be_used_has_no_cursor_and_is_not_remembered() -> None:
    cursors = BlockCursors(LIST, 10, rows_of(10, None, 12, None))
    assert cursors.follow(rows_of(8, None))
    expected = [cursor_of(10, 10, 8), None, cursor_of(12, 12, 10, 8), None]
    for _ in range(2):
        assert decoded(cursors, 0, 4) == expected
    assert cursors.between(1, 2) == [None]


def test_cursors_beyond_the_rows_are_left_out() -> None:
    cursors = BlockCursors(LIST, 0, rows_of(0, None))
    assert decoded(cursors, 0, 5) == [cursor_of(0, 0), None]
    assert cursors.between(2, 5) == []


def test_block_keeps_its_cursors_as_long_as_the_rows_before_are_the_same() -> None:
    block = block_of(*range(10, 20))
    cursors = block.cursors(LIST, rows_of(*range(5, 10)))
    assert block.cursors(LIST, rows_of(*range(5, 10))) is cursors
    assert cursors.rows is block.rows


@pytest.mark.parametrize("before", [(6, 5, 7, 8, 9), (None, 6, 7, 8, 9), (6, 7, 8, 9), ()])
def test_block_has_new_cursors_where_the_rows_before_have_changed(
    before: tuple[int | None, ...],
) -> None:
    block = block_of(*range(10, 20))
    cursors = block.cursors(LIST, rows_of(*range(5, 10)))
    changed = block.cursors(LIST, rows_of(*before))
    assert changed is not cursors
    assert block.cursors(LIST, rows_of(*before)) is changed
    usable = [number for number in before if number is not None]
    assert decoded(changed, 0, 1) == [cursor_of(10, 10, *usable[::-1])]
    assert changed.between(5, 10) == cursors.between(5, 10)


def test_known_cursors_do_where_none_depends_on_the_rows_before() -> None:
    block = block_of(*range(10, 20))
    cursors = block.cursors(LIST, rows_of(*range(5, 10)))
    assert block.cursors(LIST, None) is cursors


def test_cursors_that_were_made_without_the_rows_before_get_them_later() -> None:
    block = block_of(*range(10, 20))
    cursors = block.cursors(LIST, None)
    later = cursors.between(5, 10)
    assert block.cursors(LIST, rows_of(*range(5, 10))) is cursors
    assert decoded(cursors, 0, 1) == [cursor_of(10, 10, 9, 8, 7, 6, 5)]
    assert cursors.between(5, 10) == later


def test_each_list_and_each_block_has_cursors_of_its_own() -> None:
    block = block_of(*range(10, 20))
    cursors, other = block.cursors(LIST, None), block.cursors("another list", None)
    assert other is not cursors
    assert other.between(5, 6) != cursors.between(5, 6)
    assert block.cursors(LIST, None) is cursors
    again = replace(block).cursors(LIST, None)
    assert again is not cursors
    assert again.between(5, 6) == cursors.between(5, 6)


def test_blocks_are_apart_unless_they_have_a_row_in_common() -> None:
    one, other, overlapping = block_of(1, 2, 3), block_of(4, None, 5), block_of(3, 4)
    for _ in range(2):
        assert one.is_apart_from(other)
        assert other.is_apart_from(one)
        assert not one.is_apart_from(overlapping)
        assert not overlapping.is_apart_from(one)
        assert not other.is_apart_from(overlapping)


def test_rows_that_cannot_be_used_are_no_rows_in_common() -> None:
    assert block_of(None, 1).is_apart_from(block_of(2, None))
    assert are_apart([block_of(None, 1), block_of(2, None), block_of(None)])


def test_block_in_place_of_one_that_was_apart_is_compared_anew() -> None:
    one, other = block_of(1, 2, 3), block_of(4, 5)
    assert one.is_apart_from(other)
    moved = replace(other, rows=rows_of(3, 4))
    assert not one.is_apart_from(moved)
    assert one.is_apart_from(other)
    assert not replace(one, rows=rows_of(2, 5)).is_apart_from(other)
    for blocks in ([one, moved], [moved, one]):
        assert not are_apart(blocks)
    assert are_apart([one, replace(moved, rows=rows_of(6))])


def test_block_that_is_apart_is_not_kept_in_memory() -> None:
    one, other = block_of(1, 2, 3), block_of(4, 5)
    assert one.is_apart_from(other)
    known = weakref.ref(other)
    del other
    assert known() is None
    assert not one.is_apart_from(block_of(3))
    assert one.is_apart_from(block_of(4))


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([], True),
        ([[]], True),
        ([[1, None, 2]], True),
        ([[], []], True),
        ([[1, 2], [3, 4]], True),
        ([[1, 2], [2, 3]], False),
        ([[1], [1]], False),
        ([[1, 2], [3, 4], [5, None]], True),
        ([[1, 2], [2, 3], [4, 5]], False),
        ([[1, 2], [3, 4], [4, 5]], False),
        ([[1, 2], [3, 4], [5, 1]], False),
    ],
)
def test_any_number_of_blocks_is_apart_if_no_row_stands_in_two(
    blocks: list[list[int | None]], expected: bool
) -> None:
    read = {index: block_of(*numbers, index=index) for index, numbers in enumerate(blocks)}
    for _ in range(2):
        assert are_apart(read.values()) == expected
        assert are_apart([*read.values()][::-1]) == expected


def test_three_blocks_of_which_one_was_replaced_are_compared_anew() -> None:
    blocks = [block_of(1, 2), block_of(3, 4), block_of(5, 6)]
    assert are_apart(blocks)
    moved = replace(blocks[2], rows=rows_of(4, 5))
    assert not are_apart([*blocks[:2], moved])
    assert are_apart([blocks[0], moved])
    assert not are_apart([blocks[1], moved])


def test_blocks_of_one_version_are_apart_alike_in_total_and_read_together() -> None:
    one, other = block_of(1, 2), block_of(3, 4, index=2)
    assert do_agree([one], 0)
    assert do_agree([one, other], 0)
    assert not do_agree([one, replace(other, total=99)], 0)
    assert not do_agree([one, replace(other, rows=rows_of(2, 3))], 0)
    late = replace(other, read_at=one.read_at + 5)
    assert do_agree([one, late], 5)
    assert not do_agree([one, late], 4.9)
