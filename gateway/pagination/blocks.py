"""A list of the upstream as pagination sees it: rows with ids, in blocks of one size."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol

from gateway.errors import ErrorCode
from gateway.row import Row

PAGE_SIZE_CHANGES = "The store's API changes the size of its pages all the time."


@dataclass(frozen=True)
class Block(Generic[Row]):
    """One page of the upstream, as received.

    `index` counts from 0, `size` is the answer's `per_page`, `total` the rows of the whole list,
    `read_at` the time in seconds at which the request was sent. `stale_because` is the code of the
    upstream error because of which a stale block is served. A row that
    cannot be used (it has no usable id, or that of another row) is None in `rows`, so that each row
    keeps its offset.
    """

    index: int
    size: int
    total: int
    rows: Sequence[Row | None]
    read_at: float
    stale_because: ErrorCode | None = None

    @cached_property
    def offsets(self) -> dict[str, int]:
        """The offset in the list of each usable row, by id."""
        start = self.index * self.size
        return {row.id: start + at for at, row in enumerate(self.rows) if row is not None}


class BlockSource(Protocol[Row]):
    """A list of the upstream, read in blocks of one size."""

    @property
    def name(self) -> str:
        """The name of the list in cursors; no other list has it."""

    @property
    def size(self) -> int:
        """Rows per block, as last learned; the next answer may have another size."""

    @property
    def total(self) -> int | None:
        """The total in the newest answer, None before the first answer."""

    @property
    def version_seconds(self) -> float:
        """How far apart in time blocks of one answer may have been read."""

    @property
    def is_unstable(self) -> bool:
        """Whether blocks of this list recently still disagreed after several reads."""

    def read_fresh_total(self) -> int | None:
        """Returns the total and records its read, None if the newest answer is not fresh."""

    def now(self) -> float:
        """Returns the time in seconds, on the clock of `Block.read_at`."""

    async def read(self, index: int) -> Block[Row]:
        """Returns the block; its `size` may differ from what was expected."""

    def record_read(self, block: Block[Row]) -> None:
        """Records that the answer contains a block."""

    def invalidate_before(self, read_at: float) -> None:
        """Invalidates every block that was read before `read_at`: the list has changed since."""

    def mark_unstable(self) -> None:
        """Records that the blocks still disagree after several reads."""

    def try_search(self) -> bool:
        """Counts a reread of the list for a cursor's row; returns whether it is allowed."""
