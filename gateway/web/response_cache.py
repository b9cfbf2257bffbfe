"""Whole answers by request: the JSON of `data` of what was asked before and is still fresh."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.cache.least_recently_used import LeastRecentlyUsed, Weighted
from gateway.errors import ErrorCode

# Longer bodies are not kept: their requests are rarely repeated.
LONGEST_BODY: Final = 16 * 1024
# The requests that are remembered to have been seen once.
SEEN: Final = 8192
# What an answer takes beside its bytes and those of its request: its heads, most of all.
OVERHEAD_BYTES: Final = 3000


class Frame(NamedTuple):
    """What is sent around `data` at one age: headers, also as lines, and the end of the body."""

    key: Hashable
    headers: Sequence[tuple[bytes, bytes]]
    lines: bytes
    end: bytes


@dataclass(slots=True)
class Success:
    """The JSON of `data` of an answer without errors, and what it was made of.

    `oldest_read_at` is the time of its oldest value, None if it has none of the upstream.
    `collections` are the names of those that it shows. `etag` and `tags` are the headers of an
    answer by GET, empty for one by POST. `frame` is what was last sent around `data`, and
    `frame_not_modified` in its place with status 304.
    """

    data: bytes
    oldest_read_at: float | None
    is_stale: bool
    stale_because: ErrorCode | None
    collections: tuple[str, ...]
    etag: str = ""
    tags: str = ""
    frame: Frame | None = None
    frame_not_modified: Frame | None = None


class ResponseCache:
    """Answers by key, up to `maximum_bytes`; the least recently used are evicted.

    An answer is valid while its oldest value is fresh: for `fresh_seconds`, and until a change of
    one of its collections, of which `changed_at` returns the last. So nothing is purged by time or
    by a write. An answer is kept when its request comes for the second time.
    """

    def __init__(
        self, maximum_bytes: int, fresh_seconds: float, changed_at: Callable[[str], float]
    ) -> None:
        self._maximum_bytes = maximum_bytes
        self._fresh_seconds = fresh_seconds
        self._changed_at = changed_at
        self._kept = LeastRecentlyUsed[Success](maximum_bytes)
        self._seen: OrderedDict[int, None] = OrderedDict()

    @property
    def bytes(self) -> int:
        """The bytes of all answers that are kept, and of their requests."""
        return self._kept.bytes

    def find(self, key: Hashable, now: float) -> Success | None:
        """Returns the answer to a request, None if there is no valid one."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if self._is_fresh(kept.value, now):
            self._kept.move_to_end(key)
            return kept.value
        self._kept.drop(key)
        return None

    def offer(self, key: Hashable, request_bytes: int, answer: Success, now: float) -> None:
        """Keeps a fresh answer if its request was seen before, and makes room for it."""
        # The tags are in its headers and in their lines, too.
        size = request_bytes + len(answer.data) + 3 * len(answer.tags) + OVERHEAD_BYTES
        if size > self._maximum_bytes or not self._is_fresh(answer, now):
            return
        mark = hash(key)
        if mark not in self._seen:
            self._seen[mark] = None
            if len(self._seen) > SEEN:
                self._seen.popitem(last=False)
            return
        self._kept[key] = Weighted(answer, size)

    def _is_fresh(self, answer: Success, now: float) -> bool:
        read_at = answer.oldest_read_at
        return (
            read_at is not None
            # A value from the future was stamped before the clock was set back.
            and now - self._fresh_seconds < read_at < now + self._fresh_seconds
            and read_at >= max(map(self._changed_at, answer.collections))
        )
