"""The quota of the emulated store: a number of requests in each fixed window of time.

BigCommerce documents 30 s, and each answer has the length in a header.
"""

import time
from collections import deque
from collections.abc import Callable

from msgspec import Struct

WINDOW_MILLISECONDS = 30_000
LONGEST_WINDOW_MILLISECONDS = 86_400_000
REMEMBERED_WINDOWS = 100


class WindowCount(Struct):
    """The requests of one window, and how many of them exceeded the quota."""

    requests: int = 0
    refused: int = 0


class RateLimitWindow:
    """Counts requests against `quota` in each window of `window_ms`; `clock` is in seconds.

    Both may change at any time, with effect on the running window. `history` has the last 100
    windows with requests, oldest first. Raises `ValueError` unless a window is 1 ms to one day.
    """

    def __init__(
        self,
        quota: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        window_ms: int = WINDOW_MILLISECONDS,
    ) -> None:
        self.quota = quota
        self.history: deque[WindowCount] = deque(maxlen=REMEMBERED_WINDOWS)
        self._clock = clock
        self._started = clock()
        self._used = 0
        self._is_in_history = False
        self._window_ms = WINDOW_MILLISECONDS
        self.window_ms = window_ms

    @property
    def window_ms(self) -> int:
        """The length of a window in milliseconds."""
        return self._window_ms

    @window_ms.setter
    def window_ms(self, window_ms: int) -> None:
        if not 1 <= window_ms <= LONGEST_WINDOW_MILLISECONDS:
            raise ValueError(f"A window has 1 to {LONGEST_WINDOW_MILLISECONDS} milliseconds.")
        self._turn_window()
        self._window_ms = window_ms

    def take(self) -> bool:
        """Counts one request; returns whether the quota covers it."""
        self._turn_window()
        self._used += 1
        is_covered = self._used <= self.quota
        if not self._is_in_history:
            self._is_in_history = True
            self.history.append(WindowCount())
        self.history[-1].requests += 1
        self.history[-1].refused += not is_covered
        return is_covered

    def _turn_window(self) -> None:
        elapsed, seconds = self._clock() - self._started, self._window_ms / 1000
        if elapsed >= seconds:
            # Windows follow each other without a gap, with or without requests.
            self._started += elapsed // seconds * seconds
            self._used = 0
            self._is_in_history = False

    def forget_history(self) -> None:
        """Empties `history`; the quota of the running window is unchanged."""
        self.history.clear()
        self._is_in_history = False

    def headers(self) -> dict[str, str]:
        """Returns the four `X-Rate-Limit-*` headers; times are milliseconds."""
        reset = max(0.0, self._started + self._window_ms / 1000 - self._clock())
        return {
            "X-Rate-Limit-Time-Window-Ms": str(self._window_ms),
            "X-Rate-Limit-Time-Reset-Ms": str(round(reset * 1000)),
            "X-Rate-Limit-Requests-Quota": str(self.quota),
            "X-Rate-Limit-Requests-Left": str(max(0, self.quota - self._used)),
        }
