"""How many keys were read, by collection and result."""

from collections import defaultdict
from dataclasses import astuple, dataclass


@dataclass(slots=True)
class CacheCounts:
    """Reads of keys by their result.

    A key is a `miss` if its read began a fill, and `coalesced` if it joined a fill in flight. A
    stale value that expires while its reader waits for other keys counts twice.
    """

    hit: int = 0
    stale: int = 0
    miss: int = 0
    coalesced: int = 0


class CountsByCollection(defaultdict[str, CacheCounts]):
    """The counts of each collection, by `EntryKind.counted_as`."""

    def __init__(self) -> None:
        super().__init__(CacheCounts)

    def total(self) -> CacheCounts:
        """Returns the counts of all collections together."""
        return CacheCounts(*map(sum, zip(*map(astuple, self.values()), strict=True)))
