"""The store's quota as this process sees it: what may be sent, and when again.

Source: BigCommerce's guide to rate limits: a fixed window of 30 s for a store and all its apps.
"""

import math
from collections.abc import Callable
from random import uniform

from gateway.bigcommerce.rate_limit import RateLimit

WINDOW_SECONDS = 30.0
# After a 429 that names no reset, platform load, all requests pause: at first about so long, then
# twice as long each time, up to the longest.
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0


class QuotaView:
    """What the answers of one window told, less what is in flight; `clock` is in seconds.

    `told` are the fewest requests left that an answer of this window told, None while none did. A
    request whose answer says nothing lowers it by one: it may have been counted. When the window
    ends is known between two times, since the store writes its answer after the request was sent
    and before the answer came.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        spread: Callable[[float, float], float] = uniform,
    ) -> None:
        self.quota = 0
        self.in_flight = 0
        self._clock = clock
        self._spread = spread
        self._told: int | None = None
        self._earliest = self._latest = 0.0
        self._paused_until = 0.0
        self._pauses = 0

    @property
    def told(self) -> int | None:
        """Requests that are left in this window, in flight or not; None while nobody told."""
        if self._told is not None and self._clock() >= self._latest:
            # Until an answer tells of the next window, it follows the last one or begins now; what
            # is still in flight may be counted in it.
            self._told = self.quota
            self._earliest += WINDOW_SECONDS
            self._latest = self._clock() + WINDOW_SECONDS
        return self._told

    @property
    def left(self) -> float:
        """Requests that may be sent now, by all that is known; infinite while nothing is."""
        told = self.told
        return math.inf if told is None else told - self.in_flight

    @property
    def pause_seconds(self) -> float:
        """Seconds for which nothing is sent since the platform is overloaded; 0 for none."""
        return max(0.0, self._paused_until - self._clock())

    @property
    def wait_seconds(self) -> float:
        """Seconds until something may be sent; 0 for now.

        Where what is left may be in flight, an answer may tell sooner that it is not.
        """
        wait = 0.0 if self.left > 0 else self._latest - self._clock()
        return max(wait, self.pause_seconds)

    @property
    def is_used_up(self) -> bool:
        """Whether no answer that is still to come can leave anything of this window."""
        told = self.told
        return told is not None and told <= 0

    def send(self) -> None:
        """Counts a request as in flight."""
        self.in_flight += 1

    def answered(self, sent_at: float, received_at: float, limit: RateLimit | None) -> None:
        """Takes note of what an answer told, None for no headers, or no answer at all."""
        self.in_flight -= 1
        if limit is None:
            if self.told is not None and self._told is not None:
                self._told -= 1
            return
        earliest, latest = sent_at + limit.resets_in, received_at + limit.resets_in
        told = self.told
        if told is None or earliest > self._earliest + WINDOW_SECONDS / 2:
            self._told, self._earliest, self._latest = limit.requests_left, earliest, latest
        elif earliest < self._earliest - WINDOW_SECONDS / 2:
            return  # of a window that has ended
        else:
            self._told = min(told, limit.requests_left)
            self._earliest = max(self._earliest, earliest)
            self._latest = min(self._latest, latest)
        self.quota = limit.requests_quota

    def overloaded(self, retry_after: float | None) -> float:
        """Pauses after a 429 that names no reset; returns for how many seconds."""
        if self.pause_seconds == 0:  # not for each of those that were sent side by side
            usual = min(SHORTEST_PAUSE_SECONDS * 2**self._pauses, LONGEST_PAUSE_SECONDS)
            self._pauses = min(self._pauses + 1, 10)
            pause = self._spread(usual / 2, usual) if retry_after is None else retry_after
            self._paused_until = self._clock() + pause
        return self.pause_seconds

    def recovered(self) -> None:
        """Takes note that the platform answers again: the next pause is a short one."""
        self._pauses = 0
