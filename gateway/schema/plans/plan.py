"""A plan of one operation, and one run of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gateway.data_source import Collection, Lookups
from gateway.errors import GatewayError
from gateway.identity import AccessScope
from gateway.pagination import ConnectionArguments, Slice, still_page
from gateway.row import Row
from gateway.schema.context import Context
from gateway.schema.plans.inputs import NotPlanned, VariableReader, Variables

Render = Callable[["Run"], bytes]


@dataclass(slots=True)
class Run:
    """One run of a plan: what it has asked for, and what its answer is made of so far.

    `oldest_read_at` is the time of the oldest value. `shown` has the rows of the answer by the name
    of their collection.
    """

    context: Context
    variables: Variables
    rows_asked: int = 0
    representations_asked: int = 0
    oldest_read_at: float | None = None
    shown: dict[str, list[Any]] = field(default_factory=dict)
    _served: list[Callable[[], None]] = field(default_factory=list)

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

    def total(self, collection: Collection[Row]) -> int:
        """Returns the fresh total of a list; raises `NotPlanned` if there is none."""
        source = self.context.lists.of(collection)
        total = source.fresh_total()
        if total is None:
            raise NotPlanned
        self._record(collection, total.read_at)
        return total.value

    def page(self, collection: Collection[Row], arguments: ConnectionArguments) -> Slice[Row]:
        """Returns a page of a list; raises `NotPlanned` unless all of its blocks are ready."""
        source = self.context.lists.of(collection)
        page = still_page(source, arguments)
        if page is None:
            raise NotPlanned
        blocks = page.blocks.values()
        self._record(collection, min(block.read_at for block in blocks), page.rows)
        self._served.append(partial(source.serve, blocks))
        return page

    def look_up(
        self, collection: Collection[Row], lookups: Lookups[Row], ids: Sequence[str]
    ) -> list[Row | None]:
        """Returns rows by id; raises `NotPlanned` unless all of them are ready."""
        entries = lookups.ready(ids)
        if entries is None:
            raise NotPlanned
        rows = [entry.value for entry in entries]
        if entries:
            self._record(collection, min(entry.read_at for entry in entries), rows)
            self._served.append(partial(lookups.serve, ids))
        return rows

    def serve(self) -> None:
        """Counts the hits of the answer, and refreshes in the background what is stale."""
        for serve in self._served:
            serve()

    def _record(
        self, collection: Collection[Row], read_at: float, rows: Sequence[Any] = ()
    ) -> None:
        if self.oldest_read_at is None or read_at < self.oldest_read_at:
            self.oldest_read_at = read_at
        self.shown.setdefault(collection.name, []).append(rows)


@dataclass(frozen=True, slots=True)
class Answer:
    """The JSON of `data`, and the run that made it."""

    data: bytes
    run: Run


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled operation, for one combination of the values of `@skip` and `@include`.

    `scopes` are those that a client needs for all of its fields.
    """

    variables: VariableReader
    scopes: frozenset[AccessScope]
    render: Render

    def answer(self, context: Context, variables: Mapping[str, object]) -> Answer | None:
        """Returns the answer, None if it cannot be made from what is decoded in this process."""
        if not self.scopes <= context.client.scopes:
            return None
        try:
            run = Run(context, self.variables.read(variables))
            return Answer(self.render(run), run)
        except (NotPlanned, GatewayError):
            return None
