"""Whole answers by request: the JSON of `data` of what was asked before and is still fresh."""

from array import array
from collections.abc import Callable, Hashable, Sequence
from typing import Final

import msgspec

from gateway.cache.least_recently_used import LeastRecentlyUsed, Weighted
from gateway.errors import ErrorCode
from gateway.instrumentation import UNNAMED, NamedOperation

# Longer bodies are not kept: their requests are rarely repeated.
LONGEST_BODY: Final = 16 * 1024
# The places for requests that were seen once; a request takes the place of another.
SEEN: Final = 8192
# What an answer takes beside its bytes and those of its request.
OVERHEAD_BYTES: Final = 1000


class Success(msgspec.Struct, frozen=True):
    """The JSON of `data` of an answer without errors, in parts, and what it was made of.

    `oldest_read_at` is the time of its oldest value, None if it has none of the upstream.
    `collections` are the names of those that it shows. `etag` and `tags` are the headers of an
    answer by GET, empty for one by POST. `operation` is what it answers.
    """

    data: Sequence[bytes | memoryview]
    oldest_read_at: float | None
    is_stale: bool
    stale_because: ErrorCode | None
    collections: tuple[str, ...]
    etag: str = ""
    tags: str = ""
    operation: NamedOperation = UNNAMED


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
        self._seen = array("q", bytes(8 * SEEN))

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
        mark = hash(key)
        if self._seen[mark % SEEN] != mark:
            self._seen[mark % SEEN] = mark
            return
        size = request_bytes + sum(map(len, answer.data)) + len(answer.tags) + OVERHEAD_BYTES
        if size <= self._maximum_bytes and self._is_fresh(answer, now):
            # A part may be one of a longer text.
            whole = msgspec.structs.replace(answer, data=(b"".join(answer.data),))
            self._kept[key] = Weighted(whole, size)

    def _is_fresh(self, answer: Success, now: float) -> bool:
        read_at = answer.oldest_read_at
        return (
            read_at is not None
            # A value from the future was stamped before the clock was set back.
            and now - self._fresh_seconds < read_at < now + self._fresh_seconds
            and read_at >= max(map(self._changed_at, answer.collections))
        )
