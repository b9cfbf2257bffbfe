"""The state of the emulated store: segments, shopper profiles, memberships and customers."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from gateway.emulator.members import Members
from gateway.emulator.rows import CustomerRow, SegmentRow, ShopperProfileRow, Table

# Documented: at most 1000 segments to a store.
MAXIMUM_SEGMENTS = 1000


@dataclass
class Store:
    """Segments, shopper profiles and customers, oldest first, and which profiles a segment has.

    Ids ignore case.
    """

    segments: list[SegmentRow] = field(default_factory=list)
    profiles: Table[ShopperProfileRow] = field(default_factory=Table)
    members: Members = field(default_factory=Members)
    customers: Table[CustomerRow] = field(default_factory=Table)
    _last_date: datetime = field(
        default=datetime(2023, 1, 1, tzinfo=UTC), init=False, repr=False, compare=False
    )

    def insert(self, row: SegmentRow, position: int | None = None) -> None:
        """Adds a segment before the one at `position`, at the end by default.

        Raises `ValueError` for an id or a name that the store has already.
        """
        row_id = row.id.lower()
        if any(row_id == other.id.lower() or row.name == other.name for other in self.segments):
            raise ValueError(f"the store has a segment with the id or the name of {row.name!r}")
        self.segments.insert(len(self.segments) if position is None else position, row)

    def create_segment(self, name: str, description: str | None = None) -> SegmentRow:
        """Adds a segment at the end, with an id and dates; raises what `insert` raises."""
        date = self._date()
        row = SegmentRow(str(uuid4()), name, description, date, date)
        self.insert(row)
        return row

    def update_segment(self, row: SegmentRow, name: str, description: str | None) -> SegmentRow:
        """Returns a segment of the store with another name and description."""
        changed = replace(row, name=name, description=description, updated_at=self._date())
        self.segments[self.segments.index(row)] = changed
        return changed

    def delete(self, ids: Iterable[str]) -> int:
        """Removes the segments with these ids, not their profiles; returns how many there were."""
        gone = {row_id.lower() for row_id in ids}
        before = len(self.segments)
        self.segments = [row for row in self.segments if row.id.lower() not in gone]
        for row_id in gone:
            self.members.forget_segment(row_id)
        return before - len(self.segments)

    def select(self, ids: Collection[str] | None = None) -> Sequence[SegmentRow]:
        """Returns all segments, or those with these ids (lower case), in the store's order."""
        if ids is None:
            return self.segments
        return [row for row in self.segments if row.id.lower() in ids]

    def find_segment(self, segment_id: str) -> SegmentRow | None:
        """Returns the segment with this id, or None."""
        return next(iter(self.select({segment_id.lower()})), None)

    def create_profile(self, customer_id: int) -> ShopperProfileRow:
        """Adds the shopper profile of a customer; raises `ValueError` for a second one."""
        date = self._date()
        row = ShopperProfileRow(str(uuid4()), customer_id, date, date)
        self.profiles.add(row)
        return row

    def delete_profiles(self, profiles: Collection[ShopperProfileRow]) -> None:
        """Removes shopper profiles of the store, and their memberships."""
        self.members.forget_profiles(profiles)
        self.profiles.remove(profiles)

    def _date(self) -> str:
        """Returns the present, later than any date before: a change always shows."""
        now = datetime.now(UTC)
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        self._last_date = max(now, self._last_date + timedelta(milliseconds=1))
        return self._last_date.strftime("%Y-%m-%dT%H:%M:%S.") + f"{self._last_date:%f}"[:3] + "Z"
