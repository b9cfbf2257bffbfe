"""Any walk of any list, either way, in any page size, under any clamp and any drift.

`pytest --hypothesis-profile=long tests/properties/test_walks.py` tries many more examples.
"""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import product

from hypothesis import example, given, settings
from hypothesis import strategies as st
from moving_list import MovingList, page, row_id

from examples import examples
from gateway.bigcommerce.models import Segment
from gateway.pagination import Cursor, Slice, decode_cursor, encode_cursor, fingerprint
from gateway.pagination.cursors import REMEMBERED_ROWS

many_examples = settings(max_examples=examples(400))

Rows = Sequence[str | None]
Change = tuple[str, int, int]

# Small blocks often: an upstream that clamps has them, and they have more seams.
sizes = st.integers(1, 7) | st.integers(1, 250)
counts = st.integers(1, 12)
# Often near the start, where a cursor remembers all that stands before it.
places = st.integers(0, 9) | st.integers(0, 60)
changes = st.lists(
    st.tuples(
        st.sampled_from(["insert", "delete", "insert unusable", "make unusable"]),
        places,
        st.integers(1, 12),
    ),
    max_size=4,
)


@st.composite
def lists(draw: st.DrawFn) -> MovingList:
    rows: list[str | None] = [*map(row_id, range(draw(st.integers(0, 60))))]
    for start, number in draw(
        st.just([]) | st.lists(st.tuples(places, st.integers(1, 20)), max_size=3)
    ):
        rows[start : start + number] = [None] * len(rows[start : start + number])
    return MovingList(rows, size=draw(sizes), largest=draw(sizes))


class Drift:
    """Changes a list; every row that it adds is new."""

    def __init__(self) -> None:
        self._number = 1_000_000

    def apply(self, source: MovingList, wanted: Iterable[Change]) -> None:
        for kind, place, number in wanted:
            at = place % (len(source.rows) + 1)
            there = source.rows[at : at + number]
            if kind == "delete":
                del source.rows[at : at + number]
            elif kind == "make unusable":
                source.rows[at : at + number] = [None] * len(there)
            elif kind == "insert unusable":
                source.rows[at:at] = [None] * number
            else:
                source.rows[at:at] = [row_id(self._number + n) for n in range(number)]
                self._number += number


def cursor_at(source: MovingList, offset: int) -> str:
    """Returns the one cursor of a row: it follows from the list alone."""
    row, before = source.rows[offset], source.rows[max(0, offset - REMEMBERED_ROWS) : offset]
    assert row is not None
    remembered = tuple(fingerprint(other) for other in reversed(before) if other is not None)
    return encode_cursor(Cursor(offset, row, remembered), source.name)


def holds(source: MovingList, cursor: str) -> bool:
    """Tells whether a row is left that the cursor remembers, or all before it were remembered."""
    known = decode_cursor(cursor, source.name, "after")
    left = [row for row in source.rows if row is not None]
    is_there = known.row_id in left or any(fingerprint(row) in known.before for row in left)
    return is_there or known.offset <= REMEMBERED_ROWS


def check_cursors(source: MovingList, answer: Slice[Segment]) -> None:
    offsets = {row: offset for offset, row in enumerate(source.rows)}
    for at, row in enumerate(answer.rows):
        assert answer.cursors[at] == cursor_at(source, offsets[row.id])


# Of a page: its ids, `hasPreviousPage`, `hasNextPage`.
Expected = tuple[list[str], bool, bool]


def relay(rows: Rows, low: int, high: int, first: int | None, last: int | None) -> Expected:
    """Relay Connections, 4.4, between two gaps of a list; a page is never empty without need."""
    start, end = low, max(low, high)
    if first is not None:
        end = min(end, start + first)
    if last is not None:
        start = max(start, end - last)
    step = end - start
    while step and last is not None and not any(rows[start:end]) and start > low:
        start = max(low, start - step)
    while step and first is not None and not any(rows[start:end]) and end < high:
        end = min(high, end + step)
    ids = [row for row in rows[start:end] if row is not None]
    return ids, start > 0, end < len(rows)


def gaps(old: Rows, new: Rows, at: int) -> range:
    """Returns the gaps of a list that part its rows as the one before `at` once parted them."""
    before = [place for place, row in enumerate(new) if row is not None and row in old[:at]]
    behind = [place for place, row in enumerate(new) if row is not None and row in old[at:]]
    return range(max(before, default=-1) + 1, min(behind, default=len(new)) + 1)


@many_examples
@given(
    lists(),
    st.integers(0, 30) | st.none(),
    st.integers(0, 30) | st.none(),
    changes,
    st.tuples(sizes, sizes),
    st.data(),
)
def test_page_between_any_cursors_is_relays_whatever_has_changed_since(
    source: MovingList,
    first: int | None,
    last: int | None,
    drift: list[Change],
    blocks: tuple[int, int],
    data: st.DataObject,
) -> None:
    """Relay Connections, 4.4, with the whole list in memory as the model."""
    if first is None and last is None:
        first = 1
    usable = [offset for offset, row in enumerate(source.rows) if row is not None]
    offsets = st.none() | st.sampled_from(usable) if usable else st.none()
    at_after, at_before = data.draw(offsets, "after"), data.draw(offsets, "before")
    old = [*source.rows]
    after = None if at_after is None else cursor_at(source, at_after)
    before = None if at_before is None else cursor_at(source, at_before)
    Drift().apply(source, drift)
    source.size, source.largest = blocks
    answer = asyncio.run(page(source, first=first, after=after, last=last, before=before))
    check_cursors(source, answer)
    assert answer.total == len(source.rows)
    if all(holds(source, cursor) for cursor in (after, before) if cursor is not None):
        end = len(source.rows)
        lows = range(1) if at_after is None else gaps(old, source.rows, at_after + 1)
        highs = range(end, end + 1) if at_before is None else gaps(old, source.rows, at_before)
        answered = ([row.id for row in answer.rows], answer.has_previous, answer.has_next)
        assert answered in [
            relay(source.rows, low, high, first, last) for low, high in product(lows, highs)
        ]


# The rows of a page, what is known of the upstream's blocks, what they are, and what happens next.
Step = tuple[int, int, int, list[Change]]
steps = st.lists(st.tuples(counts, sizes, sizes, changes), max_size=30)


@many_examples
@given(lists(), steps, st.booleans())
@example(
    # The cursor stands first in its block, its row is deleted, and the list grows at the start.
    source=MovingList([row_id(n) for n in range(20)], size=5),
    script=[(5, 5, 250, [("delete", 15, 1), ("insert", 0, 3)])],
    backward=True,
)
def test_walk_shows_every_row_that_stayed_once_whatever_the_drift(
    source: MovingList, script: list[Step], backward: bool
) -> None:
    asyncio.run(walk(source, script, backward))


async def walk(source: MovingList, script: list[Step], backward: bool) -> None:
    drift = Drift()
    stayed = [row for row in source.rows if row is not None]
    shown: list[str] = []
    cursor: str | None = None
    holds_still: list[Step] = [(50, source.size, source.largest, [])] * 40
    for count, source.size, source.largest, wanted in [*script, *holds_still]:
        if backward:
            answer = await page(source, last=count, before=cursor)
        else:
            answer = await page(source, first=count, after=cursor)
        check_cursors(source, answer)
        ids = [row.id for row in answer.rows]
        shown = [*ids, *shown] if backward else [*shown, *ids]
        if not (answer.has_previous if backward else answer.has_next):
            break
        assert ids, "there is more, and no cursor to go on from"
        cursor = answer.cursors[0 if backward else -1]
        drift.apply(source, wanted)
        stayed = [row for row in stayed if row in source.rows]
        if not holds(source, cursor):
            return
    else:
        raise AssertionError("the walk does not end")
    assert [row for row in shown if row in set(stayed)] == stayed
    assert len(shown) == len(set(shown))


@given(lists(), st.integers(1, 30), st.lists(changes, min_size=1, max_size=12), st.booleans())
def test_page_never_fails_nor_repeats_a_row_while_the_list_changes_at_every_read(
    source: MovingList, count: int, drifts: list[list[Change]], backward: bool
) -> None:
    script, drift = iter(drifts), Drift()

    async def read() -> list[str]:
        opening = await page(source, first=count)
        source.before_each_read = lambda: drift.apply(source, next(script, []))
        if backward:
            cursor = opening.cursors[0] if opening.rows else None
            answer = await page(source, last=count, before=cursor)
        else:
            cursor = opening.cursors[-1] if opening.rows else None
            answer = await page(source, first=count, after=cursor)
        return [row.id for row in answer.rows]

    ids = asyncio.run(read())
    assert len(ids) == len(set(ids))
    assert len(ids) <= count
