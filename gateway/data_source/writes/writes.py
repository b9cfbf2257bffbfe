"""The writes of the graph's mutations: each answers for every item, whatever happens midway."""

from collections.abc import Collection, Sequence
from typing import TypeVar

from gateway.bigcommerce import writes
from gateway.bigcommerce.models import Segment
from gateway.cache.invalidations import Invalidations
from gateway.data_source.collection import ALL_SEGMENTS
from gateway.data_source.customers import Customers
from gateway.data_source.lists import Lists
from gateway.data_source.lookups import Lookups
from gateway.data_source.writes.batches import Batches
from gateway.data_source.writes.by_ids import WriteByIds
from gateway.data_source.writes.inputs import IfNameTaken, NewSegment, SegmentChange
from gateway.data_source.writes.progress import Progress
from gateway.data_source.writes.reasons import deletion_error, not_found
from gateway.data_source.writes.running import Effects, RunningWrites
from gateway.data_source.writes.segment_creation import SegmentCreation
from gateway.data_source.writes.segment_update import SegmentUpdate
from gateway.data_source.writes.store_segments import StoreSegments
from gateway.user_errors import UserError

MEMBERS, MEMBERSHIPS = "segments/*/shopper-profiles", "shopper-profiles/*/segments"

Outcome = TypeVar("Outcome")


class Writes:
    """Writes to one store, in batches of at most these sizes.

    Each method returns a list as long as its input and in the same order: what was written, or the
    `UserError` of an item that was not. Raises `UpstreamError` if nothing was changed, and the
    reason lies with the upstream or the gateway's token.
    """

    def __init__(
        self,
        lists: Lists,
        segment_lookups: Lookups[Segment],
        customers: Customers,
        invalidations: Invalidations,
        *,
        batch_segments: int,
        batch_profiles: int,
    ) -> None:
        self.running = RunningWrites(lists, invalidations)
        self._lists = lists
        self._segment_lookups = segment_lookups
        self._customers = customers
        self._batches = Batches(lists.upstream, lists.limits)
        self._batch_segments = batch_segments
        self._batch_profiles = batch_profiles

    async def create_segments(
        self, new: Sequence[NewSegment], if_name_taken: IfNameTaken = IfNameTaken.ERROR
    ) -> list[Segment | UserError]:
        """Creates segments, whose names are trimmed; returns each, or the one that has its name."""
        progress = Progress[Segment](len(new), self._lists.cache.now())
        store = StoreSegments(self._lists)
        creation = SegmentCreation(new, if_name_taken, self._batch_segments, progress, store)

        async def work() -> None:
            creation.check()
            await creation.settle_taken()
            await self._batches.send(creation, creation.open)
            if creation.updates:
                update = SegmentUpdate(creation.updates, self._batch_segments, progress, store)
                update.check()
                await self._batches.send(update, update.open)

        def names(indexes: Collection[int]) -> set[str]:
            # Lists by profile show the descriptions of segments.
            updated = any(index in creation.updates for index in indexes)
            return {ALL_SEGMENTS.name, MEMBERSHIPS} if updated else {ALL_SEGMENTS.name}

        effects = Effects(names, lambda: [(ALL_SEGMENTS, _by_id(progress))])
        return await self.running.carry_out(progress, work, effects)

    async def update_segments(self, changes: Sequence[SegmentChange]) -> list[Segment | UserError]:
        """Sets the given fields of segments; returns each as it is then."""
        progress = Progress[Segment](len(changes), self._lists.cache.now())
        store = StoreSegments(self._lists)
        update = SegmentUpdate(dict(enumerate(changes)), self._batch_segments, progress, store)

        async def work() -> None:
            update.check()
            await self._batches.send(update, update.open)

        effects = Effects(
            lambda _: {ALL_SEGMENTS.name, MEMBERSHIPS},
            lambda: [(ALL_SEGMENTS, _by_id(progress))],
        )
        return await self.running.carry_out(progress, work, effects)

    async def delete_segments(self, ids: Sequence[str]) -> list[str | UserError]:
        """Deletes segments; returns the id of each. Their members keep their profiles.

        An answer may not say that there was no such segment. So the ids are looked up first.
        """
        distinct = list(dict.fromkeys(ids))
        progress = Progress[str](len(distinct), self._lists.cache.now())
        deletion = WriteByIds(
            "delete_segments",
            distinct,
            writes.delete_segments,
            self._batch_segments,
            progress,
            deletion_error("The segment"),
        )

        async def work() -> None:
            deletion.check()
            await self._find_absent(deletion)
            await self._batches.send(deletion, deletion.open)

        def names(indexes: Collection[int]) -> set[str]:
            members = {f"segments/{distinct[index]}/shopper-profiles" for index in indexes}
            return {ALL_SEGMENTS.name, MEMBERSHIPS, *members}

        effects = Effects(
            names, lambda: [(ALL_SEGMENTS, dict.fromkeys(map(str, _written(progress))))]
        )
        outcomes = await self.running.carry_out(progress, work, effects)
        return _for_each(ids, distinct, outcomes)

    async def _find_absent(self, deletion: WriteByIds) -> None:
        """Records the segments that do not exist; one that the cache lacks is looked up anew."""
        asked = deletion.open
        rows = await self._segment_lookups.load([deletion.ids[index] for index in asked])
        absent = [index for index, row in zip(asked, rows, strict=True) if row is None]
        if not absent:
            return
        known = await StoreSegments(self._lists).read(deletion.progress.began_at)
        for index in absent:
            if deletion.ids[index] not in known.by_id:
                deletion.progress.set(index, not_found("The segment"))


def _by_id(progress: Progress[Segment]) -> dict[str, Segment]:
    """Returns the segments that were written, by id."""
    return {one.id: one for one in _written(progress)}


def _written(progress: Progress[Outcome]) -> list[Outcome]:
    """Returns the outcomes of items that were written, without those that were left as they are."""
    written: list[Outcome] = []
    for index in progress.changed:
        outcome = progress.outcomes[index]
        if outcome is not None and not isinstance(outcome, UserError):
            written.append(outcome)
    return written


def _for_each(
    asked: Sequence[str], distinct: Sequence[str], outcomes: Sequence[Outcome]
) -> list[Outcome]:
    """Returns the outcome of each id of an input that may name one repeatedly."""
    by_id = dict(zip(distinct, outcomes, strict=True))
    return [by_id[one] for one in asked]
