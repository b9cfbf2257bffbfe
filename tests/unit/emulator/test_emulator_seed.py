"""The seed of the emulated store."""

import re
from datetime import datetime
from uuid import RFC_4122, UUID

import pytest

from gateway.emulator import SegmentRow, ShopperProfileRow, seeded_store
from gateway.emulator.seed import DEFAULT_PROFILES, DEFAULT_SEGMENTS

WITHOUT_MILLISECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
WITH_MILLISECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z")


def test_store_begins_the_same_on_every_start() -> None:
    assert seeded_store(2).segments == [
        SegmentRow(
            id="1a466884-f3f4-4249-9c28-ff90a5aec797",
            name="VIP customers",
            description="Lifetime spend in the top five percent.",
            created_at="2023-03-06T17:37:20Z",
            updated_at="2023-04-21T11:23:20.000Z",
        ),
        SegmentRow(
            id="c0433cbd-7dab-4929-84a3-34bfc6cd75e9",
            name="First-time buyers",
            description="Exactly one order so far.",
            created_at="2023-03-08T09:12:55.000Z",
            updated_at="2023-05-24T01:28:55Z",
        ),
    ]


def test_profiles_begin_the_same_on_every_start() -> None:
    assert seeded_store(1, 1).members == {
        "1a466884-f3f4-4249-9c28-ff90a5aec797": [
            ShopperProfileRow(
                id="1021fd19-8b3a-4a7c-a0a9-069a609b2543",
                customer_id=1,
                created_at="2023-03-06T09:07:39Z",
                updated_at="2023-05-24T21:27:39Z",
            )
        ]
    }


@pytest.mark.parametrize(("segments", "profiles"), [(0, 0), (1, 1), (250, 40), (1000, 5000)])
def test_smaller_store_is_the_beginning_of_a_larger_one(segments: int, profiles: int) -> None:
    small, large = seeded_store(segments, profiles), seeded_store(1000, 5000)
    assert small.segments == large.segments[:segments]
    assert small.profiles == large.profiles[:profiles]
    assert list(small.members) == list(large.members)[:segments]
    for segment_id, members in small.members.items():
        assert members == large.members[segment_id][: len(members)]


def test_nth_segment_has_every_nth_profile() -> None:
    store = seeded_store(4, 9)
    customers = [[row.customer_id for row in members] for members in store.members.values()]
    assert customers == [[1, 2, 3, 4, 5, 6, 7, 8, 9], [2, 4, 6, 8], [3, 6, 9], [4, 8]]


def test_default_store_has_120_segments_and_1000_profiles() -> None:
    store = seeded_store()
    assert len(store.segments) == DEFAULT_SEGMENTS == 120
    assert len(store.profiles) == DEFAULT_PROFILES == 1000


def test_another_seed_makes_other_ids() -> None:
    ours, theirs = seeded_store(50), seeded_store(50, seed=1)
    assert {row.id for row in ours.segments}.isdisjoint(row.id for row in theirs.segments)
    assert {row.id for row in ours.profiles}.isdisjoint(row.id for row in theirs.profiles)


@pytest.mark.parametrize(
    ("segments", "profiles", "message"),
    [
        (-1, 0, "a store has 0 to 1000 segments, -1 were asked for"),
        (1001, 0, "a store has 0 to 1000 segments, 1001 were asked for"),
        (1, -1, "a store has 0 to 250000 profiles, -1 were asked for"),
        (1, 250_001, "a store has 0 to 250000 profiles, 250001 were asked for"),
    ],
)
def test_number_that_no_store_can_hold_is_refused(
    segments: int, profiles: int, message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        seeded_store(segments, profiles)


def test_ids_are_random_uuids_in_lower_case() -> None:
    store = seeded_store(1000, 1000)
    ids = [row.id for row in store.segments] + [row.id for row in store.profiles]
    assert len(set(ids)) == 2000
    for row_id in ids:
        parsed = UUID(row_id)
        assert (str(parsed), parsed.version, parsed.variant) == (row_id, 4, RFC_4122)


def test_names_are_unique() -> None:
    assert len({row.name for row in seeded_store(1000).segments}) == 1000


def test_some_descriptions_are_null() -> None:
    assert sum(row.description is None for row in seeded_store().segments) == 18


def test_dates_come_in_both_formats() -> None:
    dates = [date for row in seeded_store().segments for date in (row.created_at, row.updated_at)]
    plain = sum(WITHOUT_MILLISECONDS.fullmatch(date) is not None for date in dates)
    assert plain > 0
    assert sum(WITH_MILLISECONDS.fullmatch(date) is not None for date in dates) == 240 - plain > 0


def test_no_row_changes_before_it_is_made_and_age_gives_the_order() -> None:
    store = seeded_store(1000)
    for rows in (store.segments, store.profiles):
        made = [datetime.fromisoformat(row.created_at) for row in rows]
        changed = [datetime.fromisoformat(row.updated_at) for row in rows]
        assert made == sorted(made)
        assert all(first <= last for first, last in zip(made, changed, strict=True))
