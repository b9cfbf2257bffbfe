"""What was learned of an operation's limits, which BigCommerce does not document."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.bigcommerce.operations import Upstream
from gateway.data_source.batcher import LOOKUP_IDS

# What was learned is forgotten after this time: one odd answer must not count for ever.
LEARNED_SECONDS = 300.0


@dataclass(slots=True)
class _Learned:
    page_size: int
    began_at: float
    page_read_at: float = 0.0
    lookup_ids: int = LOOKUP_IDS


class LearnedLimits:
    """Rows to a page, and ids to a lookup, by the operation that lists them.

    Each starts, and starts again every five minutes, with what the gateway asks for by itself.
    While the upstream fails nothing is forgotten: the cached answers have the sizes that it gave.
    `now` returns the time in seconds.
    """

    def __init__(self, page_size: int, now: Callable[[], float], upstream: Upstream) -> None:
        self._wanted_page_size = page_size
        self._now = now
        self._upstream = upstream
        self._learned: dict[str, _Learned] = {}

    def page_size(self, operation: str) -> int:
        """Returns the rows to ask for on one page."""
        return self._of(operation).page_size

    def learn_page_size(self, operation: str, rows: int, read_at: float) -> None:
        """Records the rows of a page that was asked for at `read_at`; the newest one counts."""
        learned = self._of(operation)
        if read_at >= learned.page_read_at:
            learned.page_size, learned.page_read_at = rows, read_at

    def lookup_ids(self, operation: str) -> int:
        """Returns the ids to ask for at once: never more than are given on one page."""
        learned = self._of(operation)
        return min(learned.lookup_ids, learned.page_size)

    def learn_lookup_ids(self, operation: str, ids: int) -> None:
        """Records how many ids the upstream takes at once, if that is less than known."""
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
