"""Walks of sorted, filtered and reversed segments through the whole gateway, beside a model."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from in_process import Answer, InProcess, in_process

from examples import examples
from gateway.emulator import SegmentRow, Store
from gateway.pagination import decode_cursor, fingerprint
from gateway.pagination.cursors import REMEMBERED_ROWS

many_examples = settings(max_examples=examples(60))

PAGE = """
query (
  $first: Int, $after: String, $last: Int, $before: String,
  $filter: SegmentFilter, $sortKey: SegmentSortKey, $reverse: Boolean
) {
  segments(
    first: $first, after: $after, last: $last, before: $before,
    filter: $filter, sortKey: $sortKey, reverse: $reverse
  ) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { entityId } }
  }
  segmentsCount(filter: $filter)
}
"""

# Names, and what they are compared by.
NAMES: dict[str | None, str | None] = {
    "VIP": "vip",
    "vip": "vip",
    "Élan": "elan",
    "elan b": "elan b",
    "Straße": "strasse",
    "ﬁrst": "first",
    "": "",
    None: None,
    "x" * 99 + "Äb": "x" * 99 + "a",
    "x" * 99 + "aa": "x" * 99 + "a",
}
# In two of these, the moment is the same; in the last, there is none.
DATES = (
    "2024-05-01T10:00:00Z",
    "2024-05-01T12:00:00+02:00",
    "2024-05-01T10:00:00.000001Z",
    "1969-12-31T23:59:59.999Z",
    "2025-01-01T00:00:00Z",
    "",
)
PARTS = {None: "", "": "", " ": "", "ELAN": "elan", " é ": "e", "SS": "ss", "ß": "ss", "q": "q"}
ENDS = (None, "2024-05-01T10:00:00Z", "2024-05-01T10:00:00.000001Z", "2025-01-01T02:00:00+02:00")


def moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


Value = Callable[[SegmentRow], object]
VALUES: dict[str, Value] = {
    "STORE_ORDER": lambda row: None,
    "NAME": lambda row: NAMES[row.name],
    "CREATED_AT": lambda row: moment(row.created_at),
    "UPDATED_AT": lambda row: moment(row.updated_at),
}


class Asked(NamedTuple):
    """What a walk asks for; a range is its two ends."""

    sort_key: str
    reverse: bool
    name_part: str | None = None
    created: tuple[str | None, str | None] | None = None
    updated: tuple[str | None, str | None] | None = None

    @property
    def variables(self) -> dict[str, object]:
        ranges = {
            name: {key: end for key, end in zip(("from", "to"), ends, strict=True) if end}
            for name, ends in (("createdAt", self.created), ("updatedAt", self.updated))
            if ends is not None
        }
        given = {**ranges, "nameContains": self.name_part}
        return {"sortKey": self.sort_key, "reverse": self.reverse, "filter": given}

    def keeps(self, row: SegmentRow) -> bool:
        part = PARTS[self.name_part]
        return (
            (not part or part in full_fold(row.name))
            and is_within(row.created_at, self.created)
            and is_within(row.updated_at, self.updated)
        )

    def model(self, store: Store) -> list[str]:
        """Returns the ids of the whole connection."""
        rows = list(store.segments)
        if self.sort_key != "STORE_ORDER":
            value = VALUES[self.sort_key]
            having = [(value(row), row.id, row) for row in rows if value(row) is not None]
            lacking = sorted((row.id, row) for row in rows if value(row) is None)
            rows = [
                *(row for _, _, row in sorted(having, key=lambda one: (one[0], one[1]))),
                *(row for _, row in lacking),
            ]
        ids = [row.id for row in rows if self.keeps(row)]
        return ids[::-1] if self.reverse else ids


def full_fold(name: str | None) -> str:
    """Returns what is searched; of a long name, more than what it is sorted by."""
    folded = NAMES[name] or ""
    return folded + "b" if name and name.endswith("Äb") else folded


def is_within(text: str, ends: tuple[str | None, str | None] | None) -> bool:
    if ends is None:
        return True
    (start, end), at = ends, moment(text)
    if at is None:
        return False
    return (not start or datetime.fromisoformat(start) <= at) and (
        not end or at < datetime.fromisoformat(end)
    )


def a_row(number: int, name: str | None, created: str, updated: str) -> SegmentRow:
    text = cast("str", name)  # the store's API may send none
    # Ids in another order than the store's.
    return SegmentRow(str(UUID(int=number * 7919 % 100_003)), text, None, created, updated)


names, dates = st.sampled_from([*NAMES]), st.sampled_from(DATES)
values = st.tuples(names, dates, dates)
stores = st.lists(values, max_size=25).map(
    lambda rows: Store([a_row(number, *row) for number, row in enumerate(rows)])
)
ranges = st.none() | st.tuples(st.sampled_from(ENDS), st.sampled_from(ENDS))
asks = st.builds(
    Asked, st.sampled_from([*VALUES]), st.booleans(), st.sampled_from([*PARTS]), ranges, ranges
)
sort_only = asks.map(lambda asked: Asked(asked.sort_key, asked.reverse))
counts = st.integers(1, 8)
block_sizes = st.integers(2, 12)


def beside(cursor: str | None, count: int, *, backward: bool) -> dict[str, object]:
    return {"last": count, "before": cursor} if backward else {"first": count, "after": cursor}


def ids_of(page: Answer) -> list[str]:
    return [edge["node"]["entityId"] for edge in page["edges"]]


@many_examples
@given(stores, asks, st.lists(counts, min_size=1, max_size=20), st.booleans(), block_sizes)
def test_walk_shows_what_the_model_has(
    store: Store, asked: Asked, steps: list[int], backward: bool, max_limit: int
) -> None:
    async def walk() -> None:
        gateway = in_process(store, max_limit=max_limit)
        expected = asked.model(store)
        shown: list[str] = []
        cursor = None
        for count in [*steps, *[8] * 5]:
            arguments = beside(cursor, count, backward=backward)
            data = await gateway.data(PAGE, **arguments, **asked.variables)
            page, info = data["segments"], data["segments"]["pageInfo"]
            ids = ids_of(page)
            assert len(ids) == min(count, len(expected) - len(shown))
            shown = [*ids, *shown] if backward else [*shown, *ids]
            assert data["segmentsCount"] == page["totalCount"] == len(expected)
            behind, ahead = info["hasPreviousPage"], info["hasNextPage"]
            if backward:
                behind, ahead = ahead, behind
            assert behind is (len(shown) > len(ids))
            assert ahead is (len(shown) < len(expected))
            cursors = [edge["cursor"] for edge in page["edges"]]
            assert [info["startCursor"], info["endCursor"]] == [*cursors[:1], *cursors[-1:]] or (
                [None, None] if not cursors else []
            )
            if not ahead:
                break
            cursor = cursors[0 if backward else -1]
        assert shown == expected

    asyncio.run(walk())


@many_examples
@given(stores, sort_only, asks, counts, block_sizes)
def test_row_has_one_cursor_in_each_filter_and_goes_on_in_any_other(
    store: Store, plain: Asked, other: Asked, count: int, max_limit: int
) -> None:
    async def compare() -> None:
        gateway = in_process(store, max_limit=max_limit)
        filtered = other._replace(sort_key=plain.sort_key, reverse=plain.reverse)
        whole = (await gateway.data(PAGE, first=250, **plain.variables))["segments"]["edges"]
        cursors = {edge["node"]["entityId"]: edge["cursor"] for edge in whole}
        page = (await gateway.data(PAGE, first=count, **filtered.variables))["segments"]
        assert {edge["node"]["entityId"]: edge["cursor"] for edge in page["edges"]} == {
            row_id: cursors[row_id] for row_id in ids_of(page)
        }
        expected, order = filtered.model(store), plain.model(store)
        for at, row_id in enumerate(order):
            variables = {**filtered.variables, "after": cursors[row_id]}
            page = (await gateway.data(PAGE, **variables))["segments"]
            assert ids_of(page) == [one for one in expected if one in order[at + 1 :]]

    asyncio.run(compare())


Change = tuple[str, int, tuple[str | None, str, str]]
changes = st.lists(
    st.tuples(st.sampled_from(["insert", "delete", "change"]), st.integers(0, 1000), values),
    max_size=4,
)


class Drift:
    """Changes a store; remembers the ids of the rows that were deleted or changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._number = 1000
        self.touched: set[str] = set()

    def apply(self, wanted: list[Change]) -> None:
        for kind, place, row_values in wanted:
            rows = self._store.segments
            if kind == "insert":
                self._number += 1
                rows.insert(place % (len(rows) + 1), a_row(self._number, *row_values))
            elif rows:
                at = place % len(rows)
                self.touched.add(rows[at].id)
                if kind == "delete":
                    del rows[at]
                else:
                    name, created, updated = row_values
                    rows[at] = replace(
                        rows[at], name=cast("str", name), created_at=created, updated_at=updated
                    )


def is_lost(cursor: str, asked: Asked, gateway: InProcess) -> bool:
    """Tells whether a cursor in the store's order remembers no row that is left."""
    if asked.sort_key != "STORE_ORDER":
        return False
    list_name = gateway.services.segments.name + (" reversed" if asked.reverse else "")
    known = decode_cursor(cursor, list_name, "after")
    left = [row.id for row in gateway.emulator.store.segments]
    is_left = known.row_id in left or any(fingerprint(row) in known.before for row in left)
    return not is_left and known.offset > REMEMBERED_ROWS


@many_examples
@given(stores, asks, st.lists(st.tuples(counts, changes), max_size=12), st.booleans(), block_sizes)
def test_walk_shows_every_row_that_stayed_as_it_was_once_whatever_the_drift(
    store: Store,
    asked: Asked,
    steps: list[tuple[int, list[Change]]],
    backward: bool,
    max_limit: int,
) -> None:
    async def walk() -> None:
        gateway = in_process(store, max_limit=max_limit, CACHE_TTL_SECONDS="0")
        drift, at_first = Drift(store), asked.model(store)
        shown: list[str] = []
        cursor = None
        for count, wanted in [*steps, *[(25, list[Change]())] * 5]:
            arguments = beside(cursor, count, backward=backward)
            page = (await gateway.data(PAGE, **arguments, **asked.variables))["segments"]
            assert page["totalCount"] == len(asked.model(store))
            ids = ids_of(page)
            shown = [*ids, *shown] if backward else [*shown, *ids]
            info = page["pageInfo"]
            if not info["hasPreviousPage" if backward else "hasNextPage"]:
                break
            cursor = info["startCursor" if backward else "endCursor"]
            drift.apply(wanted)
            if is_lost(cursor, asked, gateway):
                return
        else:
            raise AssertionError("the walk does not end")
        stayed = [row_id for row_id in at_first if row_id not in drift.touched]
        assert [row_id for row_id in shown if row_id in stayed] == stayed
        times = Counter(row_id for row_id in shown if row_id not in drift.touched)
        assert set(times.values()) <= {1}

    asyncio.run(walk())


@pytest.mark.parametrize("step", [7, 250])
async def test_all_sorts_filters_and_counts_of_1000_share_four_requests(step: int) -> None:
    gateway = in_process(1000, CACHE_TTL_SECONDS="600")
    for sort_key in VALUES:
        for reverse in (False, True):
            for part in (None, "VIP", "a"):
                variables = {
                    "sortKey": sort_key,
                    "reverse": reverse,
                    "filter": {"nameContains": part},
                }
                data = await gateway.data(PAGE, first=step, **variables)
                assert data["segmentsCount"] == data["segments"]["totalCount"] >= 50
    assert gateway.upstream_requests == 4
