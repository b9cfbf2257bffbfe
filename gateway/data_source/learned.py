"""The limits of operations, learned from answers: BigCommerce does not document them."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.bigcommerce.operations import Upstream
from gateway.data_source.batcher import LOOKUP_IDS

# Learned limits expire after this time: one wrong answer must not count forever.
LEARNED_SECONDS = 300.0


@dataclass(slots=True)
class _Learned:
    page_size: int
    began_at: float
    page_read_at: float = 0.0
    lookup_ids: int = LOOKUP_IDS


class LearnedLimits:
    """Rows per page and ids per lookup, by list operation.

    Each starts with its default, and returns to it every five minutes. While the upstream fails,
    limits do not expire: cached blocks have the learned size.
    `now` returns the time in seconds.
    """

    def __init__(self, page_size: int, now: Callable[[], float], upstream: Upstream) -> None:
        self._wanted_page_size = page_size
        self._now = now
        self._upstream = upstream
        self._learned: dict[str, _Learned] = {}

    def page_size(self, operation: str) -> int:
        """Returns the number of rows to request per page."""
        return self._of(operation).page_size

    def learn_page_size(self, operation: str, rows: int, read_at: float) -> None:
        """Records the size of a page that was requested at `read_at`; the newest page counts."""
        learned = self._of(operation)
        if read_at >= learned.page_read_at:
            learned.page_size, learned.page_read_at = rows, read_at

    def lookup_ids(self, operation: str) -> int:
        """Returns the number of ids to request at once, at most the rows of a page."""
        learned = self._of(operation)
        return min(learned.lookup_ids, learned.page_size)

    def learn_lookup_ids(self, operation: str, ids: int) -> None:
        """Records the number of ids that the upstream accepts at once, if it is lower."""
        learned = self._of(operation)
        learned.lookup_ids = min(ids, learned.lookup_ids, learned.page_size)

    def _of(self, operation: str) -> _Learned:
        learned = self._learned.get(operation)
        if learned is None or self._is_outdated(operation, learned):
            learned = self._learned[operation] = _Learned(self._wanted_page_size, self._now())
        return learned

    def _is_outdated(self, operation: str, learned: _Learned) -> bool:
        if self._now() - learned.began_at <= LEARNED_SECONDS:
            return False
        deferred = [
            self._upstream.defer_reason(operation, foreground=is_foreground)
            for is_foreground in (True, False)
        ]
        return deferred == [None, None]
