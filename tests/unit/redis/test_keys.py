from hypothesis import given
from hypothesis import strategies as st

from gateway.redis.keys import LAYOUT, key, lease_of

parts = st.lists(st.text(max_size=4) | st.text(":%!/ é", max_size=3), min_size=1, max_size=4)


def test_key_shows_its_parts() -> None:
    assert key("segments-gateway", LAYOUT, "abc123", "segments", "block", 250, 0) == (
        "segments-gateway:v3:abc123:segments:block:250:0"
    )


def test_separators_in_a_part_are_encoded() -> None:
    assert key("a:b", "c!lease", "%") == "a%3Ab:c%21lease:%25"


@given(parts, parts)
def test_keys_are_the_same_where_all_parts_are(one: list[str], other: list[str]) -> None:
    assert (key(*one) == key(*other)) == (one == other)


@given(parts, parts)
def test_lease_is_the_key_of_no_value(one: list[str], other: list[str]) -> None:
    assert lease_of(key(*one)) != key(*other)
