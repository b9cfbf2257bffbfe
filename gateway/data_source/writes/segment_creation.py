"""Creates segments, and finds the names that are taken, so that all others are created."""

from collections.abc import Sequence

from gateway.bigcommerce import writes
from gateway.bigcommerce.models import Segment
from gateway.bigcommerce.write_errors import WriteRefusal
from gateway.bigcommerce.writes import Write
from gateway.data_source.complete_list import CLOCK_SKEW_SECONDS
from gateway.data_source.writes.batches import BatchedWrite
from gateway.data_source.writes.inputs import IfNameTaken, NewSegment, SegmentChange
from gateway.data_source.writes.progress import Progress
from gateway.data_source.writes.reasons import (
    creation_error,
    invalid,
    limit_reached,
    name_taken,
    refused,
    says_name_is_taken,
)
from gateway.data_source.writes.store_segments import KnownSegments, StoreSegments
from gateway.errors import UpstreamError
from gateway.user_errors import UserError, UserErrorCode

# BigCommerce documents no length of a name. This one only keeps out what cannot be meant.
LONGEST_NAME = 1000
LONGEST_DESCRIPTION = 10_000


class SegmentCreation(BatchedWrite[Segment]):
    """New segments by the index of their item, with their names trimmed.

    `updates` are the changes of segments that have a name of these already.
    """

    def __init__(
        self,
        new: Sequence[NewSegment],
        if_name_taken: IfNameTaken,
        at_once: int,
        progress: Progress[Segment],
        store: StoreSegments,
    ) -> None:
        super().__init__("create_segments", range(len(new)), at_once, progress, creation_error)
        self.updates: dict[int, SegmentChange] = {}
        self._new = [NewSegment(one.name.strip(), one.description) for one in new]
        self._if_name_taken = if_name_taken
        self._store = store

    def check(self) -> None:
        """Records the outcome of items that need no request: bad names, and repeated ones."""
        seen: set[str] = set()
        for index, one in enumerate(self._new):
            if (message := text_problem(one.name, "name")) is not None:
                self.progress.set(index, invalid(message, "name"))
            elif (message := text_problem(one.description, "description")) is not None:
                self.progress.set(index, invalid(message, "description"))
            elif one.name in seen:
                self.progress.set(
                    index, name_taken("An earlier segment of the same input has this name.")
                )
            seen.add(one.name)

    async def record_taken(self) -> None:
        """Records the items whose name the store has, unless that is an error.

        Raises `UpstreamError`.
        """
        if self._if_name_taken is not IfNameTaken.ERROR and self.pending:
            self._record_existing(self.pending, await self._store.read(self.progress.began_at))

    def is_pending(self, index: int) -> bool:
        """Whether a segment is still to be created."""
        return super().is_pending(index) and index not in self.updates

    def build(self, indexes: Sequence[int]) -> Write[Segment]:
        """Returns the write that creates these segments."""
        new = [self._new[index] for index in indexes]
        return writes.create_segments([(one.name, one.description) for one in new])

    def finish(self, index: int, row: Segment | None) -> None:
        """Records a segment that was created."""
        if row is not None:
            self.progress.set(index, row)

    def needs_reason(self, error: UserError) -> bool:
        """Whether the reason of a refusal is not known, or is a name that is no error."""
        is_taken = error.code is UserErrorCode.NAME_TAKEN
        is_error = self._if_name_taken is IfNameTaken.ERROR
        return super().needs_reason(error) or (is_taken and not is_error)

    async def find_reasons(
        self, indexes: Sequence[int], refusal: WriteRefusal, *, of_each: bool = False
    ) -> None:
        """Finds the names that the store has by now, or that it has no room for any."""
        is_error = self._if_name_taken is IfNameTaken.ERROR
        try:
            if is_error and says_name_is_taken(refusal):
                known = await self._store.read(self.progress.began_at)
            else:
                known = await self._store.read_anew()
        except UpstreamError:
            return
        self._record_existing(indexes, known)
        if known.is_full:
            for index in filter(self.is_pending, indexes):
                self.progress.set(index, limit_reached())

    async def find_outcomes(self, indexes: Sequence[int]) -> None:
        """Looks up which of these segments the store has by now."""
        try:
            known = await self._store.read_anew()
        except UpstreamError:
            await super().find_outcomes(indexes)
            return
        for index in indexes:
            row = known.by_name.get(self._new[index].name)
            if row is not None and self._was_there_before(row):
                self._record_existing([index], known)
            else:
                self.progress.set(index, refused() if row is None else row)

    def _was_there_before(self, row: Segment) -> bool:
        """Whether a segment is certainly older than the mutation."""
        newest = self.progress.began_at - CLOCK_SKEW_SECONDS
        return row.created_at is not None and row.created_at.timestamp() < newest

    def _record_existing(self, indexes: Sequence[int], known: KnownSegments) -> None:
        """Records the items whose name the store has."""
        for index in indexes:
            new = self._new[index]
            row = known.by_name.get(new.name)
            if row is None:
                continue
            if self._if_name_taken is IfNameTaken.ERROR:
                self.progress.set(index, name_taken())
            elif self._if_name_taken is IfNameTaken.KEEP or new.description in (
                None,
                row.description,
            ):
                self.progress.set(index, row)
            else:
                self.updates[index] = SegmentChange(row.id, description=new.description)


def text_problem(text: str | None, field: str) -> str | None:
    """Returns what is wrong with a name or a description, None if it can be sent."""
    if field == "name" and not (text and text.strip()):
        return "A segment needs a name."
    longest = LONGEST_NAME if field == "name" else LONGEST_DESCRIPTION
    if text is not None and len(text) > longest:
        return f"The {field} is longer than {longest} characters."
    if text is not None and not text.isprintable() and any(map(_is_surrogate, text)):
        return f"The {field} has an unpaired surrogate, which is no character."
    return None


def _is_surrogate(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"
