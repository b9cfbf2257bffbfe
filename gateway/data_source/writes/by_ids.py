"""Writes that name their items by uuid: deletions, and what is put into a segment or taken out."""

from collections.abc import Callable, Sequence
from typing import Any

from gateway.bigcommerce.ids import Ids
from gateway.bigcommerce.models import Segment, ShopperProfile, uuid_in_lower_case
from gateway.bigcommerce.writes import Write
from gateway.data_source.writes.batches import BatchedWrite
from gateway.data_source.writes.progress import Progress
from gateway.data_source.writes.reasons import ReasonOf, invalid


class WriteByIds(BatchedWrite[Any]):
    """A write to the rows with these ids, each of them once; the outcome of an item is its id.

    `make` returns the write to some of them.
    """

    def __init__(
        self,
        operation: str,
        ids: Sequence[str],
        make: Callable[[Ids], Write[Any]],
        at_once: int,
        progress: Progress[str],
        reason: ReasonOf,
    ) -> None:
        super().__init__(operation, at_once, progress, reason)
        self.ids = ids
        self._make = make

    def check(self) -> None:
        """Records the outcome of items whose id is none."""
        for index, row_id in enumerate(self.ids):
            if uuid_in_lower_case(row_id) is None:
                self.progress.set(index, invalid("The id has to be a uuid."))

    @property
    def open(self) -> list[int]:
        """The items that are still to be written."""
        return list(filter(self.is_open, range(len(self.ids))))

    def build(self, indexes: Sequence[int]) -> Write[Any]:
        """Returns the write to these rows."""
        return self._make(Ids(self.ids[index] for index in indexes))

    def finish(self, index: int, _row: Segment | ShopperProfile | None) -> None:
        """Records a row that was written."""
        self.progress.set(index, self.ids[index])
