"""Walks through the whole gateway: costs, drift, clamps, and the plural fields."""

import asyncio
from base64 import b64encode
from itertools import product
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from in_process import InProcess, in_process

from examples import examples
from gateway.emulator import SegmentRow, Store
from gateway.pagination import decode_cursor, fingerprint
from gateway.pagination.cursors import REMEMBERED_ROWS

DAY = "2024-05-01T10:00:00Z"
many_examples = settings(max_examples=examples(60))


def a_row(number: int) -> SegmentRow:
    return SegmentRow(str(UUID(int=number, version=4)), f"Segment {number}", None, DAY, DAY)


def a_store(rows: int) -> Store:
    return Store([a_row(number) for number in range(rows)])


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("step", [1, 7, 30, 50, 250])
async def test_walk_of_1000_costs_four_requests_while_the_blocks_are_fresh(
    step: int, backward: bool
) -> None:
    gateway = in_process(1000, CACHE_TTL_SECONDS="600")
    rows = [row.id for row in gateway.emulator.store.segments]
    assert await gateway.walk(step, backward=backward) == rows
    assert gateway.upstream_requests == 4


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("step", [1, 7, 30, 50, 250])
async def test_walk_of_1000_costs_at_most_21_requests_when_clamped_to_50(
    step: int, backward: bool
) -> None:
    gateway = in_process(1000, max_limit=50, CACHE_TTL_SECONDS="600")
    rows = [row.id for row in gateway.emulator.store.segments]
    assert await gateway.walk(step, backward=backward) == rows
    assert gateway.upstream_requests <= 21


def beside(cursor: str | None, count: int, *, backward: bool) -> dict[str, object]:
    """Returns the arguments for the next page of a walk."""
    return {"last": count, "before": cursor} if backward else {"first": count, "after": cursor}


async def test_row_has_one_cursor_in_every_page_direction_process_and_size_of_blocks() -> None:
    cursors: dict[str, set[str]] = {}
    for max_limit in (250, 50, 7, 3):
        gateway = in_process(a_store(300), max_limit=max_limit)
        for step, backward in product((250, 60, 7), (False, True)):
            cursor, more = None, True
            while more:
                page = await gateway.page(**beside(cursor, step, backward=backward))
                for edge in page["edges"]:
                    cursors.setdefault(edge["node"]["entityId"], set()).add(edge["cursor"])
                cursor = page["pageInfo"]["startCursor" if backward else "endCursor"]
                more = page["pageInfo"]["hasPreviousPage" if backward else "hasNextPage"]
    assert [len(texts) for texts in cursors.values()] == [1] * 300


Change = tuple[str, int, int]
a_change = st.tuples(
    st.sampled_from(["insert", "delete"]), st.integers(0, 10_000), st.integers(1, 8)
)


def apply(store: Store, change: Change, next_number: list[int]) -> None:
    kind, place, number = change
    at = place % (len(store.segments) + 1)
    if kind == "delete":
        store.delete([row.id for row in store.segments[at : at + number]])
        return
    for _ in range(number):
        next_number[0] += 1
        store.insert(a_row(next_number[0]), at)


def ids_of(store: Store) -> list[str]:
    return [row.id for row in store.segments]


def remembers_any(cursor: str, gateway: InProcess) -> bool:
    """Tells whether a row is left that the cursor remembers, or all before it were remembered."""
    known = decode_cursor(cursor, gateway.services.segments.name, "after")
    there = ids_of(gateway.emulator.store)
    is_left = known.row_id in there or any(fingerprint(i) in known.before for i in there)
    return is_left or known.offset <= REMEMBERED_ROWS


class Clock:
    """Goes on when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


# The rows of a page, what changes then, and how many seconds go by.
Step = tuple[int, list[Change], float]


async def walk_while_changing(
    gateways: list[InProcess], clock: Clock, steps: list[Step], *, backward: bool
) -> None:
    """Asserts that every row that stayed is shown exactly once; the gateways take turns."""
    store = gateways[0].emulator.store
    stayed = ids_of(store)
    next_number = [1_000_000]
    shown: list[str] = []
    cursor = None
    for at, (count, changes, seconds) in enumerate([*steps, *[(50, list[Change](), 0.0)] * 20]):
        gateway = gateways[at % len(gateways)]
        page = await gateway.page(**beside(cursor, count, backward=backward))
        ids = [edge["node"]["entityId"] for edge in page["edges"]]
        shown = [*ids, *shown] if backward else [*shown, *ids]
        if not page["pageInfo"]["hasPreviousPage" if backward else "hasNextPage"]:
            break
        cursor = page["pageInfo"]["startCursor" if backward else "endCursor"] or cursor
        clock.seconds += seconds
        for change in changes:
            apply(store, change, next_number)
        there = set(ids_of(store))
        stayed = [row_id for row_id in stayed if row_id in there]
        if cursor is not None and not remembers_any(cursor, gateways[0]):
            return
    assert [row_id for row_id in shown if row_id in set(stayed)] == stayed
    assert len(shown) == len(set(shown))


counts = st.integers(1, 12)
block_sizes = st.integers(1, 12)


@many_examples
@given(
    st.integers(0, 40),
    block_sizes,
    st.lists(st.tuples(counts, st.lists(a_change, max_size=3), st.just(0.0)), max_size=20),
    st.booleans(),
)
@example(
    # A row stands between two that a cursor could remember, and only the farther one is left.
    rows=39,
    max_limit=1,
    steps=[
        (4, [("delete", 4, 7), ("delete", 4, 8), ("insert", 252, 1)], 0.0),
        (1, [("delete", 7256, 4)], 0.0),
    ],
    backward=False,
)
def test_walk_is_right_under_any_drift_and_any_clamp(
    rows: int, max_limit: int, steps: list[Step], backward: bool
) -> None:
    gateway = in_process(a_store(rows), max_limit=max_limit, CACHE_TTL_SECONDS="0")
    asyncio.run(walk_while_changing([gateway], Clock(), steps, backward=backward))


@many_examples
@given(
    st.integers(0, 40),
    block_sizes,
    st.sampled_from(["insert", "delete"]),
    st.lists(
        st.tuples(
            counts,
            st.lists(a_change, max_size=3),
            st.sampled_from([0.0, 0.02, 1.0, 4.0, 6.0, 14.0, 16.0]),
        ),
        max_size=20,
    ),
    st.booleans(),
)
def test_walk_over_cached_blocks_is_right_while_the_list_only_grows_or_only_shrinks(
    rows: int, max_limit: int, kind: str, steps: list[Step], backward: bool
) -> None:
    """Blocks read at different times never mix; docs/decisions/ says what this leaves."""
    clock = Clock()
    gateway = in_process(a_store(rows), max_limit=max_limit, clock=clock)
    only = [
        (count, [(kind, at, n) for _, at, n in changes], seconds)
        for count, changes, seconds in steps
    ]
    asyncio.run(walk_while_changing([gateway], clock, only, backward=backward))


@many_examples
@given(
    st.integers(0, 40),
    st.tuples(block_sizes, block_sizes),
    st.lists(
        st.tuples(
            counts,
            st.lists(
                st.tuples(st.just("insert"), st.integers(0, 10_000), st.integers(1, 8)), max_size=1
            ),
            st.sampled_from([0.0, 0.02, 1.0, 4.0, 11.0]),
        ),
        max_size=9,
    ),
    st.booleans(),
)
def test_walk_over_two_processes_is_right_while_the_list_grows(
    rows: int, max_limits: tuple[int, int], steps: list[Step], backward: bool
) -> None:
    """Each has blocks of its own, of another size, read at other times; they share the cursors."""
    clock, store = Clock(), a_store(rows)
    gateways = [in_process(store, max_limit=max_limit, clock=clock) for max_limit in max_limits]
    asyncio.run(walk_while_changing(gateways, clock, steps, backward=backward))


@settings(max_examples=examples(40))
@given(st.data())
def test_plural_fields_commute_with_permutations(data: st.DataObject) -> None:
    store = a_store(12)
    known = [row.id for row in store.segments] + [a_row(99).id, "bad", "", a_row(98).id.upper()]
    ids = data.draw(st.lists(st.sampled_from(known), max_size=30))
    order = data.draw(st.permutations(range(len(ids))))
    query = """query($entityIds: [ID!]!, $ids: [ID!]!) {
      segmentsByEntityId(entityIds: $entityIds) { entityId name }
      nodes(ids: $ids) { id ... on Segment { name } } }"""

    async def ask(gateway: InProcess, texts: list[str]) -> tuple[list[object], list[object]]:
        global_ids = [b64encode(f"Segment:{text}".encode()).decode() for text in texts]
        answer = await gateway.ask(query, entityIds=texts, ids=global_ids)
        errors = {tuple(error["path"]): error["message"] for error in answer.get("errors", ())}
        first, second = (
            [errors.get((field, at), item) for at, item in enumerate(answer["data"][field])]
            for field in ("segmentsByEntityId", "nodes")
        )
        return first, second

    async def compare() -> None:
        straight = await ask(in_process(store), ids)
        permuted = await ask(in_process(store), [ids[at] for at in order])
        for before, after in zip(straight, permuted, strict=True):
            assert after == [before[at] for at in order]

    asyncio.run(compare())


async def test_cursor_remembers_five_rows_whatever_the_size_of_blocks_and_pages() -> None:
    gateway = in_process(a_store(20), max_limit=1, CACHE_TTL_SECONDS="0")
    cursor = None
    for _ in range(10):
        cursor = (await gateway.page(first=1, after=cursor))["pageInfo"]["endCursor"]
    gateway.emulator.store.delete([a_row(number).id for number in (9, 8, 7, 6, 5)])
    page = await gateway.page(first=1, after=cursor)
    assert [edge["node"]["entityId"] for edge in page["edges"]] == [a_row(10).id]
