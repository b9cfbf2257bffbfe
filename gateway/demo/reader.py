"""What a page or a client asks for; each side has its own way to get it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


class NoAnswer(Exception):
    """The client got an error, or nothing."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The segments of one answer, and where the next page begins, if there is one."""

    names: Sequence[str]
    next_page: str | None = None
    is_stale: bool = False


class SegmentReader(Protocol):
    """The client of one side. Each method raises `NoAnswer`."""

    async def page(self, rows: int, begin: str | None = None) -> Reading:
        """Returns a page of all segments: the first one, or that which `begin` names."""

    async def by_ids(self, ids: Sequence[str]) -> Reading:
        """Returns the segments with these ids."""

    async def of_customer(self, customer_id: int) -> Reading:
        """Returns the segments of a customer."""


# Makes one more client, with a connection of its own.
NewReader = Callable[[], AbstractAsyncContextManager[SegmentReader]]
