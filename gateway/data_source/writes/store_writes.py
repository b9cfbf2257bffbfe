"""What all writes to one store share."""

from gateway.bigcommerce.models import Segment
from gateway.cache.invalidations import Invalidations
from gateway.data_source.lists import Lists
from gateway.data_source.lookups import Lookups
from gateway.data_source.writes.batches import Batches
from gateway.data_source.writes.running import RunningWrites
from gateway.data_source.writes.store_segments import StoreSegments


class StoreWrites:
    """The store and its cache, and the largest batches; `running` are the writes in progress."""

    def __init__(
        self,
        lists: Lists,
        segment_lookups: Lookups[Segment],
        invalidations: Invalidations,
        *,
        batch_segments: int,
        batch_profiles: int,
    ) -> None:
        self.running = RunningWrites(lists, invalidations)
        self._lists = lists
        self._segment_lookups = segment_lookups
        self._batches = Batches(lists.upstream, lists.limits)
        self._batch_segments = batch_segments
        self._batch_profiles = batch_profiles

    def _segments(self) -> StoreSegments:
        return StoreSegments(self._lists, self._segment_lookups)

    def _now(self) -> float:
        return self._lists.cache.now()
