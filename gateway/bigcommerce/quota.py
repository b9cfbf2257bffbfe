"""The store's quota, as reported by the answers to this process.

Each answer reports the requests left for the whole store, other processes and apps included.
"""

import math
from collections.abc import Callable
from random import uniform

from gateway.bigcommerce.rate_limit import DEFAULT_WINDOW_SECONDS, RateLimit

# Headers round the reset to whole milliseconds.
RESOLUTION_SECONDS = 0.001
# Requests pause after a 429 that names no reset: for 0.5 to 1 s, then for twice as long each time.
SHORTEST_OVERLOAD_SECONDS, LONGEST_OVERLOAD_SECONDS = 1.0, 30.0


class Quota:
    """The state of the current window; `limit` is its size, 0 before the first answer.

    Requests in flight count as used, because their answers are not known yet. Before the first
    answer of a window its whole size counts as left. `clock` is in seconds and never goes back;
    `jitter` draws from a range.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        jitter: Callable[[float, float], float] = uniform,
    ) -> None:
        self.limit = 0
        self.in_flight = 0
        self._clock = clock
        self._jitter = jitter
        self._lowest_remaining = 0
        self._resets_at = -math.inf
        self._window = DEFAULT_WINDOW_SECONDS
        self._paused_until = -math.inf
        self._pauses = 0

    @property
    def remaining(self) -> int | None:
        """The fewest requests left in an answer of this window, None before the first one."""
        return self._lowest_remaining if self._clock() < self._resets_at else None

    @property
    def available(self) -> float:
        """Requests that may be sent now; infinite before the very first answer."""
        if self._resets_at == -math.inf:
            return math.inf
        remaining = self.remaining
        return (max(self.limit, 1) if remaining is None else remaining) - self.in_flight

    @property
    def pause_seconds(self) -> float:
        """Seconds for which the platform's overload stops all requests, else 0."""
        return max(0.0, self._paused_until - self._clock())

    @property
    def wait_seconds(self) -> float:
        """Seconds until a request may be sent, 0 for now; an answer may end the wait sooner."""
        return self.wait_above(0)

    def wait_above(self, floor: int) -> float:
        """Returns the seconds until a request may be sent that leaves `floor` requests, or more."""
        if self.available > floor:
            return self.pause_seconds
        until_reset = self._resets_at - self._clock()
        return max(self.pause_seconds, until_reset if until_reset > 0 else self._window)

    def record(self, rate_limit: RateLimit) -> None:
        """Records the rate limit of an answer received now.

        Answers may arrive out of order: within a window, the fewest requests left and the earliest
        reset count. Resets less than half a window apart belong to the same window.
        """
        now = self._clock()
        resets_at = now + rate_limit.resets_in + RESOLUTION_SECONDS
        later_by = resets_at - self._resets_at
        if later_by < -rate_limit.window / 2:
            return  # of an earlier window
        if now < self._resets_at and later_by < rate_limit.window / 2:
            self._lowest_remaining = min(self._lowest_remaining, rate_limit.remaining)
            self._resets_at = min(self._resets_at, resets_at)
        else:
            self._lowest_remaining, self._resets_at = rate_limit.remaining, resets_at
        self.limit, self._window = rate_limit.limit, rate_limit.window

    def record_overload(self, retry_after: float | None) -> float:
        """Pauses all requests after a 429 that names no reset; returns the seconds."""
        if retry_after:
            self._paused_until = max(self._paused_until, self._clock() + retry_after)
        elif self.pause_seconds == 0:  # requests sent at once make one pause
            longest = min(SHORTEST_OVERLOAD_SECONDS * 2**self._pauses, LONGEST_OVERLOAD_SECONDS)
            self._pauses = min(self._pauses + 1, 10)
            self._paused_until = self._clock() + self._jitter(longest / 2, longest)
        return self.pause_seconds

    def record_success(self) -> None:
        """Makes the next pause short again."""
        self._pauses = 0
