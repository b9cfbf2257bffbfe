"""Faults on demand: what the emulator answers instead of the truth, for the next few requests."""

from collections import deque
from enum import StrEnum


class Fault(StrEnum):
    """One way in which an answer can be wrong."""

    SERVER_ERROR = "server-error"
    """Status 500 with BigCommerce's error object."""
    RATE_LIMITED = "rate-limited"
    """Status 429 with the headers: nothing is left, and when the window resets."""
    OVERLOADED = "overloaded"
    """Status 429 without those headers: platform load."""
    HTML = "html"
    """Status 200 with a page of HTML."""
    TRUNCATED = "truncated"
    """Status 200 with JSON that ends in the middle."""
    NULL_DATA = "null-data"
    """Status 200 with `data: null`."""
    ZERO_PER_PAGE = "zero-per-page"
    """Status 200 with `per_page: 0`."""
    MISSING_ROW = "missing-row"
    """Status 200 with one row fewer than `count`, `total` and `per_page` say."""


class Faults:
    """A queue of faults: each one meets one request that passed authentication and the quota.

    A fault of a list's body has no effect on a request that is refused, and is used up by it.
    """

    def __init__(self) -> None:
        self._queue: deque[Fault | None] = deque()

    def add(self, fault: Fault, times: int = 1) -> None:
        """Lets `times` requests, behind those queued already, fail this way."""
        self._queue.extend([fault] * times)

    def skip(self, times: int = 1) -> None:
        """Lets `times` requests, behind those queued already, be answered rightly."""
        self._queue.extend([None] * times)

    def clear(self) -> None:
        """Forgets what is queued."""
        self._queue.clear()

    def take(self) -> Fault | None:
        """Returns the fault of the next request, None for a right answer."""
        return self._queue.popleft() if self._queue else None
