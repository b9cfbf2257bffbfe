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
    """Knows whether Redis answers, and which kinds of calls it refuses.

    The log has one line for each thing that goes wrong, and one when all is well again. `clock`
    returns seconds that only go forward, `pause` the seconds for which Redis is passed over.
    """

    def __init__(self, clock: Callable[[], float], pause: Callable[[], float]) -> None:
        self._clock = clock
        self._pause = pause
        self._was_asked = False
        self._away_until: float | None = None
        self._is_probed = False
        self._times_back = 0
        self._refused: set[str] = set()
        # What the log has said since all was well.
        self._logged: set[str] = set()

    @property
    def state(self) -> str:
        """What is known, in two words or three."""
        if self._away_until is not None:
            return "away"
        if self._refused:
            return "refuses reads" if "reads" in self._refused else "refuses writes"
        return "connected" if self._was_asked else "not asked yet"

    def ask(self) -> Ask | None:
        """Returns a ticket for a call; None while Redis is away, except for one call that probes.

        The caller reports the outcome: `answered`, `refused`, `failed` or `gave_up`.
        """
        if self._away_until is None:
            return Ask(self._times_back, is_probe=False)
        if self._is_probed or self._clock() < self._away_until:
            return None
        self._is_probed = True
        return Ask(self._times_back, is_probe=True)

    def answered(self, ask: Ask, purpose: str) -> None:
        """Records an answer: calls of this purpose work."""
        self._is_there(ask)
        self._refused.discard(purpose)
        if self._logged and self.state == "connected":
            self._logged.clear()
            log.info("Redis works again")

    def refused(self, ask: Ask, purpose: str, reason: str) -> None:
        """Records an error answer: Redis is there, but refuses calls of this purpose."""
        self._is_there(ask)
        self._refused.add(purpose)
        if reason not in self._logged:
            self._logged.add(reason)
            log.warning("Redis refuses %s: %s", purpose, reason)

    def failed(self, ask: Ask, reason: str) -> None:
        """Records a call without a usable answer, and passes Redis over for a moment."""
        self._was_asked = True
        if ask.is_probe:
            self._is_probed = False
        elif self._away_until is not None or ask.times_back != self._times_back:
            return  # sent before it went away: that is known
        self._away_until = self._clock() + self._pause()
        if "away" not in self._logged:
            self._logged.add("away")
            log.warning("Redis is away and passed over: %s", reason)

    def gave_up(self, ask: Ask) -> None:
        """Records a call that was cancelled: the next one may probe."""
        if ask.is_probe:
            self._is_probed = False

    def _is_there(self, ask: Ask) -> None:
        self._was_asked = True
        # What was sent before it went away may still be answered: only the probe tells.
        if ask.is_probe:
            self._is_probed = False
            self._away_until = None
            self._times_back += 1
