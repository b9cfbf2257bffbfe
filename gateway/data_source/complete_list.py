"""All rows of a list at one moment, derived from blocks that were read one after another."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic

from gateway.cache.policy import Entry
from gateway.errors import ErrorCode
from gateway.pagination import Block
from gateway.row import Row

# The clocks of the store and of this process differ by less than this.
CLOCK_SKEW_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class CompleteList(Generic[Row]):
    """All rows that a list had at `read_at`, and maybe some that were created soon after.

    `stale_because` is the code of the upstream error because of which a stale list is served.
    """

    read_at: float
    rows: Mapping[str, Entry[Row | None]]
    stale_because: ErrorCode | None = None

    def find(self, row_id: str) -> Entry[Row | None]:
        """Returns the row with an id; None in the entry if there was no such row at `read_at`."""
        absence: Entry[Row | None] = Entry(self.read_at, None)
        return replace(self.rows.get(row_id, absence), stale_because=self.stale_because)


def complete_list(
    blocks: Collection[Block[Row]], created_at: Callable[[Row], datetime | None]
) -> CompleteList[Row] | None:
    """Returns the list as it was when the oldest block was read, None if a row may be missing.

    A row was in the list at that time if it is in the oldest block, or if it was created before and
    has been seen since. If these are as many as the oldest block's total, they are all. So the list
    may have changed in any way while it was read.
    """
    if not blocks:
        return None
    oldest, *later = sorted(blocks, key=lambda block: block.read_at)
    newest_creation = oldest.read_at - CLOCK_SKEW_SECONDS
    rows: dict[str, Entry[Row | None]] = {
        row.id: Entry(oldest.read_at, row) for row in oldest.rows if row is not None
    }
    there = set(rows)
    for block in later:
        for row in block.rows:
            if row is None:
                continue
            rows[row.id] = Entry(block.read_at, row)
            created = created_at(row)
            if created is not None and created.timestamp() < newest_creation:
                there.add(row.id)
    return CompleteList(oldest.read_at, rows) if len(there) == oldest.total else None
