from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple
from uuid import UUID

import pytest

from gateway.errors import BadCursor, BadUserInput
from gateway.pagination.sorted_lists import OrderedPage, SortedRows, SortKey, ordered_page

LIST = "segments of a store"


class Named(NamedTuple):
    """A row with a text and a number, either of which may be missing."""

    id: str
    name: str | None = None
    size: int | None = None


def a_row(number: int, name: str | None = None, size: int | None = None) -> Named:
    return Named(str(UUID(int=number)), name, size)


BY_NAME: SortKey[Named] = SortKey("name", lambda row: row.name, is_text=True)
BY_SIZE: SortKey[Named] = SortKey("size", lambda row: row.size)

ROWS = [a_row(1, "b", 5), a_row(2, None, 7), a_row(3, "a", -5), a_row(4, "b"), a_row(5, "", 5)]


def numbers(page: OrderedPage[Named]) -> list[int]:
    return [UUID(row.id).int for row in page.rows]


@pytest.mark.parametrize(
    ("key", "expected"),
    [(None, [1, 2, 3, 4, 5]), (BY_NAME, [5, 3, 1, 4, 2]), (BY_SIZE, [3, 1, 5, 2, 4])],
)
def test_rows_without_a_value_are_last_and_ids_decide_ties(
    key: SortKey[Named] | None, expected: list[int]
) -> None:
    assert numbers(ordered_page(SortedRows(ROWS, key, LIST))) == expected
    turned = SortedRows(ROWS, key, LIST, is_reversed=True)
    assert numbers(ordered_page(turned)) == expected[::-1]


def test_page_has_what_relay_asks_for() -> None:
    ordered = SortedRows(ROWS, BY_NAME, LIST)
    page = ordered_page(ordered, first=2)
    assert (numbers(page), page.has_previous, page.has_next, page.total) == ([5, 3], False, True, 5)
    assert [page.start_cursor, page.end_cursor] == page.cursors
    page = ordered_page(ordered, first=2, after=page.end_cursor)
    assert (numbers(page), page.has_previous, page.has_next) == ([1, 4], True, True)
    page = ordered_page(ordered, last=1, before=page.start_cursor)
    assert (numbers(page), page.has_previous, page.has_next) == ([3], True, True)
    page = ordered_page(ordered, first=0)
    assert (page.rows, page.start_cursor, page.end_cursor) == ([], None, None)
    empty = ordered_page(SortedRows([], BY_NAME, LIST))
    assert (empty.rows, empty.has_previous, empty.has_next, empty.total) == ([], False, False, 0)


def test_filtered_page_counts_what_is_kept_and_takes_the_cursors_of_any_filter() -> None:
    ordered = SortedRows(ROWS, BY_NAME, LIST)
    cursors = ordered_page(ordered).cursors
    page = ordered_page(ordered, [1, 3, 4], first=1)
    assert (numbers(page), page.cursors, page.total) == ([3], [cursors[1]], 3)
    page = ordered_page(ordered, [1, 3, 4], after=cursors[2])
    assert (numbers(page), page.has_previous, page.has_next) == ([4, 2], True, False)


@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize("key", [None, BY_NAME, BY_SIZE])
def test_cursor_marks_its_place_when_its_row_is_gone_or_has_moved(
    key: SortKey[Named] | None, is_reversed: bool
) -> None:
    whole = SortedRows(ROWS, key, LIST, is_reversed=is_reversed)
    order = numbers(ordered_page(whole))
    for at, cursor in enumerate(ordered_page(whole).cursors):
        left = [row for row in ROWS if row.id != whole.rows[at].id]
        moved = [*left, whole.rows[at]._replace(name="zz", size=1000)]
        for rows in (left, moved):
            now = SortedRows(rows, key, LIST, is_reversed=is_reversed)
            after = numbers(ordered_page(now, after=cursor))
            before = numbers(ordered_page(now, last=50, before=cursor))
            assert [row for row in after if row != order[at]] == order[at + 1 :]
            assert [row for row in before if row != order[at]] == order[:at]


@pytest.mark.parametrize("value", [None, "", "a", "𝄞" * 100, -(2**63), 0, 2**63 - 1])
def test_cursor_of_each_value_comes_back(value: str | int | None) -> None:
    key: SortKey[Named] = SortKey("value", lambda _row: value, is_text=isinstance(value, str))
    ordered = SortedRows([a_row(1), a_row(2)], key, LIST)
    page = ordered_page(ordered, first=1)
    assert len(page.cursors[0]) <= 563
    assert numbers(ordered_page(ordered, after=page.end_cursor)) == [2]


def test_only_the_first_100_characters_of_a_name_count() -> None:
    rows = [a_row(1, "x" * 100 + "b"), a_row(2, "x" * 100 + "a"), a_row(3, "x" * 99)]
    ordered = SortedRows(rows, BY_NAME, LIST)
    assert numbers(ordered_page(ordered)) == [3, 1, 2]
    for at, cursor in enumerate(ordered_page(ordered).cursors):
        assert numbers(ordered_page(ordered, after=cursor)) == [3, 1, 2][at + 1 :]


def test_cursor_of_another_list_key_or_direction_is_refused() -> None:
    cursor = ordered_page(SortedRows(ROWS, BY_NAME, LIST)).start_cursor
    for other in (
        SortedRows(ROWS, BY_NAME, "another list"),
        SortedRows(ROWS, BY_SIZE, LIST),
        SortedRows(ROWS, BY_NAME, LIST, is_reversed=True),
    ):
        with pytest.raises(BadCursor, match="`after` is a cursor of another list, or of another"):
            ordered_page(other, after=cursor)


def test_text_that_no_sorted_list_minted_is_refused() -> None:
    for key in (BY_NAME, BY_SIZE):
        ordered = SortedRows(ROWS, key, LIST)
        text = ordered.cursor(0)
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        head = raw[:21]
        tails = [b"\x01\xff", b"\x02a", b"\x01" + b"x" * 101, b"\0" * 9, b"\x01\xed\xa0\x80"]
        wrong = [text[:-1], text + "=", " " + text, as_text(raw[:20]), as_text(raw[:5])]
        wrong += [as_text(head + tail) for tail in tails]
        for one in wrong:
            with pytest.raises(BadCursor, match="`before`"):
                ordered_page(ordered, before=one)


def as_text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_count_beyond_the_maximum_is_refused() -> None:
    with pytest.raises(BadUserInput, match="`first` is 251"):
        ordered_page(SortedRows(ROWS, None, LIST), first=251)
