"""The quota of the emulated store: a fixed window of 30 seconds, as BigCommerce documents it."""

import time
from collections.abc import Callable

WINDOW_SECONDS = 30.0


class RateLimitWindow:
    """Counts requests against `quota` for each window of 30 s; `clock` is in seconds."""

    def __init__(self, quota: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.quota = quota
        self._clock = clock
        self._started = clock()
        self._used = 0

    def take(self) -> bool:
        """Counts one request; returns whether the quota covers it."""
        now = self._clock()
        if now - self._started >= WINDOW_SECONDS:
            # Windows follow each other without a gap, whether or not anybody asks.
            self._started += (now - self._started) // WINDOW_SECONDS * WINDOW_SECONDS
            self._used = 0
        self._used += 1
        return self._used <= self.quota

    def headers(self) -> dict[str, str]:
        """Returns the four `X-Rate-Limit-*` headers; times are milliseconds."""
        reset = max(0.0, self._started + WINDOW_SECONDS - self._clock())
        return {
            "X-Rate-Limit-Time-Window-Ms": str(int(WINDOW_SECONDS * 1000)),
            "X-Rate-Limit-Time-Reset-Ms": str(round(reset * 1000)),
            "X-Rate-Limit-Requests-Quota": str(self.quota),
            "X-Rate-Limit-Requests-Left": str(max(0, self.quota - self._used)),
        }
