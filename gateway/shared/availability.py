"""Whether Redis is asked at all: where it fails it is passed over for a moment, then one probes."""

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


class Availability:
    """Knows whether Redis answers, and what it refuses; tells of each change once, in the log.

    `clock` tells seconds that only go forward, `pause` for how many it is passed over.
    """

    def __init__(self, clock: Callable[[], float], pause: Callable[[], float]) -> None:
        self._clock = clock
        self._pause = pause
        self._was_asked = False
        self._away_until: float | None = None
        self._is_probed = False
        self._refused: set[str] = set()

    @property
    def state(self) -> str:
        """What is known, in two words or three."""
        if self._away_until is not None:
            return "away"
        if self._refused:
            return "refuses reads" if "reads" in self._refused else "refuses writes"
        return "connected" if self._was_asked else "not asked yet"

    def may_ask(self) -> bool:
        """Tells whether to ask now; while it is away, only one call at a time may, to probe.

        Whoever may has to tell what came of it: `answered`, `refused`, `failed` or `gave_up`.
        """
        if self._away_until is None:
            return True
        if self._is_probed or self._clock() < self._away_until:
            return False
        self._is_probed = True
        return True

    def answered(self, purpose: str) -> None:
        """Takes note of an answer."""
        self._is_back()
        if purpose in self._refused:
            self._refused.remove(purpose)
            log.info("Redis takes %s again", purpose)

    def refused(self, purpose: str, reason: str) -> None:
        """Takes note of an error answer: it is there, but does not do this."""
        self._is_back()
        if purpose not in self._refused:
            self._refused.add(purpose)
            log.warning("Redis refuses %s: %s", purpose, reason)

    def failed(self, reason: str) -> None:
        """Takes note of no answer, and passes Redis over for a moment."""
        if self._away_until is None:
            log.warning("Redis is away and passed over: %s", reason)
        self._was_asked = True
        self._is_probed = False
        self._away_until = self._clock() + self._pause()

    def gave_up(self) -> None:
        """Takes note of a call that nobody waits for any more: the next one may probe."""
        self._is_probed = False

    def _is_back(self) -> None:
        self._was_asked = True
        # What was sent before it went away may still be answered: only the probe tells.
        if self._is_probed:
            self._is_probed = False
            self._away_until = None
            log.info("Redis is back")
