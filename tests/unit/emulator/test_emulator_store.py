"""The state of the emulated store."""

import pytest

from gateway.emulator import SegmentRow, Store

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
