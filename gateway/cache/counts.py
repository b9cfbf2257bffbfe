"""How many keys were read, by collection and result."""

from dataclasses import dataclass


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
