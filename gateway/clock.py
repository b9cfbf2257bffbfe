"""The clock for timestamps that processes share: the wall clock, which here never goes back."""

import time


class NonDecreasingClock:
    """Returns seconds since the epoch.

    It follows a system clock that is set forward. If the system clock is set back, this clock keeps
    running until the system clock has caught up, so that no stored value is in the future.
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
