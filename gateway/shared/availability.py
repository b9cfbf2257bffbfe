"""Whether Redis is asked at all: where it fails it is passed over for a moment, then one probes."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ask:
    """A call that is under way: how often Redis was back before it, and whether it probes."""

    times_back: int
    is_probe: bool


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
        self._times_back = 0
        self._refused: set[str] = set()

    @property
    def state(self) -> str:
        """What is known, in two words or three."""
        if self._away_until is not None:
            return "away"
        if self._refused:
            return "refuses reads" if "reads" in self._refused else "refuses writes"
        return "connected" if self._was_asked else "not asked yet"

    def ask(self) -> Ask | None:
        """Returns what a call goes by; None while Redis is away, but for one call that probes.

        Whoever asks has to tell what came of it: `answered`, `refused`, `failed` or `gave_up`.
        """
        if self._away_until is None:
            return Ask(self._times_back, is_probe=False)
        if self._is_probed or self._clock() < self._away_until:
            return None
        self._is_probed = True
        return Ask(self._times_back, is_probe=True)

    def answered(self, ask: Ask, purpose: str) -> None:
        """Takes note of an answer."""
        self._is_there(ask)
        if purpose in self._refused:
            self._refused.remove(purpose)
            log.info("Redis takes %s again", purpose)

    def refused(self, ask: Ask, purpose: str, reason: str) -> None:
        """Takes note of an error answer: it is there, but does not do this."""
        self._is_there(ask)
        if purpose not in self._refused:
            self._refused.add(purpose)
            log.warning("Redis refuses %s: %s", purpose, reason)

    def failed(self, ask: Ask, reason: str) -> None:
        """Takes note of no answer, and passes Redis over for a moment."""
        self._was_asked = True
        if ask.is_probe:
            self._is_probed = False
        elif self._away_until is None and ask.times_back == self._times_back:
            log.warning("Redis is away and passed over: %s", reason)
        else:
            return  # sent before it went away: that is known
        self._away_until = self._clock() + self._pause()

    def gave_up(self, ask: Ask) -> None:
        """Takes note of a call that nobody waits for any more: the next one may probe."""
        if ask.is_probe:
            self._is_probed = False

    def _is_there(self, ask: Ask) -> None:
        self._was_asked = True
        # What was sent before it went away may still be answered: only the probe tells.
        if ask.is_probe:
            self._is_probed = False
            self._away_until = None
            self._times_back += 1
            log.info("Redis is back")
