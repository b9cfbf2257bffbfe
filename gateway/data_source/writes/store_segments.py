"""The segments that the store has, read for a mutation that has to know them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.bigcommerce.models import Segment
from gateway.data_source.collection import ALL_SEGMENTS, MAXIMUM_SEGMENTS
from gateway.data_source.lists import Lists
from gateway.data_source.lookups import Lookups
from gateway.errors import UpstreamUnavailable
from gateway.pagination import Block

# How often the list is read before it is given up: its pages may change their size meanwhile.
READS = 3


@dataclass(frozen=True, slots=True)
class KnownSegments:
    """All segments of the store, by id and by name."""

    by_id: Mapping[str, Segment]
    by_name: Mapping[str, Segment]
    total: int

    @property
    def is_full(self) -> bool:
        """Whether the store has as many segments as it may."""
        return self.total >= MAXIMUM_SEGMENTS


class StoreSegments:
    """Reads all segments, once for each time before which they must not have been read."""

    def __init__(self, lists: Lists, lookups: Lookups[Segment]) -> None:
        self._lists = lists
        self._lookups = lookups
        self._lock = asyncio.Lock()
        self._known: KnownSegments | None = None
        self._not_before = 0.0

    async def read(self, not_before: float) -> KnownSegments:
        """Returns all segments, none of them read before this time; raises `UpstreamError`."""
        async with self._lock:
            if self._known is None or self._not_before < not_before:
                # As late as can be, so that it serves all who wait meanwhile.
                now = self._lists.cache.now()
                self._known = await self._read(now)
                self._not_before = now
            return self._known

    async def read_anew(self) -> KnownSegments:
        """Returns all segments as they are now; raises `UpstreamError`."""
        return await self.read(self._lists.cache.now())

    async def find_absent(self, ids: Sequence[str], not_before: float) -> set[str]:
        """Returns those of these ids that no segment has; raises `UpstreamError`.

        A segment that the cache has is taken to exist: its write tells if it does not. One that
        the cache lacks may have been created since, and is looked for in a list that is newer.
        """
        rows = await self._lookups.load(ids)
        absent = {row_id for row_id, row in zip(ids, rows, strict=True) if row is None}
        return absent - (await self.read(not_before)).by_id.keys() if absent else absent

    async def _read(self, not_before: float) -> KnownSegments:
        source = self._lists.of(ALL_SEGMENTS)
        for _ in range(READS):
            first = await source.read(0, not_before)
            others = range(1, -(-first.total // first.size))
            blocks: list[Block[Segment]] = [
                first,
                *await asyncio.gather(*(source.read(at, not_before) for at in others)),
            ]
            if any(block.read_at < not_before for block in blocks):
                break  # in place of an error
            if len({(block.size, block.total) for block in blocks}) == 1:
                rows = [row for block in blocks for row in block.rows if row is not None]
                return KnownSegments(
                    {row.id: row for row in rows},
                    {row.name: row for row in rows if row.name is not None},
                    first.total,
                )
            not_before = source.now()
        raise UpstreamUnavailable("The store's segments cannot be read.", was_sent=False)
