"""One clock for ages that several processes compare: the wall's time, which never goes back."""

import time


class NonDecreasingClock:
    """Tells seconds since the epoch.

    Where the wall's clock is set forward it follows. Where it is set back, it goes on at its pace
    until the wall has caught up: what was just read must not come from the future.
    """

    def __init__(self) -> None:
        self._told = time.time()
        self._told_at = time.monotonic()

    def __call__(self) -> float:
        """Returns the time in seconds."""
        now = time.monotonic()
        self._told = max(time.time(), self._told + now - self._told_at)
        self._told_at = now
        return self._told
