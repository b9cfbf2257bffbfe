"""One run of a plan: what it reads, and what it asks for."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from gateway.data_source import ListSource
from gateway.pagination import ConnectionArguments, Slice, still_page
from gateway.row import Identified, Row
from gateway.schema.context import Context
from gateway.schema.plans.inputs import NotPlanned, Variables


class Read(NamedTuple):
    """What an answer shows of a collection: its rows, read at `read_at` or later.

    `serve` counts the hits, and refreshes in the background what is stale.
    """

    collection: str
    read_at: float
    rows: Iterable[Identified | None]
    serve: Callable[[], None]


@dataclass(slots=True)
class Run:
    """One run of a plan: what it has asked for, and what its answer is made of so far."""

    context: Context
    variables: Variables
    rows_asked: int = 0
    representations_asked: int = 0
    reads: list[Read] = field(default_factory=list)

    def spend_rows(self, rows: int) -> None:
        """Counts rows as `Context.spend_rows`; raises `NotPlanned` for too many."""
        self.rows_asked += rows
        if self.rows_asked > self.context.rows_allowed:
            raise NotPlanned

    def spend_representations(self, representations: int) -> None:
        """Counts entities as `Context.spend_representations`; raises `NotPlanned` for too many."""
        self.representations_asked += representations
        if self.representations_asked > self.context.representations_allowed:
            raise NotPlanned

    def total(self, source: ListSource[Row]) -> int:
        """Returns the fresh total of a list; raises `NotPlanned` if there is none."""
        total = source.fresh_total()
        if total is None:
            raise NotPlanned
        self.reads.append(Read(source.collection, source.total_read_at, (), _nothing))
        return total

    def page(self, source: ListSource[Row], arguments: ConnectionArguments) -> Slice[Row]:
        """Returns a page of a list; raises `NotPlanned` unless all of its blocks are ready."""
        page = still_page(source, arguments)
        if page is None:
            raise NotPlanned
        blocks = page.blocks.values()
        read_at = min([block.read_at for block in blocks])
        self.reads.append(Read(source.collection, read_at, page, partial(source.serve, blocks)))
        return page


def _nothing() -> None:
    """A total is no entry of the cache."""
