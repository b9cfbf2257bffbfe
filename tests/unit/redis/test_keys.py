from hypothesis import given
from hypothesis import strategies as st

from gateway.redis.keys import LAYOUT, key

parts = st.lists(st.text(max_size=4) | st.text(":%!/ é", max_size=3), min_size=1, max_size=4)


def test_key_shows_its_parts() -> None:
    assert key("segments-gateway", LAYOUT, "abc123", "segments", "block", 250, 0) == (
        "segments-gateway:v4:abc123:segments:block:250:0"
    )


def test_separators_in_a_part_are_encoded() -> None:
    assert key("a:b", "c!lock", "%") == "a%3Ab:c%21lock:%25"


@given(parts, parts)
def test_keys_are_the_same_where_all_parts_are(one: list[str], other: list[str]) -> None:
    assert (key(*one) == key(*other)) == (one == other)


@given(parts)
def test_suffix_of_a_lock_is_in_no_key(one: list[str]) -> None:
    assert "!" not in key(*one)
