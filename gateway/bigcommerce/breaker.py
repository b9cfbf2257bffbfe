"""Spares an upstream that is plainly dead, and whoever would wait for it."""

import logging
from collections.abc import Callable
from random import uniform

from gateway.bigcommerce.not_sent import ShutOff

# Where every second request fails by chance, one run of tries in 256 is so long.
FAILURES_IN_A_ROW = 8
# How long nothing is sent after that, before one request probes; twice as long each time it fails.
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 5.0

log = logging.getLogger(__name__)


class Breaker:
    """Opens after `FAILURES_IN_A_ROW`, lets one probe through at a time, closes when it succeeds.

    `clock` is in seconds; `spread` draws between two times, so that processes do not probe at once.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        spread: Callable[[float, float], float] = uniform,
    ) -> None:
        self._clock = clock
        self._spread = spread
        self._failures = 0
        self._is_open = False
        self._probes = 0
        self._probe: int | None = None  # the one that is under way
        self._opens_for = SHORTEST_SECONDS
        self._probe_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the upstream counts as dead."""
        return self._is_open

    @property
    def lets_through(self) -> bool:
        """Whether a request would be let through now."""
        return not self._is_open or (self._probe is None and self._clock() >= self._probe_at)

    def check(self) -> None:
        """Raises `ShutOff` while no request is let through."""
        if not self.lets_through:
            raise ShutOff

    def enter(self) -> int | None:
        """Lets a request through; returns the number of the probe that it is, None for none.

        Whoever enters has to tell what came of it. Raises `ShutOff` where it does not get in.
        """
        self.check()
        if self._is_open:
            self._probes += 1
            self._probe = self._probes
        return self._probe

    def succeeded(self) -> None:
        """Takes note of an answer that the upstream meant."""
        if self._is_open:
            log.info("the upstream answers again")
        self._failures = 0
        self._is_open, self._probe = False, None
        self._opens_for = SHORTEST_SECONDS

    def failed(self, probe: int | None) -> None:
        """Takes note of no answer, or one that makes no sense."""
        self._failures += 1
        if self._is_open:
            if probe is None or probe != self._probe:
                return  # sent before it opened
        elif self._failures < FAILURES_IN_A_ROW:
            return
        else:
            log.warning(
                "the upstream failed %d times in a row, and is only probed for now", self._failures
            )
        self._is_open, self._probe = True, None
        self._probe_at = self._clock() + self._spread(self._opens_for / 2, self._opens_for)
        self._opens_for = min(2 * self._opens_for, LONGEST_SECONDS)

    def gave_up(self, probe: int | None) -> None:
        """Takes note of a request that ended before anything was known: another may probe."""
        if probe == self._probe:
            self._probe = None
