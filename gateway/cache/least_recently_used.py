"""Values in memory, bounded in bytes; the least recently used make room for others."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

Value = TypeVar("Value")


class Weighted(NamedTuple, Generic[Value]):
    """A value, and the bytes that it counts as."""

    value: Value
    weight: int


class LeastRecentlyUsed(OrderedDict[Hashable, Weighted[Value]]):
    """Values up to `maximum_bytes`, the least recently used first.

    `get` with `move_to_end` is a read. It is used in place of cachetools' own, whose reads are on
    the warm path of each answer and take several times as long.
    """

    def __init__(self, maximum_bytes: int) -> None:
        super().__init__()
        self.bytes = 0
        self._maximum_bytes = maximum_bytes

    def __setitem__(self, key: Hashable, weighted: Weighted[Value]) -> None:
        if key in self:
            self.drop(key)
        super().__setitem__(key, weighted)
        self.bytes += weighted.weight
        while self.bytes > self._maximum_bytes:
            self.drop(next(iter(self)))

    def drop(self, key: Hashable) -> None:
        """Forgets a value."""
        self.bytes -= self.pop(key).weight
