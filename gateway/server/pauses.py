"""How long to wait before the next worker, where one after the other ends at its start."""

LONGEST_PAUSE_SECONDS = 30.0


class Pauses:
    """None after the first failure, then 1, 2, 4 seconds, and so on up to the longest."""

    def __init__(self) -> None:
        self.failures = 0
        self._over_at = 0.0

    def after_an_end(self, now: float, *, is_steady: bool) -> str:
        """Notes that a worker ended; returns in words what follows.

        It is no failure if the worker had been steady.
        """
        self.failures = 0 if is_steady else self.failures + 1
        if self.failures < 2:
            self._over_at = now
            return "another takes its place"
        pause = min(2.0 ** min(self.failures - 2, 10), LONGEST_PAUSE_SECONDS)
        self._over_at = now + pause
        return f"the next one starts in {pause:g} s"

    def is_over(self, now: float) -> bool:
        """Whether a worker may start now."""
        return now >= self._over_at
