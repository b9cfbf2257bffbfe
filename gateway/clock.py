"""The clock for ages that several processes compare: the time of day, never set back."""

import time


class NonDecreasingClock:
    """Returns seconds since the epoch.

    It follows when the system clock is set forward. When that is set back, it runs on until the
    system clock has caught up, so that no stored value comes from the future.
    """

    def __init__(self) -> None:
        self._last = time.time()
        self._last_monotonic = time.monotonic()

    def __call__(self) -> float:
        """Returns the time in seconds."""
        now = time.monotonic()
        self._last = max(time.time(), self._last + now - self._last_monotonic)
        self._last_monotonic = now
        return self._last
