"""A list of the upstream as pagination sees it: rows with ids, in blocks of one size."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, Protocol

from gateway.errors import ErrorCode
from gateway.pagination.cursors import REMEMBERED_ROWS, Cursor, encode_cursor, fingerprint
from gateway.row import Row

PAGE_SIZE_CHANGES = "The store's API changes the size of its pages all the time."


@dataclass(slots=True)
class _Minted:
    """The cursors of a block's rows that have been asked for, in one list.

    The first rows of a block remember rows of the block before: `before` has the ids of those.
    """

    cursors: list[str | None]
    before: list[str | None] = field(default_factory=list)


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

    @property
    def is_whole(self) -> bool:
        """Whether every row is usable."""
        return len(self.offsets) == len(self.rows)

    @cached_property
    def _minted(self) -> dict[str, _Minted]:
        return {}

    def cursors(
        self, list_name: str, low: int, high: int, before: Sequence[Row | None]
    ) -> Sequence[str | None]:
        """Returns the cursors of `rows[low:high]`, None for a row that cannot be used.

        `before` has the up to `REMEMBERED_ROWS` rows before the block. It is needed only if `low`
        is less than that. The block keeps its cursors.
        """
        minted = self._minted.get(list_name)
        if minted is None:
            minted = self._minted[list_name] = _Minted([None] * len(self.rows))
        if low < REMEMBERED_ROWS and self.index:
            ids = [None if row is None else row.id for row in before]
            if minted.before != ids:
                minted.before = ids
                head = min(REMEMBERED_ROWS, len(self.rows))
                minted.cursors[:head] = [None] * head
        found = minted.cursors[low:high]
        if not all(found):
            for at, row in enumerate(self.rows[low:high], low):
                if minted.cursors[at] is None and row is not None:
                    minted.cursors[at] = self._mint(list_name, at, row, before)
            found = minted.cursors[low:high]
        return found

    def _mint(self, list_name: str, at: int, row: Row, before: Sequence[Row | None]) -> str:
        if at >= REMEMBERED_ROWS:
            remembered = self.rows[at - REMEMBERED_ROWS : at]
        else:
            remembered = [*before, *self.rows[:at]][-REMEMBERED_ROWS:]
        marks = tuple(fingerprint(one.id) for one in reversed(remembered) if one is not None)
        return encode_cursor(Cursor(self.index * self.size + at, row.id, marks), list_name)


def do_agree(blocks: Collection[Block[Row]], version_seconds: float) -> bool:
    """Whether the blocks can belong to one version of the list.

    They have the same total and no duplicate row, and were read within `version_seconds`.
    """
    if len(blocks) == 1:
        return True
    times = [block.read_at for block in blocks]
    if max(times) - min(times) > version_seconds:
        return False
    ids: set[str] = set().union(*(block.offsets for block in blocks))
    return len({block.total for block in blocks}) == 1 and len(ids) == sum(
        len(block.offsets) for block in blocks
    )


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

    def fresh_total(self) -> int | None:
        """Returns the total, None if the newest answer is not fresh; changes nothing."""

    def record_total(self) -> None:
        """Records that the answer contains the total."""

    def now(self) -> float:
        """Returns the time in seconds, on the clock of `Block.read_at`."""

    def ready(self, index: int) -> Block[Row] | None:
        """Returns the block if `read` returns it without waiting, else None; changes nothing.

        A block that is served because of an upstream error is not ready.
        """

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
