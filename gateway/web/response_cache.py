"""Whole answers by request: the JSON of `data` of what was asked before and is still fresh."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from cachetools import LRUCache

from gateway.errors import ErrorCode

# Longer bodies are not kept: their requests are rarely repeated.
LONGEST_BODY: Final = 16 * 1024
# The requests that are remembered to have been seen once.
SEEN: Final = 8192
# What an answer takes beside its bytes and those of its request.
OVERHEAD_BYTES: Final = 1000


@dataclass(frozen=True, slots=True)
class Success:
    """The JSON of `data` of an answer without errors, and what it was made of.

    `oldest_read_at` is the time of its oldest value, None if it has none of the upstream.
    `collections` are the names of those that it shows. `etag` and `tags` are the headers of an
    answer by GET, empty for one by POST.
    """

    data: bytes
    oldest_read_at: float | None
    is_stale: bool
    stale_because: ErrorCode | None
    collections: tuple[str, ...]
    etag: str = ""
    tags: str = ""


class ResponseCache:
    """Answers by key, up to `maximum_bytes`; the least recently used are evicted.

    An answer is valid while its oldest value is: `fresh_since` returns the time since which a value
    of a collection had to be read to be fresh. So nothing is purged by time or by a write. An
    answer is kept when its request comes for the second time. `maximum_bytes` of 0 keeps none.
    """

    def __init__(self, maximum_bytes: int, fresh_since: Callable[[str], float]) -> None:
        self._maximum_bytes = maximum_bytes
        self._fresh_since = fresh_since
        self._kept: LRUCache[Hashable, _Kept] = LRUCache(maximum_bytes, getsizeof=_size)
        self._seen: OrderedDict[int, None] = OrderedDict()

    @property
    def bytes(self) -> int:
        """The bytes of all answers that are kept, and of their requests."""
        return int(self._kept.currsize)

    def find(self, key: Hashable) -> Success | None:
        """Returns the answer to a request, None if there is no valid one."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if self._is_fresh(kept.answer):
            return kept.answer
        del self._kept[key]
        return None

    def offer(self, key: Hashable, request_bytes: int, answer: Success) -> None:
        """Keeps a fresh answer if its request was seen before."""
        if not self._maximum_bytes or answer.is_stale or not self._is_fresh(answer):
            return
        mark = hash(key)
        if mark not in self._seen:
            self._seen[mark] = None
            if len(self._seen) > SEEN:
                self._seen.popitem(last=False)
            return
        kept = _Kept(answer, request_bytes)
        if _size(kept) <= self._maximum_bytes:
            self._kept[key] = kept

    def _is_fresh(self, answer: Success) -> bool:
        read_at = answer.oldest_read_at
        return read_at is not None and all(
            read_at >= self._fresh_since(collection) for collection in answer.collections
        )


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Success
    request_bytes: int


def _size(kept: _Kept) -> int:
    answer = kept.answer
    return kept.request_bytes + len(answer.data) + len(answer.tags) + OVERHEAD_BYTES
