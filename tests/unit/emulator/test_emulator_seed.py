"""The seed of the emulated store."""

import re
from datetime import datetime, timedelta
from uuid import RFC_4122, UUID

import pytest

from gateway.emulator import SegmentRow, ShopperProfileRow, seeded_store
from gateway.emulator.seed import DEFAULT_PROFILES, DEFAULT_SEGMENTS, MAXIMUM_PROFILES
from gateway.emulator.seed_shoppers import FIRST_DAY, LONGEST_STEP, LONGEST_UNTIL_CHANGE

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
    store = seeded_store(1, 1)
    (profile,) = store.members.of_segment("1a466884-f3f4-4249-9c28-ff90a5aec797")
    assert profile == ShopperProfileRow(
        id="609b2543-af59-4681-9fa1-8e7d395800d3",
        customer_id=1,
        created_at="2023-03-06T09:05:18.000Z",
        updated_at="2023-03-06T09:05:18Z",
    )


@pytest.mark.parametrize(("segments", "profiles"), [(0, 0), (1, 1), (250, 40), (1000, 5000)])
def test_smaller_store_is_the_beginning_of_a_larger_one(segments: int, profiles: int) -> None:
    small, large = seeded_store(segments, profiles), seeded_store(1000, 5000)
    assert small.segments == large.segments[:segments]
    assert [*small.profiles] == large.profiles[:profiles]
    assert [*small.customers] == large.customers[: len(small.customers)]
    for row in small.segments:
        members = small.members.of_segment(row.id)
        assert members == large.members.of_segment(row.id)[: len(members)]


def test_nth_segment_has_every_nth_profile() -> None:
    store = seeded_store(4, 9)
    customers = [
        [row.customer_id for row in store.members.of_segment(segment.id)]
        for segment in store.segments
    ]
    assert customers == [[1, 2, 3, 4, 5, 6, 7, 8, 9], [2, 4, 6, 8], [3, 6, 9], [4, 8]]


def test_default_store_has_120_segments_and_20000_profiles() -> None:
    store = seeded_store()
    assert len(store.segments) == DEFAULT_SEGMENTS == 120
    assert len(store.profiles) == DEFAULT_PROFILES == 20_000


def test_customer_has_the_profile_of_its_number_and_one_more_of_each_20_has_none() -> None:
    store = seeded_store(0, 45)
    assert [row.id for row in store.customers] == [*range(1, 48)]
    assert [row.customer_id for row in store.profiles] == [*range(1, 46)]


def test_customers_begin_the_same_on_every_start() -> None:
    second = seeded_store(0, 20).customers[1]
    assert (second.id, second.email) == (2, "henry.garcia.2@example.com")
    assert (second.first_name, second.last_name) == ("Henry", "García")


def test_email_addresses_are_unique_and_of_no_real_domain() -> None:
    emails = [row.email for row in seeded_store(0, 1000).customers]
    assert len(set(emails)) == 1050
    address = re.compile(r"[a-z.\-]+\.\d+@example\.(com|org)")
    assert [email for email in emails if not address.fullmatch(email)] == []


def test_profiles_of_the_largest_store_are_of_the_past() -> None:
    seconds = MAXIMUM_PROFILES * LONGEST_STEP + LONGEST_UNTIL_CHANGE
    assert FIRST_DAY + timedelta(seconds=seconds) < datetime(2026, 5, 1)


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
    store = seeded_store(1000, 1000)
    for rows in (store.segments, store.profiles):
        made = [datetime.fromisoformat(row.created_at) for row in rows]
        changed = [datetime.fromisoformat(row.updated_at) for row in rows]
        assert made == sorted(made)
        assert all(first <= last for first, last in zip(made, changed, strict=True))
