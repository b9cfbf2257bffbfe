"""The `Segment` type."""

from datetime import datetime
from typing import Final

import strawberry
from strawberry import UNSET

from gateway.bigcommerce import models
from gateway.data_source import members_of
from gateway.identity import AccessScope
from gateway.schema.connection import Connection
from gateway.schema.context import Info
from gateway.schema.federation import TAGS, connection_size, costs
from gateway.schema.field_arguments import CursorArgument, FirstArgument, LastArgument, given
from gateway.schema.node import Node, global_id
from gateway.schema.profile_connections import resolve_profiles
from gateway.schema.scopes import NeedsScope, scope_sentence
from gateway.schema.shopper_profile import ShopperProfile

# On its fields, not on the type: composers would ask it for every `Node` of the larger graph.
SCOPES: Final = [[AccessScope.SEGMENTS_READ]]


@strawberry.federation.type(
    keys=["id", "entityId"],
    tags=TAGS,
    description=(
        "A customer segment of the store: a named group of shoppers, which promotions target. Its "
        "fields cost no further upstream request, but for `shopperProfiles`. "
        f"{scope_sentence(AccessScope.SEGMENTS_READ)}"
    ),
)
class Segment(Node):
    """A customer segment as clients see it."""

    entity_id: strawberry.ID = strawberry.federation.field(
        requires_scopes=SCOPES,
        description="BigCommerce's id: a uuid in lower case, as in BigCommerce's promotions.",
    )
    name: str | None = strawberry.federation.field(
        requires_scopes=SCOPES,
        description="The name, unique in the store; null if the store sends none.",
    )
    description: str | None = strawberry.federation.field(
        requires_scopes=SCOPES,
        description="The description; null if the store sends none.",
    )
    created_at: datetime | None = strawberry.federation.field(
        requires_scopes=SCOPES,
        description="When the segment was created; null if the store sends no date.",
    )
    updated_at: datetime | None = strawberry.federation.field(
        requires_scopes=SCOPES,
        description="When the segment was last changed; null if the store sends no date.",
    )

    @strawberry.federation.field(
        directives=[
            costs(upstream_requests=1),
            connection_size(),
        ],
        extensions=[NeedsScope(AccessScope.PROFILES_READ)],
        description=(
            "The shopper profiles in the segment, in pages forward and backward. Costs one "
            "upstream request for each 250 profiles that are not in the cache, of each segment; "
            "one request may ask it of 20 segments (GATEWAY_MAX_LISTS_PER_REQUEST). For this read, "
            "the store's API token needs the scope `store_v2_customers`."
        ),
    )
    async def shopper_profiles(
        self,
        info: Info,
        first: FirstArgument = UNSET,
        after: CursorArgument = UNSET,
        last: LastArgument = UNSET,
        before: CursorArgument = UNSET,
    ) -> Connection[ShopperProfile] | None:
        """Reads only what the selected fields need."""
        info.context.spend_list()
        return await resolve_profiles(
            info,
            info.context.lists.of(members_of(self.entity_id)),
            first=given(first),
            after=given(after),
            last=given(last),
            before=given(before),
        )


def segment(row: models.Segment) -> Segment:
    """Returns the graph's view of an upstream row."""
    return Segment(
        id=global_id("Segment", row.id),
        entity_id=strawberry.ID(row.id),
        name=row.name,
        description=row.description,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
