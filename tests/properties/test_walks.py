"""Any walk of any list, in any page size, under any clamp and any drift."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st
from moving_list import MovingList, page, row_id

from gateway.pagination import decode_cursor, fingerprint
from gateway.pagination.cursors import REMEMBERED_ROWS

T = TypeVar("T")


def run(coroutine: Coroutine[None, None, T]) -> T:
    return asyncio.run(coroutine)


@st.composite
def still_lists(draw: st.DrawFn) -> MovingList:
    rows = map(row_id, range(draw(st.integers(0, 60))))
    return MovingList([*rows], size=draw(st.integers(1, 25)))


@given(still_lists(), st.integers(0, 30), st.integers(0, 30), st.data())
def test_window_equals_relays_algorithm_on_the_whole_list(
    source: MovingList, first: int, last: int, data: st.DataObject
) -> None:
    """Relay Connections, 4.4, with the whole list in memory as the model."""
    whole = run(page(MovingList(source.rows, size=100), first=250))
    cursors = [whole.cursor(at) for at in range(len(whole.rows))]
    places = st.none() | st.integers(0, len(cursors) - 1) if cursors else st.none()
    after, before = data.draw(places), data.draw(places)
    counts = data.draw(st.sampled_from([(first, None), (None, last), (first, last)]))

    low = 0 if after is None else after + 1
    high = len(cursors) if before is None else before
    edges = list(range(len(cursors)))[low:high] if low <= high else []
    start = low
    if counts[0] is not None:
        edges = edges[: counts[0]]
    if counts[1] is not None:
        start += max(0, len(edges) - counts[1])
        edges = edges[max(0, len(edges) - counts[1]) :]

    answered = run(
        page(
            source,
            first=counts[0],
            after=None if after is None else cursors[after],
            last=counts[1],
            before=None if before is None else cursors[before],
        )
    )
    assert [row.id for row in answered.rows] == [source.rows[at] for at in edges]
    assert answered.total == len(source.rows)
    if edges:
        assert answered.has_previous == (edges[0] > 0)
        assert answered.has_next == (edges[-1] < len(cursors) - 1)


@given(still_lists(), st.integers(1, 30))
def test_both_walks_show_every_row_once_in_one_order(source: MovingList, step: int) -> None:
    forward: list[str] = []
    cursor = None
    while True:
        answer = run(page(source, first=step, after=cursor))
        assert answer.has_previous == bool(forward)
        forward += [row.id for row in answer.rows]
        assert answer.has_next == (len(forward) < len(source.rows))
        if not answer.has_next:
            break
        cursor = answer.cursor(-1)
    backward: list[str] = []
    cursor = None
    while True:
        answer = run(page(source, last=step, before=cursor))
        assert answer.has_next == bool(backward)
        backward = [row.id for row in answer.rows] + backward
        if not answer.has_previous:
            break
        cursor = answer.cursor(0)
    assert forward == source.rows
    assert backward == source.rows


Change = tuple[str, int, int]
changes = st.lists(
    st.tuples(st.sampled_from(["insert", "delete"]), st.integers(0, 10_000), st.integers(1, 8)),
    max_size=4,
)


def apply(source: MovingList, change: Change, next_id: list[int]) -> None:
    kind, place, number = change
    at = place % (len(source.rows) + 1)
    if kind == "delete":
        del source.rows[at : at + number]
        return
    for _ in range(number):
        next_id[0] += 1
        source.rows.insert(at, row_id(next_id[0]))


@settings(max_examples=300)
@given(still_lists(), st.lists(st.tuples(st.integers(1, 12), changes), max_size=30))
def test_forward_walk_shows_every_row_that_stayed_once_whatever_the_drift(
    source: MovingList, steps: list[tuple[int, list[Change]]]
) -> None:
    stayed = [i for i in source.rows if i is not None]
    next_id = [1_000_000]
    shown: list[str] = []
    cursor: str | None = None
    remembered: list[str] = []
    for first, drift in [*steps, *[(50, list[Change]())] * 40]:
        answer = run(page(source, first=first, after=cursor))
        shown += [row.id for row in answer.rows]
        if not answer.has_next:
            break
        if answer.rows:
            cursor = answer.cursor(-1)
            known = decode_cursor(cursor, source.name, "after")
            left = [i for i in shown[-1 - REMEMBERED_ROWS : -1] if i in source.rows]
            assert {fingerprint(i) for i in left} <= {*known.before}
            remembered = [known.row_id]
            remembered += [i for i in source.rows if i and fingerprint(i) in known.before]
        for change in drift:
            apply(source, change, next_id)
        stayed = [i for i in stayed if i in source.rows]
        if cursor is not None and not set(remembered) & set(source.rows):
            return  # every row that the cursor remembers is gone: no promise is left
    else:
        raise AssertionError("the walk does not end")
    assert [i for i in shown if i in set(stayed)] == stayed
    assert len(shown) == len(set(shown))


@given(still_lists(), st.integers(1, 30), st.lists(changes, min_size=1, max_size=12))
def test_page_never_fails_nor_repeats_a_row_while_the_list_changes_at_every_read(
    source: MovingList, first: int, drifts: list[list[Change]]
) -> None:
    next_id = [1_000_000]
    script = iter(drifts)

    def drift() -> None:
        for change in next(script, []):
            apply(source, change, next_id)

    opening = run(page(source, first=first))
    cursor = opening.cursor(-1) if opening.rows else None
    source.before_each_read = drift
    answer = run(page(source, first=first, after=cursor))
    ids = [row.id for row in answer.rows]
    assert len(ids) == len(set(ids))
    assert len(ids) <= first
