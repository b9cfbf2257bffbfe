"""What the response cache keeps, for how long, and how many bytes it counts for it."""

import pytest

from gateway.web.response_cache import OVERHEAD_BYTES, SEEN, ResponseCache, Success

NOW = 1000.0
FRESH_SECONDS = 15.0
# What an answer of two bytes to a request of a hundred takes.
EACH = 100 + 2 + OVERHEAD_BYTES
# The bytes of data that fill a cache of 10,000 bytes.
FITTING = 10_000 - 100 - OVERHEAD_BYTES


def success(
    data: bytes = b"{}",
    read_at: float | None = NOW,
    tags: str = "",
    collections: tuple[str, ...] = ("segments",),
) -> Success:
    return Success((data,), read_at, False, None, collections, tags=tags)


class Kept:
    """A cache, and the last change of each collection."""

    def __init__(self, maximum_bytes: int = 10_000) -> None:
        self.changed_at = {"segments": 0.0, "orders": 0.0}
        self.cache = ResponseCache(maximum_bytes, FRESH_SECONDS, self.changed_at.__getitem__)

    def offer(self, key: str, answer: Success, request_bytes: int = 100, times: int = 2) -> Success:
        for _ in range(times):
            self.cache.offer(key, request_bytes, answer, NOW)
        return answer

    def keys(self, keys: str, now: float = NOW) -> str:
        """Returns those of these keys that have an answer."""
        return "".join(key for key in keys if self.cache.find(key, now) is not None)


def test_answer_is_kept_when_its_request_comes_for_the_second_time() -> None:
    kept = Kept()
    answer = kept.offer("a", success(), times=1)
    assert (kept.cache.find("a", NOW), kept.cache.bytes) == (None, 0)
    kept.offer("a", answer, times=1)
    assert kept.cache.find("a", NOW) == answer
    assert kept.cache.bytes == 100 + 2 + OVERHEAD_BYTES


def test_bytes_are_those_of_the_request_the_data_and_the_tags() -> None:
    kept = Kept()
    kept.offer("a", success(b"x" * 500, tags="t" * 20), request_bytes=30)
    assert kept.cache.bytes == 30 + 500 + 20 + OVERHEAD_BYTES


def test_answer_is_kept_in_one_part() -> None:
    """A part of a longer text would keep all of it."""
    kept = Kept()
    text = memoryview(b"a long text")
    kept.offer("a", Success((text[2:6], b"!"), NOW, False, None, ("segments",)))
    found = kept.cache.find("a", NOW)
    assert found is not None
    assert found.data == (b"long!",)


def test_least_recently_used_answers_make_room() -> None:
    kept = Kept(3 * EACH)
    for key in "abc":
        kept.offer(key, success())
    assert (kept.keys("abc"), kept.cache.bytes) == ("abc", 3 * EACH)
    kept.cache.find("a", NOW)
    kept.offer("d", success())
    assert (kept.keys("abcd"), kept.cache.bytes) == ("acd", 3 * EACH)
    kept.offer("e", success(b"x" * (2 * EACH)))
    assert (kept.keys("acde"), kept.cache.bytes) == ("e", 3 * EACH - 2)


def test_answer_is_replaced_by_a_newer_one_of_its_request() -> None:
    kept = Kept()
    kept.offer("a", success(b"x" * 500))
    newer = kept.offer("a", success(b"y" * 50), times=1)
    assert kept.cache.find("a", NOW) == newer
    assert kept.cache.bytes == 100 + 50 + OVERHEAD_BYTES


@pytest.mark.parametrize(("size", "is_kept"), [(FITTING, True), (FITTING + 1, False)])
def test_answer_larger_than_the_cache_is_not_kept_and_drops_no_other(
    size: int, is_kept: bool
) -> None:
    kept = Kept()
    small = kept.offer("a", success())
    kept.offer("b", success(b"x" * size))
    assert (kept.cache.find("b", NOW) is not None) is is_kept
    assert (kept.cache.find("a", NOW) == small) is not is_kept
    assert kept.cache.bytes == (10_000 if is_kept else EACH)


def test_cache_of_no_bytes_keeps_nothing() -> None:
    kept = Kept(0)
    kept.offer("a", success(b""), request_bytes=0, times=5)
    assert (kept.keys("a"), kept.cache.bytes) == ("", 0)


def test_answer_is_valid_for_as_long_as_its_oldest_value_is_fresh() -> None:
    kept = Kept()
    kept.offer("a", success(read_at=NOW - 5))
    assert kept.keys("a", NOW + 9.999) == "a"
    assert kept.cache.bytes == EACH
    assert (kept.keys("a", NOW + 10), kept.cache.bytes) == ("", 0)


def test_answer_that_is_not_fresh_is_not_kept() -> None:
    kept = Kept()
    kept.offer("a", success(read_at=NOW - 15))
    kept.offer("b", success(read_at=None))
    kept.changed_at["segments"] = NOW + 1
    kept.offer("c", success())
    kept.changed_at["segments"] = 0
    assert (kept.keys("abc"), kept.cache.bytes) == ("", 0)


def test_answer_from_the_future_is_not_valid() -> None:
    kept = Kept()
    kept.offer("a", success())
    assert kept.keys("a", NOW - 14.999) == "a"
    assert kept.keys("a", NOW - 15) == ""  # the clock was set back


def test_change_of_one_of_its_collections_ends_an_answer() -> None:
    kept = Kept()
    kept.offer("a", success())
    kept.offer("b", success(collections=("segments", "orders")))
    kept.changed_at["orders"] = NOW
    assert kept.keys("ab") == "ab"
    kept.changed_at["orders"] = NOW + 0.001
    assert (kept.keys("ab"), kept.cache.bytes) == ("a", EACH)
    kept.changed_at["segments"] = NOW + 0.001
    assert (kept.keys("ab"), kept.cache.bytes) == ("", 0)


def test_requests_that_were_seen_once_are_forgotten_for_others() -> None:
    kept = Kept()
    kept.offer("first", success(), times=1)
    for number in range(20 * SEEN):
        kept.offer(f"seen {number}", success(), times=1)
    kept.offer("first", success(), times=1)
    assert kept.cache.find("first", NOW) is None
    kept.offer("first", success(), times=1)
    assert kept.cache.find("first", NOW) is not None
