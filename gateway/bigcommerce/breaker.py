"""A circuit breaker: after failures in a row nothing is sent for a while, then a probe."""

from collections.abc import Callable
from random import uniform

# Where every second request fails by chance, one run of tries in 256 is so long.
FAILURES_IN_A_ROW = 8
# How long nothing is sent after that, before one request probes; twice as long each time it fails.
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 5.0


class Breaker:
    """Opens after `threshold` failures in a row, and closes when a probe succeeds.

    While it is open, one probe at a time is let through: the first after `shortest` seconds, the
    next ones after twice as long each time, `longest` at the most. `clock` is in seconds; `jitter`
    draws between two times, so that processes do not probe at once.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        jitter: Callable[[float, float], float] = uniform,
        *,
        threshold: int = FAILURES_IN_A_ROW,
        shortest: float = SHORTEST_SECONDS,
        longest: float = LONGEST_SECONDS,
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._threshold = threshold
        self._shortest = shortest
        self._longest = longest
        self._failures = 0
        self._is_open = False
        self._probes = 0
        self._probe: int | None = None  # the one that is under way
        self._opens_for = shortest
        self._probe_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether only probes are let through."""
        return self._is_open

    @property
    def lets_through(self) -> bool:
        """Whether a request would be let through now."""
        return not self._is_open or (self._probe is None and self._clock() >= self._probe_at)

    def enter(self) -> int | None:
        """Counts a request that is let through; returns its number as a probe, None for no probe.

        Its outcome has to be reported: `succeeded`, `failed` or `gave_up`.
        """
        if self._is_open:
            self._probes += 1
            self._probe = self._probes
        return self._probe

    def succeeded(self) -> bool:
        """Notes a success; returns whether this closes the breaker."""
        was_open = self._is_open
        self._failures = 0
        self._is_open, self._probe = False, None
        self._opens_for = self._shortest
        return was_open

    def failed(self, probe: int | None) -> bool:
        """Notes a failure; returns whether this opens the breaker."""
        self._failures += 1
        was_open = self._is_open
        if was_open:
            if probe is None or probe != self._probe:
                return False  # sent before it opened
        elif self._failures < self._threshold:
            return False
        self._is_open, self._probe = True, None
        self._probe_at = self._clock() + self._jitter(self._opens_for / 2, self._opens_for)
        self._opens_for = min(2 * self._opens_for, self._longest)
        return not was_open

    def gave_up(self, probe: int | None) -> None:
        """Notes a request whose outcome is not known: another one may probe."""
        if probe == self._probe:
            self._probe = None
