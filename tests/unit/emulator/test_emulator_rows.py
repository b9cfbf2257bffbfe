"""Tables of rows, and memberships."""

import pytest

from gateway.emulator import Members, ShopperProfileRow, Table

DATE = "2022-09-15T23:44:05Z"


def profile(number: int) -> ShopperProfileRow:
    return ShopperProfileRow(f"P{number}", number, DATE, DATE)


def test_row_is_found_by_each_of_its_keys() -> None:
    table = Table(lambda: [profile(1), profile(2)])
    assert [table.find(key) for key in ("p2", 2)] == [profile(2)] * 2
    assert [table.find(key) for key in ("P2", 3, None)] == [None] * 3


def test_rows_are_loaded_at_the_first_use_and_once() -> None:
    loads: list[int] = []

    def load() -> list[ShopperProfileRow]:
        loads.append(1)
        return [profile(1)]

    table, members = Table(load), Members(lambda: {"a": load()})
    assert loads == []
    assert (len(table), table[0], members.of_segment("a")) == (1, profile(1), [profile(1)])
    members.add("b", table[0])
    assert members.of_profile(profile(1)) == ["a", "b"]
    assert loads == [1, 1]


def test_addition_is_at_the_end_and_unique() -> None:
    table = Table(lambda: [profile(1)])
    table.add(profile(2))
    for twin in (ShopperProfileRow("p1", 3, DATE, DATE), ShopperProfileRow("p3", 2, DATE, DATE)):
        with pytest.raises(ValueError, match=r"^the table has a row with a key of Shopper"):
            table.add(twin)
    assert [*table] == [profile(1), profile(2)]


def test_removed_row_leaves_its_keys_free() -> None:
    table = Table(lambda: [profile(1), profile(2), profile(3)])
    table.remove(table[1:2])
    assert (table.find("p2"), table.find(2), [*table]) == (None, None, [profile(1), profile(3)])
    table.add(profile(2))
    assert table[-1] == profile(2)


def test_memberships_are_seen_from_both_sides() -> None:
    members = Members(lambda: {"a": [profile(1), profile(2)], "b": [profile(2)]})
    assert members.of_profile(profile(2)) == ["a", "b"]
    members.remove("a", [profile(2)])
    members.add("b", profile(1))
    assert [members.has("a", profile(n)) for n in (1, 2)] == [True, False]
    assert members.of_segment("b") == [profile(2), profile(1)]
    members.forget_profiles([profile(1)])
    assert (members.of_segment("a"), members.of_profile(profile(1))) == ([], [])
    members.forget_segment("b")
    assert (members.of_segment("b"), members.of_profile(profile(2))) == ([], [])


def test_segment_can_be_forgotten_before_its_profiles_are_loaded() -> None:
    members = Members(lambda: {"a": [profile(1)], "b": [profile(1)]})
    members.forget_segment("a")
    assert (members.of_segment("a"), members.of_profile(profile(1))) == ([], ["b"])
    members.add("a", profile(1))
    assert members.of_profile(profile(1)) == ["b", "a"]


def test_memberships_are_equal_if_segments_have_the_same_profiles() -> None:
    members = Members(lambda: {"a": [profile(1)], "b": []})
    assert members == Members(lambda: {"a": [profile(1)]})
    members.add("b", profile(1))
    assert members != Members(lambda: {"a": [profile(1)]})
