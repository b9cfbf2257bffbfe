"""Which blocks are all rows of a list: tables, and any drift between the reads of two blocks."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import examples
from gateway.bigcommerce.models import Segment
from gateway.data_source.complete_list import CLOCK_SKEW_SECONDS, complete_list
from gateway.errors import ErrorCode
from gateway.pagination import Block

NOW = 1_800_000_000.0
SIZE = 3


def row(number: int, created_at: float | None = 0.0) -> Segment:
    date = None if created_at is None else datetime.fromtimestamp(created_at, UTC)
    return Segment(id=str(UUID(int=number)), created_at=date)


def block(
    index: int, rows: Sequence[Segment | None], total: int, read_at: float = NOW
) -> Block[Segment]:
    return Block(index, SIZE, total, rows, read_at)


def created(segment: Segment) -> datetime | None:
    return segment.created_at


FIRST = [row(0), row(1), row(2)]
RECENTLY = NOW - CLOCK_SKEW_SECONDS


@pytest.mark.parametrize(
    ("blocks", "is_complete"),
    [
        ([], False),
        ([block(0, [], 0)], True),
        ([block(0, FIRST, 3)], True),
        ([block(0, [row(0, NOW), row(1, None)], 2)], True),  # one answer is one moment
        ([block(0, [row(0), None], 2)], False),
        ([block(0, FIRST, 4)], False),
        ([block(1, [row(3)], 4)], False),
        ([block(0, FIRST, 4), block(1, [row(3)], 4, NOW + 9)], True),
        ([block(1, [row(3)], 4, NOW + 9), block(0, FIRST, 4)], True),
        ([block(0, FIRST, 4), block(1, [row(2)], 4, NOW + 9)], False),  # a row moved
        ([block(0, FIRST, 4), block(1, [None], 4, NOW + 9)], False),
        ([block(0, FIRST, 4), block(1, [row(3, None)], 4, NOW + 9)], False),
        ([block(0, FIRST, 4), block(1, [row(3, RECENTLY - 1)], 4, NOW + 9)], True),
        ([block(0, FIRST, 4), block(1, [row(3, RECENTLY)], 4, NOW + 9)], False),
        # A row was created after the first read, and all of those before are there.
        ([block(0, FIRST, 4), block(1, [row(3), row(4, NOW + 1)], 5, NOW + 9)], True),
        # One was deleted, and one that took its place in the count was created.
        ([block(0, FIRST, 5), block(1, [row(4), row(5, NOW + 1)], 5, NOW + 9)], False),
    ],
)
def test_blocks_are_a_complete_list(blocks: list[Block[Segment]], is_complete: bool) -> None:
    rows = complete_list(blocks, created)
    assert (rows is not None) is is_complete
    if rows is not None:
        assert rows.read_at == NOW
        assert rows.rows.keys() == {one.id for b in blocks for one in b.rows if one is not None}


def test_row_is_as_old_as_its_block_and_an_absence_as_the_oldest() -> None:
    rows = complete_list([block(0, FIRST, 4), block(1, [row(3)], 4, NOW + 9)], created)
    assert rows is not None
    found = rows.find(row(3).id)
    assert (found.read_at, found.value, found.stale_because) == (NOW + 9, row(3), None)
    assert (rows.find(row(7).id).read_at, rows.find(row(7).id).value) == (NOW, None)


def test_row_in_two_blocks_is_that_of_the_newer_one() -> None:
    newer = Segment(id=row(2).id, name="newer", created_at=row(2).created_at)
    rows = complete_list([block(1, [newer], 3, NOW + 9), block(0, FIRST, 3)], created)
    assert rows is not None
    assert rows.find(newer.id).value == newer


def test_stale_list_marks_what_is_found_in_it() -> None:
    rows = complete_list([block(0, FIRST, 3)], created)
    assert rows is not None
    stale = type(rows)(rows.read_at, rows.rows, ErrorCode.RATE_LIMITED)
    for number in (0, 7):
        assert stale.find(row(number).id).stale_because is ErrorCode.RATE_LIMITED


changes = st.lists(
    st.tuples(st.sampled_from(["add", "delete", "move"]), st.integers(0, 20), st.integers(0, 20)),
    max_size=3,
)


@given(
    total=st.integers(0, 13),
    order=st.permutations(range(5)),
    drift=st.lists(changes, min_size=5, max_size=5),
    clock_error=st.floats(-CLOCK_SKEW_SECONDS + 1, CLOCK_SKEW_SECONDS - 1),
)
@settings(max_examples=examples(500))
def test_no_drift_between_two_reads_hides_a_row(
    total: int,
    order: list[int],
    drift: list[list[tuple[str, int, int]]],
    clock_error: float,
) -> None:
    rows = [row(number) for number in range(total)]
    at_first: set[str] | None = None
    blocks: list[Block[Segment]] = []
    now = NOW
    for index, moves in zip(order, drift, strict=True):
        shown = rows[index * SIZE : (index + 1) * SIZE]
        if index == 0 or shown:
            at_first = {one.id for one in rows} if at_first is None else at_first
            blocks.append(block(index, shown, len(rows), now))
        for move, at, to in moves:
            now += 1
            if move == "add":
                new = row(int(now - NOW) + 1000, now + clock_error)
                rows.insert(at % (len(rows) + 1), new)
            elif rows:
                one = rows.pop(at % len(rows))
                if move == "move":
                    rows.insert(to % (len(rows) + 1), one)
        now += 1
    complete = complete_list(blocks, created)
    if complete is not None:
        assert at_first is not None
        assert at_first <= complete.rows.keys()
    if not any(drift):
        assert complete is not None
