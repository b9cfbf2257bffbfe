"""The store's quota as the answers to this process tell it.

Each answer names what is left for the whole store, other processes and apps included.
"""

import math
from collections.abc import Callable
from random import uniform

from gateway.bigcommerce.rate_limit import DEFAULT_WINDOW_SECONDS, LONGEST_SECONDS, RateLimit

# Headers round the reset to whole milliseconds.
RESOLUTION_SECONDS = 0.001
# Requests pause after a 429 that names no reset: for 0.5 to 1 s, then for twice as long each time.
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0


class Quota:
    """What is left of the running window; `limit` is its size, 0 before the first answer.

    Requests in flight count as used, because no answer is known to have counted them. Until the
    first answer of a window, its whole size counts as left. `clock` is in seconds and never goes
    back; `jitter` draws from a range.
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
        # The latest possible start and reset of the newest window that an answer named.
        self._began_at = self._resets_at = -math.inf
        self._lowest_remaining = 0
        self._window = DEFAULT_WINDOW_SECONDS
        self._is_reset_doubtful = False
        self._paused_until = -math.inf
        self._pauses = 0

    @property
    def remaining(self) -> int | None:
        """The lowest remainder that an answer of the running window told, None before the first."""
        return self._lowest_remaining if self._clock() < self._resets_at else None

    @property
    def available(self) -> float:
        """Requests that may be sent now; infinite before the first answer of all."""
        remaining = self.remaining
        if remaining is not None:
            return remaining - self.in_flight
        if self._resets_at == -math.inf:
            return math.inf
        if self._is_reset_doubtful and self.in_flight:
            return 0  # one request at a time finds out
        return max(self.limit, 1) - self.in_flight

    @property
    def pause_seconds(self) -> float:
        """Seconds for which the platform's overload stops all requests, else 0."""
        return max(0.0, self._paused_until - self._clock())

    @property
    def wait_seconds(self) -> float:
        """Seconds until a request may be sent, 0 for now; an answer may end the wait sooner."""
        if self.available > 0:
            return self.pause_seconds
        until_reset = self._resets_at - self._clock()
        return max(self.pause_seconds, until_reset if until_reset > 0 else self._window)

    def answered(self, sent_at: float, rate_limit: RateLimit | None) -> None:
        """Ends a request in flight; `rate_limit` is what its answer says of the quota, if anything.

        The store writes an answer between `sent_at` and now, so its window resets between
        `sent_at + rate_limit.resets_in` and `now + rate_limit.resets_in`.
        """
        self.in_flight -= 1
        if rate_limit is None:
            return
        now = self._clock()
        earliest_reset = sent_at + rate_limit.resets_in
        latest_reset = now + rate_limit.resets_in + RESOLUTION_SECONDS
        if earliest_reset > self._resets_at:  # a later window
            self._began_at, self._lowest_remaining = self._resets_at, rate_limit.remaining
        elif now < self._resets_at and earliest_reset > self._began_at:
            self._lowest_remaining = min(self._lowest_remaining, rate_limit.remaining)
        else:
            return  # a window that has ended
        self._resets_at = max(self._resets_at, latest_reset)
        self._is_reset_doubtful = rate_limit.resets_in >= LONGEST_SECONDS
        self._window = rate_limit.window
        self.limit = rate_limit.limit

    def overloaded(self, retry_after: float | None) -> float:
        """Pauses all requests after a 429 that names no reset; returns the seconds."""
        if retry_after:
            self._paused_until = max(self._paused_until, self._clock() + retry_after)
        elif self.pause_seconds == 0:  # requests sent side by side make one pause
            longest = min(SHORTEST_PAUSE_SECONDS * 2**self._pauses, LONGEST_PAUSE_SECONDS)
            self._pauses = min(self._pauses + 1, 10)
            self._paused_until = self._clock() + self._jitter(longest / 2, longest)
        return self.pause_seconds

    def recovered(self) -> None:
        """Makes the next pause a short one, as the platform answers again."""
        self._pauses = 0
