"""Changes segments by id."""

from collections.abc import Mapping, Sequence

from gateway.bigcommerce import writes
from gateway.bigcommerce.models import Segment
from gateway.bigcommerce.write_errors import WriteRefusal
from gateway.bigcommerce.writes import Write
from gateway.data_source.writes.batches import BatchedWrite
from gateway.data_source.writes.inputs import UNCHANGED, SegmentChange
from gateway.data_source.writes.progress import Progress
from gateway.data_source.writes.reasons import (
    invalid,
    name_taken,
    not_found,
    refused,
    update_error,
)
from gateway.data_source.writes.segment_creation import text_problem
from gateway.data_source.writes.store_segments import KnownSegments, StoreSegments
from gateway.errors import UpstreamError


class SegmentUpdate(BatchedWrite[Segment]):
    """Changes of segments by the index of their item."""

    def __init__(
        self,
        changes: Mapping[int, SegmentChange],
        at_once: int,
        progress: Progress[Segment],
        store: StoreSegments,
    ) -> None:
        super().__init__("update_segments", changes, at_once, progress, update_error)
        self._fields = {index: _fields_of(change) for index, change in changes.items()}
        self._ids = {index: change.id for index, change in changes.items()}
        self._store = store

    def check(self) -> None:
        """Records the outcome of items that need no request, because something is wrong in them."""
        ids: set[str] = set()
        names: set[str] = set()
        for index, row_id in self._ids.items():
            fields = self._fields[index]
            name = fields.get("name")
            problems = [text_problem(text, field) for field, text in fields.items()]
            if row_id in ids:
                self.progress.set(
                    index, invalid("An earlier change of the same input has this id.", "id")
                )
            elif not fields:
                self.progress.set(
                    index, invalid("There is nothing to change: give a name or a description.")
                )
            elif (field := _first_problem(fields, problems)) is not None:
                self.progress.set(index, invalid(*field))
            elif name is not None and name in names:
                self.progress.set(
                    index, name_taken("An earlier change of the same input has this name.")
                )
            elif name is not None:
                names.add(name)
            ids.add(row_id)

    def build(self, indexes: Sequence[int]) -> Write[Segment]:
        """Returns the write that makes these changes."""
        return writes.update_segments({self._ids[at]: self._fields[at] for at in indexes})

    def finish(self, index: int, row: Segment | None) -> None:
        """Records a segment that was changed."""
        if row is not None:
            self.progress.set(index, row)

    async def find_reasons(
        self, indexes: Sequence[int], refusal: WriteRefusal, *, of_each: bool = False
    ) -> None:
        """Finds the segments that the store does not have, and the names that it has."""
        try:
            known = await self._store.read_anew()
        except UpstreamError:
            return
        for index in indexes:
            if self._ids[index] not in known.by_id:
                self.progress.set(index, not_found("The segment", "id"))
            elif self._has_taken_name(index, known):
                self.progress.set(index, name_taken())

    async def find_outcomes(self, indexes: Sequence[int]) -> None:
        """Looks up which of these segments the store has, and whether they have the changes."""
        try:
            known = await self._store.read_anew()
        except UpstreamError:
            await super().find_outcomes(indexes)
            return
        for index in indexes:
            row = known.by_id.get(self._ids[index])
            if row is None:
                self.progress.set(index, not_found("The segment", "id"))
            elif self._has_taken_name(index, known):
                self.progress.set(index, name_taken())
            else:
                fields = self._fields[index].items()
                # The store may have no difference between an empty description and none.
                is_changed = all((getattr(row, name) or "") == (new or "") for name, new in fields)
                self.progress.set(index, row if is_changed else refused())

    def _has_taken_name(self, index: int, known: KnownSegments) -> bool:
        other = known.by_name.get(self._fields[index].get("name") or "")
        return other is not None and other.id != self._ids[index]


def _fields_of(change: SegmentChange) -> dict[str, str | None]:
    """Returns the fields that a change sets."""
    fields: dict[str, str | None] = {}
    if change.name is not UNCHANGED:
        fields["name"] = None if change.name is None else change.name.strip()
    if change.description is not UNCHANGED:
        fields["description"] = change.description
    return fields


def _first_problem(
    fields: Mapping[str, str | None], problems: Sequence[str | None]
) -> tuple[str, str] | None:
    """Returns the first problem and its field, None without one."""
    for field, problem in zip(fields, problems, strict=True):
        if problem is not None:
            return problem, field
    return None
