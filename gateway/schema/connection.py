"""Relay connections over a slice of a list."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

import strawberry
from strawberry.types.nodes import SelectedField, Selection

from gateway.pagination import (
    BlockSource,
    Kept,
    checked_counts,
    connection_arguments,
    ordered_page,
    read_slice,
    read_total,
)
from gateway.request_scope import record_rows
from gateway.row import Row
from gateway.schema.context import Info
from gateway.schema.federation import SHARED_TAGS, TAGS


@strawberry.federation.type(
    shareable=True, tags=SHARED_TAGS, description="Information to aid in pagination."
)
class PageInfo:
    """Relay Connections, 5: Strawberry's own cannot be shared with other subgraphs."""

    has_next_page: bool = strawberry.field(
        description="When paginating forwards, are there more items?"
    )
    has_previous_page: bool = strawberry.field(
        description="When paginating backwards, are there more items?"
    )
    start_cursor: str | None = strawberry.field(
        description="When paginating backwards, the cursor to continue."
    )
    end_cursor: str | None = strawberry.field(
        description="When paginating forwards, the cursor to continue."
    )


class ConnectionRows(Protocol):
    """A page of rows, as a connection shows it: a `Slice` or an `OrderedPage`."""

    @property
    def rows(self) -> Sequence[Any]:
        """The rows."""

    @property
    def cursors(self) -> Sequence[str]:
        """The cursors of `rows`."""

    @property
    def has_next(self) -> bool:
        """Whether a row follows."""

    @property
    def has_previous(self) -> bool:
        """Whether a row precedes."""

    @property
    def start_cursor(self) -> str | None:
        """The cursor of the first row, None if there is no row."""

    @property
    def end_cursor(self) -> str | None:
        """The cursor of the last row, None if there is no row."""


Node_ = TypeVar("Node_")


@strawberry.federation.type(shareable=True, tags=TAGS, description="A row with its cursor.")
class Edge(Generic[Node_]):
    """Relay's edge; Strawberry names it after its node: `SegmentEdge`."""

    cursor: str = strawberry.field(
        description=(
            "The position of the row, to pass as `after` or `before`. It stays valid while rows "
            "are added and deleted around it."
        )
    )
    node: Node_ | None = strawberry.field(description="The row.")


@strawberry.federation.type(
    shareable=True,
    tags=TAGS,
    description=(
        "Rows in the store's order. Only what is selected is fetched: `totalCount` alone costs one "
        "upstream request, or none if a page of the list is in the cache."
    ),
)
class Connection(Generic[Node_]):
    """Relay's connection; Strawberry names it after its node: `SegmentConnection`.

    `rows` is None if no selected field needs it.
    """

    rows: strawberry.Private[ConnectionRows | None]
    total: strawberry.Private[int]
    show: strawberry.Private[Callable[[Any], Any]]

    @strawberry.field(description="The rows with their cursors.")
    def edges(self) -> list[Edge[Node_]]:
        """Relay Connections, 3."""
        rows = _read(self.rows)
        # Plain attributes: a resolver for each would cost more than the cursor itself.
        return [
            Edge(cursor=cursor, node=self.show(row))
            for cursor, row in zip(rows.cursors, rows.rows, strict=True)
        ]

    @strawberry.field(description="The rows without their cursors.")
    def nodes(self) -> list[Node_ | None]:
        """The rows as nodes."""
        return [self.show(row) for row in _read(self.rows).rows]

    @strawberry.field(
        description="The position of this page; `hasNextPage` and `hasPreviousPage` are exact."
    )
    def page_info(self) -> PageInfo:
        """Relay Connections, 5."""
        rows = _read(self.rows)
        return PageInfo(
            has_next_page=rows.has_next,
            has_previous_page=rows.has_previous,
            start_cursor=rows.start_cursor,
            end_cursor=rows.end_cursor,
        )

    @strawberry.field(description="The number of rows in the whole list.")
    def total_count(self) -> int:
        """The total of the newest block that was read."""
        return self.total


async def resolve_connection(
    info: Info,
    source: BlockSource[Row],
    show: Callable[[Row], Node_],
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> Connection[Node_]:
    """Reads what the selected fields of a connection need; `show` converts a row to a node.

    Raises `BadUserInput` for invalid arguments and for too many rows, and the errors of
    `source.read`.
    """
    arguments = connection_arguments(first, after, last, before, source.name)
    needs = _needs_of(info, arguments.first, arguments.last)
    if needs.rows:
        rows = await read_slice(source, arguments)
        record_rows(rows)
        return Connection(rows=rows, total=rows.total, show=show)
    total = await read_total(source) if needs.total else 0
    return Connection(rows=None, total=total, show=show)


async def resolve_ordered(
    info: Info,
    read: Callable[[], Awaitable[Kept[Row]]],
    show: Callable[[Row], Node_],
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> Connection[Node_]:
    """Answers a connection over the rows that `read` returns: a list that is read whole.

    Raises as `resolve_connection`, and the errors of `read`.
    """
    first, last = checked_counts(first, after, last, before)
    needs = _needs_of(info, first, last)
    if not (needs.rows or needs.total):
        return Connection(rows=None, total=0, show=show)
    kept = await read()
    rows = ordered_page(*kept, first=first, after=after, last=last, before=before)
    if needs.rows:
        record_rows(rows.rows)
    return Connection(rows=rows, total=rows.total, show=show)


class _Needs(NamedTuple):
    """What the selected fields of a connection need."""

    rows: bool
    total: bool


def _needs_of(info: Info, first: int | None, last: int | None) -> _Needs:
    """Returns what is needed; counts the rows against the request's allowance."""
    selected = fields_below(info)
    are_rows_needed = needs_rows(selected)
    if are_rows_needed:
        rows_wanted = min(count for count in (first, last) if count is not None)
        info.context.spend_rows(rows_wanted * times_shown(selected))
    is_total_needed = any(fields[0].name == "totalCount" for fields in selected.values())
    return _Needs(are_rows_needed, is_total_needed)


def _read(rows: ConnectionRows | None) -> ConnectionRows:
    if rows is None:
        raise RuntimeError("a field of the connection was executed, but not seen as selected")
    return rows


Fields = dict[str, list[SelectedField]]
ROW_FIELDS: Final = frozenset({"edges", "nodes", "pageInfo"})


def fields_below(info: Info) -> Fields:
    """Returns the selected fields of the object that is resolved, as `selected_fields` does."""
    return selected_fields(chain.from_iterable(f.selections for f in info.selected_fields))


def selected_fields(selections: Iterable[Selection]) -> Fields:
    """Returns the fields to execute by response key; fields of one key are merged."""
    fields: Fields = {}
    for field in _executed(selections):
        fields.setdefault(field.alias or field.name, []).append(field)
    return fields


def needs_rows(connection: Fields) -> bool:
    """Whether the selected fields of a connection need its rows, not only their number."""
    return any(fields[0].name in ROW_FIELDS for fields in connection.values())


def times_shown(connection: Fields) -> int:
    """Returns how often the selected fields of a connection show each of its rows."""
    times = 0
    for merged in connection.values():
        if merged[0].name == "nodes":
            times += 1
        elif merged[0].name == "edges":
            below = selected_fields(chain.from_iterable(field.selections for field in merged))
            times += max(1, sum(fields[0].name == "node" for fields in below.values()))
    return times


def _executed(selections: Iterable[Selection]) -> Iterator[SelectedField]:
    """Yields the fields to execute, according to `@skip` and `@include`."""
    for selection in selections:
        directives = selection.directives
        if (
            directives.get("skip", {}).get("if")
            or not directives.get("include", {"if": True})["if"]
        ):
            continue
        if isinstance(selection, SelectedField):
            yield selection
        else:
            yield from _executed(selection.selections)
