"""Creates, changes and deletes segments."""

from collections.abc import Collection, Sequence

from gateway.bigcommerce import writes
from gateway.bigcommerce.models import Segment
from gateway.data_source.collection import ALL_MEMBERSHIPS, ALL_SEGMENTS, members_of
from gateway.data_source.writes.by_ids import WriteByIds
from gateway.data_source.writes.inputs import IfNameTaken, NewSegment, SegmentChange
from gateway.data_source.writes.progress import Progress
from gateway.data_source.writes.reasons import deletion_error, not_found
from gateway.data_source.writes.running import Effects
from gateway.data_source.writes.segment_creation import SegmentCreation
from gateway.data_source.writes.segment_update import SegmentUpdate
from gateway.data_source.writes.store_writes import StoreWrites
from gateway.user_errors import UserError


class SegmentWrites(StoreWrites):
    """The writes to segments."""

    async def create_segments(
        self, new: Sequence[NewSegment], if_name_taken: IfNameTaken = IfNameTaken.ERROR
    ) -> list[Segment | UserError]:
        """Creates segments, whose names are trimmed; returns each, or the one that has its name."""
        progress = Progress[Segment](len(new), self._now())
        store = self._segments()
        creation = SegmentCreation(new, if_name_taken, self._batch_segments, progress, store)

        async def work() -> None:
            creation.check()
            await creation.record_taken()
            await self._batches.send(creation)
            if creation.updates:
                update = SegmentUpdate(creation.updates, self._batch_segments, progress, store)
                update.check()
                await self._batches.send(update)

        def names(indexes: Collection[int]) -> set[str]:
            # The lists of the segments of profiles show what was updated.
            is_updated = any(index in creation.updates for index in indexes)
            return {ALL_SEGMENTS.name, ALL_MEMBERSHIPS} if is_updated else {ALL_SEGMENTS.name}

        effects = Effects(names, lambda: [(ALL_SEGMENTS, _by_id(progress))])
        return await self.running.carry_out(progress, work, effects)

    async def update_segments(self, changes: Sequence[SegmentChange]) -> list[Segment | UserError]:
        """Sets the given fields of segments; returns each as it is then."""
        progress = Progress[Segment](len(changes), self._now())
        update = SegmentUpdate(
            dict(enumerate(changes)), self._batch_segments, progress, self._segments()
        )

        async def work() -> None:
            update.check()
            await self._batches.send(update)

        effects = Effects(
            lambda _: {ALL_SEGMENTS.name, ALL_MEMBERSHIPS},
            lambda: [(ALL_SEGMENTS, _by_id(progress))],
        )
        return await self.running.carry_out(progress, work, effects)

    async def delete_segments(self, ids: Sequence[str]) -> list[str | UserError]:
        """Deletes segments; returns the id of each. Their members keep their profiles.

        An answer may not say that there was no such segment. So the ids are looked up first.
        """
        progress = Progress[str](len(ids), self._now())
        deletion = WriteByIds(
            "delete_segments",
            dict(enumerate(ids)),
            writes.delete_segments,
            self._batch_segments,
            progress,
            deletion_error("The segment"),
            lambda index: progress.set(index, ids[index]),
        )

        async def work() -> None:
            store = self._segments()
            absent = await store.find_absent(ids, progress.began_at)
            for index, row_id in enumerate(ids):
                if row_id in absent:
                    progress.set(index, not_found("The segment"))
            await self._batches.send(deletion)

        def names(indexes: Collection[int]) -> set[str]:
            members = {members_of(ids[index]).name for index in indexes}
            return {ALL_SEGMENTS.name, ALL_MEMBERSHIPS, *members}

        effects = Effects(names, lambda: [(ALL_SEGMENTS, dict.fromkeys(progress.written()))])
        return await self.running.carry_out(progress, work, effects)


def _by_id(progress: Progress[Segment]) -> dict[str, Segment]:
    """Returns the segments that were written, by id."""
    return {one.id: one for one in progress.written()}
