import pytest

from gateway.errors import BadUserInput
from gateway.pagination import (
    Cursor,
    Window,
    blocks_covering,
    connection_arguments,
    cut_window,
    encode_cursor,
)

LIST = "segments of a store"
CURSOR = encode_cursor(Cursor(7, "00000000-0000-0000-0000-000000000007"), LIST)


@pytest.mark.parametrize(
    ("window", "size", "blocks"),
    [
        (Window(0, 0), 250, []),
        (Window(0, 1), 250, [0]),
        (Window(0, 250), 250, [0]),
        (Window(249, 251), 250, [0, 1]),
        (Window(250, 500), 250, [1]),
        (Window(1, 501), 250, [0, 1, 2]),
        (Window(30, 40), 7, [4, 5]),
    ],
)
def test_blocks_covering_a_window(window: Window, size: int, blocks: list[int]) -> None:
    assert list(blocks_covering(window, size)) == blocks


def test_a_window_of_n_rows_costs_at_most_one_block_more_than_its_rows_fill() -> None:
    for start in range(60):
        for rows in range(1, 40):
            assert len(blocks_covering(Window(start, start + rows), 10)) <= -(-rows // 10) + 1


def test_last_is_applied_to_what_first_has_left() -> None:
    assert cut_window(5, 2, 0, 100) == Window(3, 5)


def test_window_between_crossed_cursors_is_empty() -> None:
    assert cut_window(5, None, 10, 3) == Window(10, 10)


def test_fifty_rows_are_meant_where_no_count_is_given() -> None:
    assert connection_arguments(None, None, None, None, LIST).first == 50
    assert connection_arguments(None, CURSOR, None, None, LIST).first == 50
    assert connection_arguments(None, CURSOR, None, CURSOR, LIST).first == 50


def test_before_alone_pages_backwards() -> None:
    arguments = connection_arguments(None, None, None, CURSOR, LIST)
    assert (arguments.first, arguments.last) == (None, 50)


@pytest.mark.parametrize("count", [-1, 251, 2_147_483_647])
def test_count_out_of_bounds_is_refused_by_name(count: int) -> None:
    with pytest.raises(BadUserInput, match=f"`first` is {count}. Ask for 0 to 250 rows"):
        connection_arguments(count, None, None, None, LIST)
    with pytest.raises(BadUserInput, match=f"`last` is {count}."):
        connection_arguments(None, None, count, None, LIST)
