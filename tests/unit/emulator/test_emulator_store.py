"""The state of the emulated store."""

import re

import pytest

from gateway.emulator import Members, SegmentRow, ShopperProfileRow, Store, Table

DATE = "2022-09-15T23:44:05Z"


def row(row_id: str, name: str | None = None) -> SegmentRow:
    return SegmentRow(row_id, name or f"Segment {row_id}", None, DATE, DATE)


def ids(store: Store) -> list[str]:
    return [segment.id for segment in store.segments]


def test_segment_is_added_at_the_end() -> None:
    store = Store([row("a")])
    store.insert(row("b"))
    assert ids(store) == ["a", "b"]


@pytest.mark.parametrize(
    ("position", "order"), [(0, ["c", "a", "b"]), (1, ["a", "c", "b"]), (2, ["a", "b", "c"])]
)
def test_segment_is_added_before_the_one_at_its_position(position: int, order: list[str]) -> None:
    store = Store([row("a"), row("b")])
    store.insert(row("c"), position)
    assert ids(store) == order


@pytest.mark.parametrize("twin", [row("A", "Another name"), row("b", "Segment a")])
def test_second_segment_of_one_id_or_name_is_refused(twin: SegmentRow) -> None:
    store = Store([row("a")])
    with pytest.raises(ValueError, match="the store has a segment with the id or the name"):
        store.insert(twin)
    assert ids(store) == ["a"]


def test_name_of_a_deleted_segment_is_free() -> None:
    store = Store([row("a", "VIP customers")])
    store.delete(["a"])
    store.insert(row("b", "VIP customers"))
    assert ids(store) == ["b"]


def test_delete_counts_what_there_was() -> None:
    store = Store([row("a"), row("b"), row("c")])
    assert store.delete(["C", "a", "a", "unknown"]) == 2
    assert ids(store) == ["b"]


def test_selection_has_the_order_of_the_store() -> None:
    store = Store([row("a"), row("B"), row("c")])
    assert [segment.id for segment in store.select({"c", "b", "unknown"})] == ["B", "c"]


def test_selection_of_no_ids_is_empty() -> None:
    assert list(Store([row("a")]).select(frozenset())) == []


def profile(number: int) -> ShopperProfileRow:
    return ShopperProfileRow(f"p{number}", number, DATE, DATE)


def a_store() -> Store:
    """A store with a member of one of its two segments."""
    profiles = [profile(1), profile(2)]
    return Store(
        [row("A"), row("b")], Table(lambda: profiles), Members(lambda: {"a": profiles[1:]})
    )


def test_profiles_outlive_a_deleted_segment_and_its_memberships_do_not() -> None:
    store = a_store()
    store.delete(["A"])
    store.insert(row("A"))
    assert [*store.profiles] == [profile(1), profile(2)]
    assert (store.members.of_segment("a"), store.members.of_profile(profile(2))) == ([], [])


def test_deleted_profile_is_in_no_segment() -> None:
    store = a_store()
    store.delete_profiles([profile(2)])
    assert [*store.profiles] == [profile(1)]
    assert (store.members.of_segment("a"), store.members.of_profile(profile(2))) == ([], [])


def test_customer_has_one_profile() -> None:
    store = a_store()
    made = store.create_profile(3)
    assert [*store.profiles] == [profile(1), profile(2), made]
    with pytest.raises(ValueError, match="the table has a row with a key of"):
        store.create_profile(2)


def test_changed_segment_keeps_its_place_and_its_first_date() -> None:
    store = a_store()
    changed = store.update_segment(store.segments[0], "Name", "Text")
    assert changed == SegmentRow("A", "Name", "Text", DATE, changed.updated_at)
    assert store.segments == [changed, row("b")]


def test_every_change_has_a_later_date() -> None:
    store = Store()
    dates = [store.create_segment(f"{n}").created_at for n in range(50)]
    dates += [store.update_segment(row, row.name, None).updated_at for row in store.segments]
    assert sorted(set(dates)) == dates
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", date) for date in dates)
