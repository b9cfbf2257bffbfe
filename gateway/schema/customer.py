"""The `Customer` type."""

from typing import Final

import strawberry
from strawberry import UNSET

from gateway.bigcommerce import models
from gateway.identity import AccessScope
from gateway.schema.connection import Connection
from gateway.schema.context import Info
from gateway.schema.customer_segments import resolve_customer_segments
from gateway.schema.federation import TAGS, connection_size, costs
from gateway.schema.field_arguments import CursorArgument, FirstArgument, LastArgument, given
from gateway.schema.node import Node, global_id
from gateway.schema.scopes import NeedsScope, scope_sentence
from gateway.schema.segment import Segment
from gateway.schema.shopper_profile import PROFILE_SCOPES, ShopperProfile

OF_PROFILES: Final = scope_sentence(AccessScope.PROFILES_READ)


@strawberry.federation.type(
    keys=["id", "entityId"],
    tags=TAGS,
    description=(
        "A customer of the store, with its segments. The gateway reads and keeps these fields of a "
        f"customer, and no others. {OF_PROFILES}"
    ),
)
class Customer(Node):
    """A customer as clients see it. A platform's own subgraph of customers has a name, too."""

    entity_id: int = strawberry.federation.field(
        requires_scopes=PROFILE_SCOPES,
        description="BigCommerce's id: a whole number from 1.",
    )
    email: str | None = strawberry.federation.field(
        requires_scopes=PROFILE_SCOPES,
        shareable=True,
        description="The e-mail address; null if the store sends none.",
    )
    first_name: str | None = strawberry.federation.field(
        requires_scopes=PROFILE_SCOPES,
        shareable=True,
        description="The first name; null if the store sends none.",
    )
    last_name: str | None = strawberry.federation.field(
        requires_scopes=PROFILE_SCOPES,
        shareable=True,
        description="The last name; null if the store sends none.",
    )
    row: strawberry.Private[models.Customer]

    @strawberry.federation.field(
        requires_scopes=PROFILE_SCOPES,
        description=(
            "The shopper profile of the customer; null while it has none. Costs no further "
            "upstream request."
        ),
    )
    def shopper_profile(self) -> ShopperProfile | None:
        """Returns what the customer says of its profile: the id."""
        profile_id = self.row.shopper_profile_id
        if profile_id is None:
            return None
        return ShopperProfile(
            entity_id=strawberry.ID(profile_id),
            created_at=None,
            updated_at=None,
            customer_id=self.entity_id,
        )

    @strawberry.federation.field(
        directives=[
            costs(upstream_requests=1),
            connection_size(),
        ],
        extensions=[NeedsScope(AccessScope.SEGMENTS_READ)],
        description=(
            "The segments of the customer, in the order of their ids; none without a shopper "
            "profile. Costs one upstream request for each 100 different segments that are not in "
            "the cache, of all customers together."
        ),
    )
    async def segments(
        self,
        info: Info,
        first: FirstArgument = UNSET,
        after: CursorArgument = UNSET,
        last: LastArgument = UNSET,
        before: CursorArgument = UNSET,
    ) -> Connection[Segment] | None:
        """Reads only what the selected fields need."""
        return await resolve_customer_segments(
            info,
            self.row,
            first=given(first),
            after=given(after),
            last=given(last),
            before=given(before),
        )


def customer(row: models.Customer) -> Customer:
    """Returns the graph's view of an upstream row."""
    return Customer(
        id=global_id("Customer", row.id),
        entity_id=int(row.id),
        email=row.email,
        first_name=row.first_name,
        last_name=row.last_name,
        row=row,
    )
