"""The quota of the emulated store: a fixed window of 30 seconds, as BigCommerce documents it."""

import time
from collections import deque
from collections.abc import Callable

from msgspec import Struct

WINDOW_SECONDS = 30.0
REMEMBERED_WINDOWS = 100


class WindowCount(Struct):
    """How many requests came in one window, and how many of them were beyond the quota."""

    requests: int = 0
    refused: int = 0


class RateLimitWindow:
    """Counts requests against `quota` for each window of 30 s; `clock` is in seconds.

    `history` tells of the last windows in which requests came, oldest first.
    """

    def __init__(self, quota: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.quota = quota
        self.history: deque[WindowCount] = deque(maxlen=REMEMBERED_WINDOWS)
        self._clock = clock
        self._started = clock()
        self._used = 0
        self._is_told = False

    def take(self) -> bool:
        """Counts one request; returns whether the quota covers it."""
        now = self._clock()
        if now - self._started >= WINDOW_SECONDS:
            # Windows follow each other without a gap, whether or not anybody asks.
            self._started += (now - self._started) // WINDOW_SECONDS * WINDOW_SECONDS
            self._used = 0
            self._is_told = False
        self._used += 1
        is_covered = self._used <= self.quota
        if not self._is_told:
            self._is_told = True
            self.history.append(WindowCount())
        self.history[-1].requests += 1
        self.history[-1].refused += not is_covered
        return is_covered

    def forget_history(self) -> None:
        """Empties `history`; what the running window has left stays."""
        self.history.clear()
        self._is_told = False

    def headers(self) -> dict[str, str]:
        """Returns the four `X-Rate-Limit-*` headers; times are milliseconds."""
        reset = max(0.0, self._started + WINDOW_SECONDS - self._clock())
        return {
            "X-Rate-Limit-Time-Window-Ms": str(int(WINDOW_SECONDS * 1000)),
            "X-Rate-Limit-Time-Reset-Ms": str(round(reset * 1000)),
            "X-Rate-Limit-Requests-Quota": str(self.quota),
            "X-Rate-Limit-Requests-Left": str(max(0, self.quota - self._used)),
        }
