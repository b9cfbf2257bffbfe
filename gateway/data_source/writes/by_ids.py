"""Writes that name their items by uuid: deletions, and what is put into a segment or taken out."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from gateway.bigcommerce import writes
from gateway.bigcommerce.ids import Ids
from gateway.bigcommerce.models import Segment, ShopperProfile
from gateway.bigcommerce.write_errors import WriteRefusal
from gateway.bigcommerce.writes import Write
from gateway.data_source.writes.batches import BatchedWrite
from gateway.data_source.writes.progress import Progress
from gateway.data_source.writes.reasons import ReasonOf, addition_error, not_found, removal_error
from gateway.data_source.writes.store_segments import StoreSegments
from gateway.errors import UpstreamError

# Its field says that it is about the segment which the items have in common.
NO_SEGMENT = not_found("The segment", "segment")
NO_PROFILE = not_found("The shopper profile")


class WriteByIds(BatchedWrite[Any]):
    """A write to rows by the index of their item; no id is there twice.

    `make` returns the write to some of them, and `finished` records an item that was carried out.
    """

    def __init__(
        self,
        operation: str,
        ids: Mapping[int, str],
        make: Callable[[Ids], Write[Any]],
        at_once: int,
        progress: Progress[Any],
        reason: ReasonOf,
        finished: Callable[[int], None],
    ) -> None:
        super().__init__(operation, ids, at_once, progress, reason)
        self.ids = ids
        self._make = make
        self._finished = finished

    def build(self, indexes: Sequence[int]) -> Write[Any]:
        """Returns the write to these rows."""
        return self._make(Ids(self.ids[index] for index in indexes))

    def finish(self, index: int, _row: Segment | ShopperProfile | None) -> None:
        """Records a row that was written."""
        self._finished(index)


class MembershipWrite(WriteByIds):
    """A write to the members of one segment, by the ids of their profiles.

    A 404 may be about the segment or about a profile: which of them is looked up in `store`.
    """

    def __init__(
        self,
        segment_id: str,
        ids: Mapping[int, str],
        at_once: int,
        progress: Progress[Any],
        finished: Callable[[int], None],
        store: StoreSegments,
        *,
        is_addition: bool,
    ) -> None:
        add, remove = writes.add_segment_shopper_profiles, writes.remove_segment_shopper_profiles
        super().__init__(
            "add_segment_shopper_profiles" if is_addition else "remove_segment_shopper_profiles",
            ids,
            partial(add if is_addition else remove, segment_id),
            at_once,
            progress,
            addition_error if is_addition else removal_error,
            finished,
        )
        self._segment_id = segment_id
        self._store = store

    async def find_reasons(
        self, indexes: Sequence[int], refusal: WriteRefusal, *, of_each: bool = False
    ) -> None:
        """Finds that there is no such segment, else that a profile does not exist."""
        if refusal.status != 404:
            return
        try:
            known = await self._store.read(self.progress.began_at)
        except UpstreamError:
            return
        is_there = self._segment_id in known.by_id
        for index in indexes if of_each or not is_there else ():
            self.progress.set(index, NO_PROFILE if is_there else NO_SEGMENT)
