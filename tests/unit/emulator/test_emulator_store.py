"""The state of the emulated store."""

import pytest

from gateway.emulator import SegmentRow, ShopperProfileRow, Store

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


def test_profiles_of_a_segment_are_those_that_were_added_to_it() -> None:
    store = Store([row("A"), row("b")], [profile(1), profile(2)], {"a": [profile(2)]})
    found = [store.profiles_of(segment_id) for segment_id in ("a", "A", "b", "c")]
    assert found == [[profile(2)], [profile(2)], [], None]


def test_profiles_outlive_a_deleted_segment() -> None:
    store = Store([row("A")], [profile(1)], {"a": [profile(1)]})
    store.delete(["A"])
    store.insert(row("A"))
    assert (store.profiles, store.profiles_of("A")) == ([profile(1)], [])
