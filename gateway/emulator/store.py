"""The state of the emulated store: its segments and shopper profiles, in the order of lists."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment as the wire shows it; dates are RFC 3339 text, with or without milliseconds."""

    id: str
    name: str
    description: str | None
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class ShopperProfileRow:
    """One shopper profile as the wire shows it."""

    id: str
    customer_id: int
    created_at: str
    updated_at: str


StoredRow = SegmentRow | ShopperProfileRow


@dataclass
class Store:
    """Segments and shopper profiles, oldest first, and which profiles a segment has.

    `members` has the profiles of each segment in the order in which they were added, by the
    segment's id in lower case; a segment that is missing in it has none. Ids ignore case.
    """

    segments: list[SegmentRow] = field(default_factory=list)
    profiles: list[ShopperProfileRow] = field(default_factory=list)
    members: dict[str, list[ShopperProfileRow]] = field(default_factory=dict)

    def insert(self, row: SegmentRow, position: int | None = None) -> None:
        """Adds a segment before the one at `position`, at the end by default.

        Raises `ValueError` for an id or a name that the store has already.
        """
        row_id = row.id.lower()
        if any(row_id == other.id.lower() or row.name == other.name for other in self.segments):
            raise ValueError(f"the store has a segment with the id or the name of {row.name!r}")
        self.segments.insert(len(self.segments) if position is None else position, row)

    def delete(self, ids: Iterable[str]) -> int:
        """Removes the segments with these ids, not their profiles; returns how many there were."""
        gone = {row_id.lower() for row_id in ids}
        before = len(self.segments)
        self.segments = [row for row in self.segments if row.id.lower() not in gone]
        for row_id in gone:
            self.members.pop(row_id, None)
        return before - len(self.segments)

    def select(self, ids: Collection[str] | None = None) -> Sequence[SegmentRow]:
        """Returns all segments, or those with these ids (lower case), in the store's order."""
        if ids is None:
            return self.segments
        return [row for row in self.segments if row.id.lower() in ids]

    def profiles_of(self, segment_id: str) -> Sequence[ShopperProfileRow] | None:
        """Returns the shopper profiles of a segment, or None for an unknown segment."""
        wanted = segment_id.lower()
        if all(row.id.lower() != wanted for row in self.segments):
            return None
        return self.members.get(wanted, [])
