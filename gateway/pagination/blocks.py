"""What a list of the upstream is to paging: rows with ids, in blocks of one size."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Generic, Protocol, TypeVar

from gateway.errors import ErrorCode

PAGE_SIZE_CHANGES = "The store's API changes the size of its pages all the time."


class HasId(Protocol):
    """A row: all that paging knows of it is its id, a uuid in lower case."""

    @property
    def id(self) -> str:
        """The raw id."""


Row = TypeVar("Row", bound=HasId)


@dataclass(frozen=True)
class Block(Generic[Row]):
    """One page of the upstream as it was answered.

    `index` counts from 0, `size` is the answer's `per_page`, `total` the rows of the whole list,
    `read_at` the time in seconds at which the request was sent; `stale_for` is the code of the
    error for which it had to do in this read, though it was stale. A row that cannot be used (it
    has no usable id, or that of another row) is None in `rows`, so that each row is at its offset.
    """

    index: int
    size: int
    total: int
    rows: Sequence[Row | None]
    read_at: float
    stale_for: ErrorCode | None = None

    def stale_because_of(self, error: ErrorCode | None) -> "Block[Row]":
        """Returns the block as one that had to do for an error, where there is one."""
        return self if error is None else replace(self, stale_for=error)

    @cached_property
    def offsets(self) -> dict[str, int]:
        """The offset in the list of each usable row, by id."""
        start = self.index * self.size
        return {row.id: start + at for at, row in enumerate(self.rows) if row is not None}


class BlockSource(Protocol[Row]):
    """A list of the upstream, read in blocks of one size."""

    @property
    def name(self) -> str:
        """What the list is called in cursors: two lists never share a name."""

    @property
    def size(self) -> int:
        """Rows to a block, as far as is known before the next answer."""

    @property
    def total(self) -> int | None:
        """The number of rows that the newest answer told, None before the first one."""

    @property
    def edition_seconds(self) -> float:
        """How far apart in time blocks of one answer may have been read."""

    @property
    def is_restless(self) -> bool:
        """Whether blocks of this list were lately found not to agree, however often read."""

    def take_fresh_total(self) -> int | None:
        """Returns the total for an answer while what told it is fresh, else None."""

    def now(self) -> float:
        """Returns the time in seconds, on the clock of `Block.read_at`."""

    async def read(self, index: int) -> Block[Row]:
        """Returns the block; its `size` may differ from what was expected."""

    def use(self, block: Block[Row]) -> None:
        """Counts a block as part of an answer."""

    def supersede(self, read_at: float) -> None:
        """Takes every block read before `read_at` for out of date: the list has moved since."""

    def mark_restless(self) -> None:
        """Says that the blocks do not agree, however often they are read."""

    def may_search_anew(self) -> bool:
        """Takes one of the few turns in which the list may be read anew to find a cursor's row."""
