"""The state of memberships: which profiles a segment has, and which segments a profile is in."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from gateway.emulator.rows import ShopperProfileRow


class Members:
    """Shopper profiles by segment and segments by shopper profile, in the order of addition.

    Ids of segments are in lower case. A page and an addition cost the same in a segment of any
    size. The memberships are loaded at the first use.
    """

    def __init__(
        self, load: Callable[[], Mapping[str, Iterable[ShopperProfileRow]]] = dict
    ) -> None:
        self._load: Callable[[], Mapping[str, Iterable[ShopperProfileRow]]] | None = load
        self._profiles: dict[str, list[ShopperProfileRow]] = {}
        self._segments: dict[str, dict[str, None]] | None = None
        self._forgotten: set[str] = set()  # before they were loaded

    def of_segment(self, segment_id: str) -> Sequence[ShopperProfileRow]:
        """Returns the shopper profiles of a segment."""
        return self._by_segment().get(segment_id, [])

    def of_profile(self, profile: ShopperProfileRow) -> list[str]:
        """Returns the ids of the segments that a shopper profile is in."""
        return [*self._by_profile().get(profile.id, ())]

    def has(self, segment_id: str, profile: ShopperProfileRow) -> bool:
        """Returns whether a shopper profile is in a segment."""
        return segment_id in self._by_profile().get(profile.id, ())

    def add(self, segment_id: str, profile: ShopperProfileRow) -> None:
        """Adds a shopper profile to a segment that does not have it."""
        self._by_segment().setdefault(segment_id, []).append(profile)
        self._by_profile().setdefault(profile.id, {})[segment_id] = None

    def remove(self, segment_id: str, profiles: Iterable[ShopperProfileRow]) -> None:
        """Removes shopper profiles from a segment that has them."""
        gone, by_profile = {profile.id for profile in profiles}, self._by_profile()
        kept = [row for row in self._by_segment().get(segment_id, []) if row.id not in gone]
        self._by_segment()[segment_id] = kept
        for profile_id in gone:
            by_profile[profile_id].pop(segment_id)

    def forget_segment(self, segment_id: str) -> None:
        """Removes all shopper profiles from a segment."""
        if self._load is not None:
            self._forgotten.add(segment_id)
            return
        for profile in self._profiles.pop(segment_id, []):
            if self._segments is not None:
                self._segments[profile.id].pop(segment_id)

    def forget_profiles(self, profiles: Iterable[ShopperProfileRow]) -> None:
        """Removes shopper profiles from all their segments."""
        gone: dict[str, list[ShopperProfileRow]] = {}
        for profile in profiles:
            for segment_id in self.of_profile(profile):
                gone.setdefault(segment_id, []).append(profile)
        for segment_id, rows in gone.items():
            self.remove(segment_id, rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Members) and self._filled() == other._filled()

    def _filled(self) -> dict[str, list[ShopperProfileRow]]:
        return {key: rows for key, rows in self._by_segment().items() if rows}

    def _by_segment(self) -> dict[str, list[ShopperProfileRow]]:
        if self._load is not None:
            loaded, self._load = self._load(), None
            self._profiles = {
                segment_id: list(rows)
                for segment_id, rows in loaded.items()
                if segment_id not in self._forgotten
            }
        return self._profiles

    def _by_profile(self) -> dict[str, dict[str, None]]:
        if self._segments is None:
            self._segments = {}
            for segment_id, rows in self._by_segment().items():
                for row in rows:
                    self._segments.setdefault(row.id, {})[segment_id] = None
        return self._segments
