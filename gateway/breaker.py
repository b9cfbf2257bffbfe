"""A circuit breaker: after failures in a row it opens for a while, then lets one probe through."""

from collections.abc import Callable
from random import uniform


class CircuitBreaker:
    """Opens after `threshold` failures in a row, and closes at the next success.

    While it is open, one request at a time may probe: the first one after `shortest` seconds, each
    next one after twice as long, `longest` at most. `clock` is in seconds; `jitter` draws from a
    range, so that processes do not probe at once.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        jitter: Callable[[float, float], float] = uniform,
        *,
        threshold: int,
        shortest: float,
        longest: float,
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._threshold = threshold
        self._shortest = shortest
        self._longest = longest
        self._failures = 0
        self._is_open = False
        self._probes = 0
        self._probe: int | None = None  # the one in flight
        self._pause = shortest
        self._probe_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether only probes are allowed."""
        return self._is_open

    @property
    def allows_request(self) -> bool:
        """Whether a request may be sent now."""
        return not self._is_open or (self._probe is None and self._clock() >= self._probe_at)

    def enter(self) -> int | None:
        """Counts a request that is sent now; returns its number if it is a probe, else None.

        The caller must report its outcome by `record_success`, `record_failure` or
        `record_cancelled`.
        """
        if self._is_open:
            self._probes += 1
            self._probe = self._probes
        return self._probe

    def record_success(self) -> bool:
        """Records a success; returns whether it closes the breaker."""
        was_open = self._is_open
        self._failures = 0
        self._is_open, self._probe = False, None
        self._pause = self._shortest
        return was_open

    def record_failure(self, probe: int | None) -> bool:
        """Records a failure; returns whether it opens the breaker."""
        self._failures += 1
        was_open = self._is_open
        if was_open:
            if probe is None or probe != self._probe:
                return False  # sent before it opened
        elif self._failures < self._threshold:
            return False
        self._is_open, self._probe = True, None
        self._probe_at = self._clock() + self._jitter(self._pause / 2, self._pause)
        self._pause = min(2 * self._pause, self._longest)
        return not was_open

    def record_cancelled(self, probe: int | None) -> None:
        """Records a request without an outcome: another one may probe."""
        if probe == self._probe:
            self._probe = None
