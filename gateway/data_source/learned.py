"""The limits of operations, learned from answers: BigCommerce documents few of them."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.data_source.batcher import LOOKUP_IDS

# The defaults are tried again after this time: one wrong answer must not count forever.
LEARNED_SECONDS = 300.0


@dataclass(slots=True)
class _Learned:
    page_size: int
    page_tried_at: float
    ids_learned_at: float
    page_read_at: float = 0.0
    ids: int = LOOKUP_IDS


class LearnedLimits:
    """Rows per page and ids per lookup, by list operation, and items per write.

    `now` returns the time in seconds.

    The page size is kept until an answer has another one: cached blocks have the learned size, and
    are found by it while the upstream fails.
    """

    def __init__(self, default_page_size: int, now: Callable[[], float]) -> None:
        self._default_page_size = default_page_size
        self._now = now
        self._learned: dict[str, _Learned] = {}
        # The items that a write takes at once, and when that was learned.
        self._items: dict[str, tuple[int, float]] = {}

    def page_size(self, operation: str) -> int:
        """Returns the number of rows per page, as far as is known."""
        return self._of(operation).page_size

    def page_size_to_try(self, operation: str) -> int:
        """Returns the default page size if it is time to try it again, else the learned one."""
        learned = self._of(operation)
        if self._now() - learned.page_tried_at <= LEARNED_SECONDS:
            return learned.page_size
        learned.page_tried_at = self._now()
        return self._default_page_size

    def learn_page_size(self, operation: str, rows: int, read_at: float) -> None:
        """Records the size of a page that was requested at `read_at`; the newest page counts."""
        learned = self._of(operation)
        if read_at >= learned.page_read_at:
            learned.page_size, learned.page_read_at = rows, read_at

    def lookup_ids(self, operation: str) -> int:
        """Returns the number of ids to request at once, at most the rows of a page."""
        learned = self._of(operation)
        if self._now() - learned.ids_learned_at > LEARNED_SECONDS:
            learned.ids = LOOKUP_IDS
        return min(learned.ids, learned.page_size)

    def learn_lookup_ids(self, operation: str, ids: int) -> None:
        """Records the number of ids that the upstream accepts at once, if it is lower."""
        lowest = min(ids, self.lookup_ids(operation))
        learned = self._of(operation)
        learned.ids, learned.ids_learned_at = lowest, self._now()

    def items_at_once(self, operation: str, default: int) -> int:
        """Returns the number of items to write at once, at most the default."""
        items, learned_at = self._items.get(operation, (default, 0.0))
        return default if self._now() - learned_at > LEARNED_SECONDS else min(items, default)

    def learn_items_at_once(self, operation: str, items: int) -> None:
        """Records the number of items that a write takes at once, if it is lower."""
        self._items[operation] = (self.items_at_once(operation, max(1, items)), self._now())

    def _of(self, operation: str) -> _Learned:
        learned = self._learned.get(operation)
        if learned is None:
            now = self._now()
            learned = self._learned[operation] = _Learned(self._default_page_size, now, now)
        return learned
