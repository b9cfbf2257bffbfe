"""The query root: the fields of segments, and those of all types."""

from functools import partial
from typing import Annotated, Final

import strawberry
from strawberry import UNSET

from gateway.data_source import ALL_SEGMENTS, MAXIMUM_SEGMENTS
from gateway.identity import AccessScope
from gateway.pagination import MAXIMUM_ROWS, read_total
from gateway.schema.connection import Connection, resolve_connection, resolve_ordered
from gateway.schema.context import ROWS_TO_AN_ID, Info
from gateway.schema.customer_fields import CustomerFields
from gateway.schema.entity_lookups import entity_key, look_up_entities
from gateway.schema.federation import TAGS, argument, connection_size, costs, list_size
from gateway.schema.field_arguments import (
    CursorArgument,
    FirstArgument,
    IdArgument,
    LastArgument,
    given,
)
from gateway.schema.node import Node, checked_entity_id
from gateway.schema.planned_segments import planned_lookup
from gateway.schema.plans.fields import PLANNED, ConnectionField
from gateway.schema.row_lookups import REQUESTS_TO_ALL_IDS, attempt, spend_ids
from gateway.schema.scopes import NamesScope, NeedsScope
from gateway.schema.segment import Segment, segment
from gateway.schema.segment_lookups import look_up_segments, one_segment_id, segment_id
from gateway.schema.segment_order import (
    PLAIN,
    STORE_ORDER,
    SegmentFilter,
    SegmentSortKey,
    segment_filter,
    segment_order,
)

REQUESTS_TO_ALL_SEGMENTS: Final = -(-MAXIMUM_SEGMENTS // MAXIMUM_ROWS)

EntityIdArgument = Annotated[strawberry.ID | None, argument("BigCommerce's uuid.")]
FilterArgument = Annotated[
    SegmentFilter | None, argument("Which segments are kept; all of them if it is left out.")
]
SortKeyArgument = Annotated[SegmentSortKey | None, argument("What the segments are sorted by.")]
ReverseArgument = Annotated[
    bool | None, argument("Whether the whole order is reversed: the last segment is the first.")
]


@strawberry.type(description="Everything that can be read.")
class Query(CustomerFields):
    """The query root."""

    @strawberry.federation.field(
        tags=TAGS,
        directives=[
            # The rows of a page span at most two blocks; the rows before them rarely need a third.
            costs(upstream_requests=2),
            connection_size(),
        ],
        extensions=[NeedsScope(AccessScope.SEGMENTS_READ)],
        metadata={PLANNED: ConnectionField(ALL_SEGMENTS, segment, PLAIN)},
        description=(
            "The store's segments, in pages forward and backward. Costs one upstream request for "
            "each 250 segments that are not in the cache, for pages of any size. With `filter`, "
            "`sortKey` or `reverse`, it reads all segments, and `totalCount` counts those that the "
            "filter keeps. A cursor belongs to one `sortKey` and `reverse`, and is valid with any "
            "`filter`."
        ),
    )
    async def segments(
        self,
        info: Info,
        first: FirstArgument = UNSET,
        after: CursorArgument = UNSET,
        last: LastArgument = UNSET,
        before: CursorArgument = UNSET,
        filter: FilterArgument = UNSET,
        sort_key: SortKeyArgument = SegmentSortKey.STORE_ORDER,
        reverse: ReverseArgument = False,
    ) -> Connection[Segment] | None:
        """Reads only what the selected fields need."""
        source = info.context.lists.of(ALL_SEGMENTS)
        order, keeps = segment_order(sort_key, reverse), segment_filter(given(filter))
        if order == STORE_ORDER and keeps is None:
            resolve = partial(resolve_connection, info, source, segment)
        else:
            read = partial(source.orders.read, source, order, keeps)
            resolve = partial(resolve_ordered, info, read, segment)
        return await resolve(
            first=given(first), after=given(after), last=given(last), before=given(before)
        )

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(REQUESTS_TO_ALL_SEGMENTS)],
        extensions=[NeedsScope(AccessScope.SEGMENTS_READ)],
        description=(
            "The number of segments that a filter keeps: `totalCount` of `segments`, as a field of "
            "its own. Without a filter it costs at most one upstream request, else as `segments`."
        ),
    )
    async def segments_count(self, info: Info, filter: FilterArgument = UNSET) -> int | None:
        """Counts the rows."""
        source = info.context.lists.of(ALL_SEGMENTS)
        keeps = segment_filter(given(filter))
        if keeps is None:
            return await read_total(source)
        return len((await source.orders.read(source, STORE_ORDER, keeps)).places)

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(upstream_requests=1)],
        extensions=[NeedsScope(AccessScope.SEGMENTS_READ)],
        metadata={PLANNED: planned_lookup({"id": segment_id, "entityId": checked_entity_id})},
        description=(
            "One segment, by exactly one of its two ids; null if it does not exist. Lookups at the "
            "same time, by all clients, share one upstream request for each 100 ids."
        ),
    )
    async def segment(
        self, info: Info, id: IdArgument = UNSET, entity_id: EntityIdArgument = UNSET
    ) -> Segment | None:
        """Looks the segment up."""
        uuid = one_segment_id(given(id), given(entity_id))
        info.context.spend_rows(ROWS_TO_AN_ID)
        (found,) = await look_up_segments(info, [uuid])
        return found

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(REQUESTS_TO_ALL_IDS), list_size(MAXIMUM_ROWS)],
        extensions=[NamesScope(AccessScope.SEGMENTS_READ)],
        metadata={PLANNED: planned_lookup({"entityIds": checked_entity_id})},
        description=(
            "Up to 250 segments by BigCommerce's ids, in the order of the ids; null for an id that "
            "does not exist. Costs one upstream request for each 100 ids."
        ),
    )
    async def segments_by_entity_id(
        self,
        info: Info,
        entity_ids: Annotated[list[strawberry.ID], argument("BigCommerce's uuids.")],
    ) -> list[Segment | None]:
        """Looks the segments up."""
        spend_ids(info, entity_ids, "entityIds")
        return await look_up_segments(
            info, [attempt(checked_entity_id, text) for text in entity_ids]
        )

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(upstream_requests=1)],
        metadata={PLANNED: planned_lookup({"id": segment_id})},
        description=(
            "One object by its global id; null if it does not exist. Costs as `segment` or "
            "`customer`. Needs the scope of the object's type: `segments:read` for a segment, "
            "`profiles:read` for a customer."
        ),
    )
    async def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, argument("The global id.")],
    ) -> Node | None:
        """Looks the object up."""
        info.context.spend_rows(ROWS_TO_AN_ID)
        (found,) = await look_up_entities(info, [entity_key(id)])
        return found

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(REQUESTS_TO_ALL_IDS), list_size(MAXIMUM_ROWS)],
        metadata={PLANNED: planned_lookup({"ids": segment_id})},
        description=(
            "Up to 250 objects by their global ids, in the order of the ids; null for an id that "
            "does not exist. Costs as `segmentsByEntityId` and `customersByEntityId`. Needs the "
            "scope of each object's type: `segments:read` for a segment, `profiles:read` for a "
            "customer."
        ),
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], argument("The global ids.")],
    ) -> list[Node | None]:
        """Looks the objects up."""
        spend_ids(info, ids, "ids")
        return [*await look_up_entities(info, [attempt(entity_key, text) for text in ids])]
