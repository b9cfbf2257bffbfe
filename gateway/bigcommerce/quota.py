"""The store's quota as this process sees it: what may be sent, and when again.

Source: BigCommerce's guide to rate limits: a fixed window of 30 s for a store and all its apps.
"""

import math
from collections import deque
from collections.abc import Callable
from random import uniform

from gateway.bigcommerce.rate_limit import RateLimit

WINDOW_SECONDS = 30.0
# Resets are told in whole milliseconds, rounded in whatever way.
RESOLUTION_SECONDS = 0.001
# Where what two answers tell of the end of their window is no further apart, it is one window.
TOLERANCE_SECONDS = 5.0
# After a 429 that names no reset, platform load, all requests pause: at first about so long, then
# twice as long each time, up to the longest.
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0


class QuotaView:
    """What the answers of one window told, less what may have been counted since.

    `clock` is in seconds. When the window ends is known between two times, since the store writes
    its answer after the request was sent and before the answer came.
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
        # The fewest requests left that an answer of this window told, and whether one did: before,
        # it is the whole quota of a window that follows the last one.
        self._fewest: int | None = None
        self._is_told = False
        self._earliest = self._latest = 0.0
        # When requests ended of which no answer told what was left after them. Whether an answer
        # that was on its way at that time had counted them, too, nobody knows.
        self._untold: deque[float] = deque()
        self._paused_until = 0.0
        self._pauses = 0

    @property
    def told(self) -> int | None:
        """Requests that are left in this window, in flight or not; None while nobody told."""
        self._turn_window()
        return None if self._fewest is None else self._fewest - len(self._untold)

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
        if told is None or self._fewest is None:
            return False
        return self._fewest <= 0 or (told <= 0 and self.in_flight == 0)

    def send(self) -> None:
        """Counts a request as in flight."""
        self.in_flight += 1

    def answered(self, sent_at: float, received_at: float, limit: RateLimit | None) -> None:
        """Takes note of what an answer told, None for no headers, or no answer at all."""
        self.in_flight -= 1
        self._turn_window()
        if limit is None:
            self._untold.append(received_at)
            return
        earliest = sent_at + limit.resets_in - RESOLUTION_SECONDS
        latest = received_at + limit.resets_in + RESOLUTION_SECONDS
        if latest < self._earliest - TOLERANCE_SECONDS:
            return  # of a window that has ended
        if self._fewest is None or not self._is_told or earliest > self._latest + TOLERANCE_SECONDS:
            self._fewest, self._earliest, self._latest = limit.requests_left, earliest, latest
        else:
            self._fewest = min(self._fewest, limit.requests_left)
            self._earliest = max(self._earliest, earliest)
            self._latest = min(self._latest, latest)
        self._is_told = True
        self._forget_untold(sent_at)
        self.quota = limit.requests_quota

    def _turn_window(self) -> None:
        """Begins the next window where this one has ended at the latest."""
        now = self._clock()
        self._forget_untold(now - WINDOW_SECONDS)
        if self._fewest is None or now < self._latest:
            return
        self._forget_untold(self._earliest)
        # What is still in flight may be counted in it. One request at least, to be told of it.
        self._fewest, self._is_told = max(self.quota, 1), False
        # It follows the last one, or another did, and it began at any time since.
        self._earliest = max(self._earliest + WINDOW_SECONDS, now)
        self._latest = now + WINDOW_SECONDS

    def _forget_untold(self, until: float) -> None:
        while self._untold and self._untold[0] <= until:
            self._untold.popleft()

    def pause(self, seconds: float) -> None:
        """Sends nothing for so long, at least."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def overloaded(self, retry_after: float | None) -> float:
        """Pauses after a 429 that names no reset; returns for how many seconds."""
        if retry_after:
            # One odd answer must not stop everything for long: after that a request finds out.
            self.pause(min(retry_after, LONGEST_PAUSE_SECONDS))
        elif self.pause_seconds == 0:  # not for each of those that were sent side by side
            usual = min(SHORTEST_PAUSE_SECONDS * 2**self._pauses, LONGEST_PAUSE_SECONDS)
            self._pauses = min(self._pauses + 1, 10)
            self._paused_until = self._clock() + self._spread(usual / 2, usual)
        return self.pause_seconds

    def recovered(self) -> None:
        """Takes note that the platform answers again: the next pause is a short one."""
        self._pauses = 0
