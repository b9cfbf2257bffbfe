"""Requests without valid credentials: slowed by peer, counted, and logged once a minute."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable

from cachetools import TTLCache

WINDOW_SECONDS = 60.0
# Each failure of a peer within the window adds this to the delay of its next.
DELAY_SECONDS = 0.05
LONGEST_DELAY_SECONDS = 1.0
# Refusals that wait at a time; more are answered at once, so that they hold no memory.
MAXIMUM_WAITING = 64
MAXIMUM_PEERS = 1024

log = logging.getLogger(__name__)


class Failures:
    """Slows and logs requests without valid credentials; `now` returns seconds.

    The log has the reasons and one address, never a credential.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._by_peer: TTLCache[str, int] = TTLCache(MAXIMUM_PEERS, WINDOW_SECONDS, timer=now)
        self._reasons: Counter[str] = Counter()
        self._last_peer = ""
        self._timer: asyncio.TimerHandle | None = None
        self._waiting = 0

    async def record(self, peer: str, reason: str) -> None:
        """Counts a failure, and waits: a first one not at all, then longer, at most a second."""
        earlier = self._by_peer.get(peer, 0)
        self._by_peer[peer] = earlier + 1
        self._reasons[reason] += 1
        self._last_peer = peer
        if self._timer is None:
            self._log()
        if earlier and self._waiting < MAXIMUM_WAITING:
            self._waiting += 1
            try:
                await asyncio.sleep(min(LONGEST_DELAY_SECONDS, earlier * DELAY_SECONDS))
            finally:
                self._waiting -= 1

    def _log(self) -> None:
        """Logs what came since the last line, and what comes within a minute in another one."""
        self._timer = None
        if not self._reasons:
            return
        log.warning(
            "requests without valid credentials: %d, the last from %s (%s)",
            self._reasons.total(),
            self._last_peer,
            "; ".join(f"{count} x {reason}" for reason, count in self._reasons.most_common()),
        )
        self._reasons.clear()
        self._timer = asyncio.get_running_loop().call_later(WINDOW_SECONDS, self._log)
