"""What was learned of the upstream's limits, which nobody has written down."""

from collections.abc import Callable

# How many ids travel in one `id:in`: 100 uuids make a URL of 4 KB, which every proxy lets through.
LOOKUP_IDS = 100
# What was learned is forgotten after this time: one odd answer must not count for ever.
LEARNED_SECONDS = 300.0


class LearnedLimits:
    """Rows that the upstream gives to a page, and ids that it takes at once.

    Both start, and start again every five minutes, with what the gateway would like; `now` tells
    the time in seconds. While the upstream fails nothing is forgotten: what is kept of its answers
    has the sizes that it gave.
    """

    def __init__(
        self,
        page_size: int,
        now: Callable[[], float],
        *,
        upstream_fails: Callable[[], bool] = lambda: False,
    ) -> None:
        self._wanted_page_size = page_size
        self._now = now
        self._upstream_fails = upstream_fails
        self._page_size = page_size
        self._page_read_at = 0.0
        self._lookup_ids = LOOKUP_IDS
        self._began_at = now()

    @property
    def page_size(self) -> int:
        """Rows to ask for on one page."""
        self._forget_in_time()
        return self._page_size

    def learn_page_size(self, rows: int, read_at: float) -> None:
        """Takes note of the rows to a page that was asked for then; the newest one counts."""
        if read_at >= self._page_read_at:
            self._page_size, self._page_read_at = rows, read_at

    @property
    def lookup_ids(self) -> int:
        """Ids to ask for at once: never more than would be given on one page."""
        self._forget_in_time()
        return min(self._lookup_ids, self._page_size)

    @lookup_ids.setter
    def lookup_ids(self, ids: int) -> None:
        self._lookup_ids = ids

    def _forget_in_time(self) -> None:
        if self._now() - self._began_at > LEARNED_SECONDS and not self._upstream_fails():
            self._page_size, self._lookup_ids = self._wanted_page_size, LOOKUP_IDS
            self._page_read_at = 0.0
            self._began_at = self._now()
