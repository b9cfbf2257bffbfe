"""A list in memory that changes as the test wants, for paging without a gateway."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from gateway.bigcommerce.models import Segment
from gateway.pagination import Block, Slice, connection_arguments, read_slice


def row_id(number: int) -> str:
    """Returns the id of a row."""
    return str(UUID(int=number))


@dataclass
class MovingList:
    """A list that answers every read as it is now: nothing is cached.

    `rows` are ids, None in the place of a row that cannot be used. `size` is what is known of the
    upstream's blocks, `largest` what it really gives at most.
    """

    rows: list[str | None]
    size: int
    largest: int = 250
    name: str = "segments of a store"
    total: int | None = None
    reads: int = 0
    before_each_read: Callable[[], None] = field(default=lambda: None)

    async def read(self, index: int) -> Block[Segment]:
        self.before_each_read()
        self.reads += 1
        self.total = len(self.rows)
        self.size = min(self.size, self.largest)
        ids = self.rows[index * self.size : (index + 1) * self.size]
        rows = [None if row_id is None else Segment(id=row_id) for row_id in ids]
        return Block(index, self.size, self.total, rows, read_at=float(self.reads))

    version_seconds = float("inf")
    is_unstable = False
    is_long = False

    def fresh_total(self) -> int | None:
        return None

    def record_total(self) -> None:
        """Its age does not matter here."""

    def ready(self, index: int) -> Block[Segment] | None:
        return None

    def now(self) -> float:
        return self.reads + 0.5

    def record_read(self, block: Block[Segment]) -> None:
        """Its age does not matter here."""

    def invalidate_before(self, read_at: float) -> None:
        """Nothing is cached."""

    def mark_unstable(self) -> None:
        """Every read shows the list as it is."""

    def try_search(self) -> bool:
        return False

    def try_far_search(self) -> bool:
        return True


async def page(
    source: MovingList,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Slice[Segment]:
    """Returns one page, as a client would get it."""
    arguments = connection_arguments(first, after, last, before, source.name)
    return await read_slice(source, arguments)
