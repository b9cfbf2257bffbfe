"""A plan of one operation, and one run of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Protocol

from gateway.cache.read_through import ReadThroughCache
from gateway.data_source import Collection, Lookups
from gateway.errors import GatewayError
from gateway.identity import AccessScope
from gateway.pagination import ConnectionArguments, Slice, still_page
from gateway.request_scope import record_rows
from gateway.row import Row
from gateway.schema.context import Context
from gateway.schema.plans.fields import LookupField
from gateway.schema.plans.inputs import NotPlanned, VariableReader, Variables

Render = Callable[["Run"], bytes]


class Read(NamedTuple):
    """What an answer shows of a collection: its rows, read at `read_at` or later.

    `serve` counts the hits, and refreshes in the background what is stale.
    """

    collection: str
    read_at: float
    rows: Sequence[Any]
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

    def total(self, collection: Collection[Row]) -> int:
        """Returns the fresh total of a list; raises `NotPlanned` if there is none."""
        source = self.context.lists.of(collection)
        total = source.fresh_total()
        if total is None:
            raise NotPlanned
        self.reads.append(Read(collection.name, source.total_read_at, (), _nothing))
        return total

    def page(self, collection: Collection[Row], arguments: ConnectionArguments) -> Slice[Row]:
        """Returns a page of a list; raises `NotPlanned` unless all of its blocks are ready."""
        source = self.context.lists.of(collection)
        page = still_page(source, arguments)
        if page is None:
            raise NotPlanned
        blocks = page.blocks.values()
        read_at = min([block.read_at for block in blocks])
        self.reads.append(Read(collection.name, read_at, page.rows, partial(source.serve, blocks)))
        return page

    def look_up(
        self, collection: Collection[Row], lookups: Lookups[Row], ids: Sequence[str]
    ) -> Sequence[Row | None]:
        """Returns rows by id; raises `NotPlanned` unless all of them are ready."""
        entries = lookups.ready(ids)
        if entries is None:
            raise NotPlanned
        rows = [entry.value for entry in entries]
        if entries:
            read_at = min([entry.read_at for entry in entries])
            serve = partial(lookups.serve, ids, entries)
            self.reads.append(Read(collection.name, read_at, rows, serve))
        return rows


def _nothing() -> None:
    """A total is no entry of the cache."""


@dataclass(frozen=True, slots=True)
class PlannedAnswer:
    """The JSON of `data`, and what it shows."""

    data: bytes
    reads: Sequence[Read]

    def serve(self, cache: ReadThroughCache) -> None:
        """Records the reads in the request's scope; counts hits; refreshes what is stale."""
        for read in self.reads:
            cache.record_read(read.collection, read.read_at)
            record_rows(read.rows)
            read.serve()


class LookupOfRows(Protocol):
    """A root field of a plan that looks rows up."""

    @property
    def declared(self) -> LookupField[Any]:
        """What the field declares."""

    def ids(self, run: Run) -> Sequence[str]:
        """Returns the ids that it asks for, and counts them."""

    def render(self, rows: Sequence[Any]) -> bytes:
        """Returns its JSON; None stands for a row that does not exist."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled operation, for one combination of the values of `@skip` and `@include`.

    `scopes` are those that a client needs for all of its fields. Each field has a place in the
    `template`. `lookups` are by collection: all of one are one read.
    """

    variables: VariableReader
    scopes: frozenset[AccessScope]
    template: bytes
    places: int
    fields: Sequence[tuple[int, Render]]
    lookups: Sequence[Sequence[tuple[int, LookupOfRows]]]

    def answer(self, context: Context, variables: Mapping[str, object]) -> PlannedAnswer | None:
        """Returns the answer, None if it cannot be made from what is decoded in this process."""
        if not self.scopes <= context.client.scopes:
            return None
        try:
            run = Run(context, self.variables.read(variables))
            json = [b""] * self.places
            for group in self.lookups:
                _look_up(run, group, json)
            for place, render in self.fields:
                json[place] = render(run)
        except (NotPlanned, GatewayError):
            return None
        return PlannedAnswer(self.template % tuple(json), run.reads)


def _look_up(run: Run, group: Sequence[tuple[int, LookupOfRows]], json: list[bytes]) -> None:
    """Looks up what the lookups of one collection ask for, and renders each."""
    ids: list[str] = []
    ends: list[int] = []
    for _, lookup in group:
        ids += lookup.ids(run)
        ends.append(len(ids))
    declared = group[0][1].declared
    rows = run.look_up(declared.collection, declared.lookups(run.context), ids)
    start = 0
    for (place, lookup), end in zip(group, ends, strict=True):
        json[place] = lookup.render(rows[start:end])
        start = end
