"""A list of the upstream as pagination sees it: rows with ids, in blocks of one size."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol
from weakref import ref

from gateway.errors import ErrorCode
from gateway.pagination.cursors import REMEMBERED_ROWS, Cursor, encode_cursor, fingerprint
from gateway.row import Row

PAGE_SIZE_CHANGES = "The store's API changes the size of its pages all the time."


class BlockCursors(Generic[Row]):
    """The cursors of a block's `rows` in one list, made as they are asked for.

    The first rows of a block remember up to `REMEMBERED_ROWS` rows before the block.
    """

    def __init__(self, list_name: str, start: int, rows: Sequence[Row | None]) -> None:
        self.rows = rows
        self._list_name = list_name
        self._start = start
        self._before: Sequence[Row | None] = ()
        self._ids_before: Sequence[str | None] | None = None
        self._made: list[str | None] = [None] * len(rows)

    def follow(self, before: Sequence[Row | None]) -> bool:
        """Returns whether these are the rows before the block; the first ones are."""
        ids = [None if row is None else row.id for row in before]
        if self._ids_before is None:
            self._before, self._ids_before = before, ids
        return ids == self._ids_before

    def between(self, low: int, high: int) -> Sequence[str | None]:
        """Returns the cursors of `rows[low:high]`, None for a row that cannot be used."""
        found = self._made[low:high]
        if None in found:
            for at in range(low, min(high, len(self.rows))):
                if self._made[at] is None and (row := self.rows[at]) is not None:
                    self._made[at] = self._make(at, row)
            found = self._made[low:high]
        return found

    def _make(self, at: int, row: Row) -> str:
        if at >= REMEMBERED_ROWS:
            remembered = self.rows[at - REMEMBERED_ROWS : at]
        else:
            remembered = [*self._before, *self.rows[:at]][-REMEMBERED_ROWS:]
        marks = tuple(fingerprint(one.id) for one in reversed(remembered) if one is not None)
        return encode_cursor(Cursor(self._start + at, row.id, marks), self._list_name)


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
    def _cursors(self) -> dict[str, BlockCursors[Row]]:
        """Its cursors by list."""
        return {}

    @cached_property
    def _apart_from(self) -> list[ref["Block[Row]"]]:
        """The last block that was found to share no row with this one."""
        return []

    def cursors(self, list_name: str, before: Sequence[Row | None] | None) -> BlockCursors[Row]:
        """Returns the cursors of its rows, which it keeps.

        `before` has the up to `REMEMBERED_ROWS` rows before the block, None if none of the cursors
        that are asked for depends on them.
        """
        cursors = self._cursors.get(list_name)
        if cursors is None or not (before is None or cursors.follow(before)):
            cursors = BlockCursors(list_name, self.index * self.size, self.rows)
            self._cursors[list_name] = cursors
            if before is not None:
                cursors.follow(before)
        return cursors

    def is_apart_from(self, other: "Block[Row]") -> bool:
        """Whether no row stands in both blocks."""
        known = self._apart_from
        if known and known[0]() is other:
            return True
        is_apart = self.offsets.keys().isdisjoint(other.offsets)
        if is_apart:
            known[:] = [ref(other)]
        return is_apart


def are_apart(blocks: Collection[Block[Row]]) -> bool:
    """Whether no row stands in two of the blocks."""
    if len(blocks) == 2:
        one, other = blocks
        return one.is_apart_from(other)
    ids: set[str] = set().union(*(block.offsets for block in blocks))
    return len(ids) == sum(len(block.offsets) for block in blocks)


def do_agree(blocks: Collection[Block[Row]], version_seconds: float) -> bool:
    """Whether the blocks can belong to one version of the list.

    They have the same total and no duplicate row, and were read within `version_seconds`.
    """
    if len(blocks) == 1:
        return True
    times = [block.read_at for block in blocks]
    if max(times) - min(times) > version_seconds:
        return False
    return len({block.total for block in blocks}) == 1 and are_apart(blocks)


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

    @property
    def is_long(self) -> bool:
        """Whether reading the list whole may take very many requests."""

    def try_far_search(self) -> bool:
        """Counts a search far from a cursor's offset; returns whether it is allowed."""
