"""The quota of the emulated store: fixed windows, of 30 seconds by default."""

import pytest
from clock import Clock

from gateway.emulator.rate_limit_window import RateLimitWindow, WindowCount


def left_and_reset(window: RateLimitWindow) -> tuple[str, str]:
    headers = window.headers()
    return headers["X-Rate-Limit-Requests-Left"], headers["X-Rate-Limit-Time-Reset-Ms"]


def test_four_headers_show_the_window() -> None:
    clock = Clock()
    window = RateLimitWindow(150, clock)
    clock.now += 12.3456
    assert window.take()
    assert window.headers() == {
        "X-Rate-Limit-Time-Window-Ms": "30000",
        "X-Rate-Limit-Time-Reset-Ms": "17654",
        "X-Rate-Limit-Requests-Quota": "150",
        "X-Rate-Limit-Requests-Left": "149",
    }


def test_quota_covers_its_number_of_requests() -> None:
    window = RateLimitWindow(2, Clock())
    assert [window.take() for _ in range(4)] == [True, True, False, False]
    assert left_and_reset(window) == ("0", "30000")


@pytest.mark.parametrize(
    ("later", "left", "reset"),
    [(29.999, "0", "1"), (30, "1", "30000"), (44, "1", "16000"), (95, "1", "25000")],
)
def test_windows_follow_each_other_without_a_gap(later: float, left: str, reset: str) -> None:
    clock = Clock()
    window = RateLimitWindow(2, clock)
    window.take()
    window.take()
    clock.now += later
    assert window.take() == (left == "1")
    assert left_and_reset(window) == (left, reset)


def test_history_has_the_windows_with_requests() -> None:
    clock = Clock()
    window = RateLimitWindow(2, clock)
    for _ in range(3):
        window.take()
    clock.now += 95
    window.take()
    assert [*window.history] == [WindowCount(3, 1), WindowCount(1, 0)]


def test_history_ends_with_the_last_hundred_windows() -> None:
    clock = Clock()
    window = RateLimitWindow(1, clock)
    for n in range(101):
        for _ in range(n):
            window.take()
        clock.now += 30
    assert [count.requests for count in window.history] == [*range(1, 101)]
    window.take()
    assert [count.requests for count in window.history] == [*range(2, 101), 1]


def test_forgotten_history_leaves_what_is_used_up() -> None:
    window = RateLimitWindow(1, Clock())
    window.take()
    window.forget_history()
    assert [*window.history] == []
    assert not window.take()
    assert [*window.history] == [WindowCount(1, 1)]


def test_quota_changes_amid_the_window() -> None:
    window = RateLimitWindow(1, Clock())
    window.take()
    window.quota = 3
    assert [window.take() for _ in range(3)] == [True, True, False]
    assert window.headers()["X-Rate-Limit-Requests-Quota"] == "3"


@pytest.mark.parametrize(
    ("later", "left", "reset"), [(4.999, "0", "1"), (5, "1", "5000"), (12, "1", "3000")]
)
def test_window_has_the_length_that_is_set(later: float, left: str, reset: str) -> None:
    clock = Clock()
    window = RateLimitWindow(2, clock, window_ms=5_000)
    window.take()
    window.take()
    clock.now += later
    assert window.take() == (left == "1")
    assert left_and_reset(window) == (left, reset)
    assert window.headers()["X-Rate-Limit-Time-Window-Ms"] == "5000"


@pytest.mark.parametrize(
    ("window_ms", "left", "reset"), [(5_000, "1", "3000"), (60_000, "0", "48000")]
)
def test_length_changes_amid_the_window(window_ms: int, left: str, reset: str) -> None:
    clock = Clock()
    window = RateLimitWindow(2, clock)
    window.take()
    window.take()
    clock.now += 12
    window.window_ms = window_ms
    assert window.take() == (left == "1")
    assert left_and_reset(window) == (left, reset)


def test_length_that_changes_after_an_idle_window_leaves_what_that_window_used() -> None:
    clock = Clock()
    window = RateLimitWindow(1, clock)
    window.take()
    clock.now += 31
    window.window_ms = 60_000
    assert window.take()
    assert left_and_reset(window) == ("0", "59000")


@pytest.mark.parametrize("window_ms", [0, -1, 86_400_001])
def test_invalid_length_is_refused(window_ms: int) -> None:
    with pytest.raises(ValueError, match="A window has 1 to 86400000 milliseconds"):
        RateLimitWindow(2, window_ms=window_ms)
    window = RateLimitWindow(2)
    with pytest.raises(ValueError, match="A window has 1 to 86400000 milliseconds"):
        window.window_ms = window_ms
    assert window.window_ms == 30_000
