"""The shares of clients in the store's quota: how much each of them has sent of late."""

from collections import deque
from collections.abc import Callable, Iterable

from cachetools import LRUCache

WINDOW_SECONDS = 60.0
# The clients of the last minute that are remembered; the least recently seen are forgotten.
MAXIMUM_CLIENTS = 10_000
# The client of the gateway's own reads.
GATEWAY = ""


class Shares:
    """The upstream requests of each client within the last minute, counted up to `per_minute`.

    `clock` is in seconds and never goes back.
    """

    def __init__(self, clock: Callable[[], float], per_minute: int) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._sent_at: LRUCache[str, deque[float]] = LRUCache(MAXIMUM_CLIENTS)

    def record(self, client: str) -> None:
        """Counts a request that is sent now."""
        sent_at = self._sent_at.get(client)
        if sent_at is None:
            sent_at = self._sent_at[client] = deque(maxlen=self._per_minute)
        sent_at.append(self._clock())

    def sent(self, client: str) -> int:
        """Returns the requests of a client within the last minute, at most `per_minute`."""
        sent_at = self._sent_at.get(client)
        if sent_at is None:
            return 0
        oldest = self._clock() - WINDOW_SECONDS
        while sent_at and sent_at[0] <= oldest:
            sent_at.popleft()
        return len(sent_at)

    def is_exceeded(self, client: str) -> bool:
        """Whether a client has sent its share within the last minute; the gateway has none."""
        return client != GATEWAY and self.sent(client) >= self._per_minute

    def least_used(self, clients: Iterable[str]) -> str:
        """Returns the client that has sent the fewest requests."""
        return min(clients, key=self.sent)
