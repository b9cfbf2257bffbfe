"""The segments of a customer: by the ids in its row, or by the list of its profile."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.bigcommerce import models
from gateway.data_source import segments_of
from gateway.pagination import (
    SortedRows,
    connection_arguments,
    ordered_page,
    read_slice,
    read_total,
)
from gateway.schema.connection import (
    Connection,
    ConnectionRows,
    fields_below,
    needs_rows,
    times_shown,
)
from gateway.schema.context import Info
from gateway.schema.segment import Segment
from gateway.schema.segment_lookups import look_up_segments


@dataclass(frozen=True, slots=True)
class LoadedRows:
    """A page with its segments looked up; an error takes the place of one that failed.

    The cursors of the page are those of its window: its first and last segment may be gone.
    """

    rows: Sequence[Segment]
    cursors: Sequence[str]
    has_next: bool
    has_previous: bool
    start_cursor: str | None
    end_cursor: str | None


async def resolve_customer_segments(
    info: Info,
    row: models.Customer,
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> Connection[Segment]:
    """Looks up the segments of the page that is asked for, and no others.

    The list of the profile is read only where the upstream sends no ids of segments with the
    customer. Ids of segments that no longer exist are left out of the page.
    """
    selected = fields_below(info)
    page: ConnectionRows
    if row.segment_ids is None and row.shopper_profile_id is not None:
        source = info.context.lists.of(segments_of(row.shopper_profile_id))
        arguments = connection_arguments(first, after, last, before, source.name)
        info.context.spend_list()
        if not needs_rows(selected):
            return Connection(rows=None, total=await read_total(source), show=_as_it_is)
        page = await read_slice(source, arguments)
        total = page.total
    else:
        name = info.context.lists.cursor_name(f"customers/{row.id}/segments")
        ids = SortedRows(map(models.Segment, row.segment_ids or ()), None, name)
        page = ordered_page(ids, first=first, after=after, last=last, before=before)
        total = page.total
        if not needs_rows(selected):
            return Connection(rows=None, total=total, show=_as_it_is)
    info.context.spend_rows(len(page.rows) * times_shown(selected))
    return Connection(rows=await _loaded(info, page), total=total, show=_as_it_is)


async def _loaded(info: Info, page: ConnectionRows) -> LoadedRows:
    """Returns the page with its segments in place of the rows, which may be ids alone."""
    found = await look_up_segments(info, [row.id for row in page.rows])
    shown = [
        (segment, cursor)
        for segment, cursor in zip(found, page.cursors, strict=True)
        if segment is not None
    ]
    return LoadedRows(
        [segment for segment, _ in shown],
        [cursor for _, cursor in shown],
        page.has_next,
        page.has_previous,
        page.start_cursor,
        page.end_cursor,
    )


def _as_it_is(segment: Segment) -> Segment:
    return segment
