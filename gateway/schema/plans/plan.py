"""A plan of one operation, and one run of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from gateway.data_source import ListSource, Lookups
from gateway.errors import ErrorCode, GatewayError
from gateway.identity import AccessScope
from gateway.pagination import ConnectionArguments, Slice, still_page
from gateway.row import Identified, Row
from gateway.schema.context import Context
from gateway.schema.plans.fields import LookupField
from gateway.schema.plans.inputs import NotPlanned, VariableReader, Variables
from gateway.schema.plans.rendered import RenderedById, Shown
from gateway.schema.plans.selections import Json

Render = Callable[["Run"], Sequence[Json]]
row_of: Callable[[Shown[Any]], Identified | None] = itemgetter(1)


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

    def look_up(self, lookup: "PlannedLookup", texts: Sequence[str]) -> Sequence[Shown[Any]]:
        """Returns rows by id; raises `NotPlanned` unless all of them are ready."""
        declared = lookup.declared
        lookups = declared.lookups(self.context)
        is_uuid = declared.is_of_entities
        ids = texts if is_uuid else [lookup.id_of(text) for text in texts]
        entries = lookups.ready(ids)
        if entries is None:
            raise NotPlanned
        rows = [lookup.rendered.add(text, one) for text, one in zip(texts, entries, strict=True)]
        if rows:
            read_at = min([row.read_at for row in rows])
            serve = partial(lookups.serve, ids, entries)
            self.reads.append(Read(declared.collection.name, read_at, map(row_of, rows), serve))
        return rows


def _nothing() -> None:
    """A total is no entry of the cache."""


class PlannedAnswer(NamedTuple):
    """The JSON of `data` in parts, and what it shows."""

    data: Sequence[Json]
    reads: Sequence[Read]
    oldest_read_at: float | None
    is_stale: bool
    stale_because: ErrorCode | None = None

    @property
    def collections(self) -> set[str]:
        """The collections that it shows."""
        return {read.collection for read in self.reads}

    @property
    def rows(self) -> Iterable[Iterable[Identified | None]]:
        """The rows that it shows, to be iterated once."""
        return [read.rows for read in self.reads]

    def serve(self) -> None:
        """Counts hits; refreshes what is stale."""
        for read in self.reads:
            read.serve()


class PlannedLookup(Protocol):
    """Root fields of a plan that look up rows by one argument of one selection."""

    @property
    def declared(self) -> LookupField[Any]:
        """What the field declares."""

    @property
    def rendered(self) -> RenderedById[Any]:
        """The JSON of its rows."""

    def id_of(self, text: str, /) -> str:
        """Returns the uuid; raises `GatewayError`."""

    def texts(self, run: Run) -> Sequence[str]:
        """Returns the ids that are asked for, as they were written, and counts them."""

    def place(self, rows: Sequence[Shown[Any]], json: list[Json]) -> None:
        """Sets the JSON of these rows at the places of the fields."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled operation, for one combination of the values of `@skip` and `@include`.

    `scopes` are those that a client needs for all of its fields. `text` is the JSON between the
    values of the fields, each of which has a place. `lookups` are by collection.
    """

    variables: VariableReader
    scopes: frozenset[AccessScope]
    text: Sequence[bytes]
    fields: Sequence[tuple[slice, Render]]
    lookups: Sequence[Sequence[PlannedLookup]]

    def answer(self, context: Context, variables: Mapping[str, object]) -> PlannedAnswer | None:
        """Returns the answer, None if it cannot be made from what is decoded in this process."""
        if not self.scopes <= context.client.scopes:
            return None
        try:
            run = Run(context, self.variables.read(variables))
            json: list[Json] = [b""] * (len(self.text) - 1)
            for group in self.lookups:
                _look_up(run, group, json)
            for places, render in self.fields:
                json[places] = render(run)
        except (NotPlanned, GatewayError):
            return None
        reads = run.reads
        oldest = min([read.read_at for read in reads]) if reads else None
        is_stale = oldest is not None and context.lists.cache.freshness.is_stale(oldest)
        data: list[Json] = [b""] * (2 * len(json) + 1)
        data[::2], data[1::2] = self.text, json
        return PlannedAnswer(data, reads, oldest, is_stale)


def _look_up(run: Run, group: Sequence[PlannedLookup], json: list[Json]) -> None:
    """Looks up what the lookups of one collection ask for, and places the JSON of each."""
    declared = group[0].declared
    lookups: Lookups[Any] = declared.lookups(run.context)
    after, before = lookups.fresh_between()
    known: list[Shown[Any]] = []
    for lookup in group:
        texts = lookup.texts(run)
        rows = lookup.rendered.find(texts, after, before)
        if rows is None:
            lookup.place(run.look_up(lookup, texts), json)
        else:
            lookup.place(rows, json)
            known += rows
    if known:
        read_at = min([row[0] for row in known])
        serve = partial(lookups.count_hits, len(set(map(id, known))))
        run.reads.append(Read(declared.collection.name, read_at, map(row_of, known), serve))
