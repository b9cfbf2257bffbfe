"""Relay connections over a slice of a list."""

from collections.abc import Iterable, Iterator
from itertools import chain

import strawberry
from strawberry.types.nodes import SelectedField, Selection

from gateway.bigcommerce import models
from gateway.pagination import Slice
from gateway.schema.federation import SHARED_TAGS, TAGS
from gateway.schema.segment import Segment, segment

SegmentSlice = Slice[models.Segment]


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


@strawberry.federation.type(
    shareable=True, tags=TAGS, description="A segment at its place in a list."
)
class SegmentEdge:
    """Relay's edge."""

    cursor: str = strawberry.field(
        description=(
            "Marks this place: pass it as `after` or `before`. It stays right while segments are "
            "added and deleted around it."
        )
    )
    node: Segment | None = strawberry.field(description="The segment.")


@strawberry.federation.type(
    shareable=True,
    tags=TAGS,
    description=(
        "Segments in the store's order. What is not selected is not fetched: `totalCount` alone "
        "costs one upstream request, nothing at all while a page of the list is in the cache."
    ),
)
class SegmentConnection:
    """Relay's connection; `rows` is None where no selected field needs it."""

    rows: strawberry.Private[SegmentSlice | None]
    total: strawberry.Private[int]

    @strawberry.field(description="The rows with their cursors.")
    def edges(self) -> list[SegmentEdge]:
        """Relay Connections, 3."""
        rows = _read(self.rows)
        # Plain attributes: a resolver for each would cost more than the cursor itself.
        return [
            SegmentEdge(cursor=rows.cursor(at), node=segment(row))
            for at, row in enumerate(rows.rows)
        ]

    @strawberry.field(description="The rows without their cursors.")
    def nodes(self) -> list[Segment | None]:
        """The short way to the rows."""
        return [segment(row) for row in _read(self.rows).rows]

    @strawberry.field(
        description="Where this page lies; `hasNextPage` and `hasPreviousPage` are exact."
    )
    def page_info(self) -> PageInfo:
        """Relay Connections, 5."""
        rows = _read(self.rows)
        return PageInfo(
            has_next_page=rows.has_next,
            has_previous_page=rows.has_previous,
            start_cursor=rows.cursor(0) if rows.rows else None,
            end_cursor=rows.cursor(-1) if rows.rows else None,
        )

    @strawberry.field(description="How many segments the whole list has.")
    def total_count(self) -> int:
        """The total of the newest block that was read."""
        return self.total


def _read(rows: SegmentSlice | None) -> SegmentSlice:
    if rows is None:
        raise RuntimeError("a field of the connection was executed, but not seen as selected")
    return rows


Fields = dict[str, list[SelectedField]]


def selected_fields(selections: Iterable[Selection]) -> Fields:
    """Returns the fields to be executed by response key, several where they are to be merged."""
    fields: Fields = {}
    for field in _executed(selections):
        fields.setdefault(field.alias or field.name, []).append(field)
    return fields


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
    """Yields the fields that are to be executed: `@skip` and `@include` obeyed."""
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
