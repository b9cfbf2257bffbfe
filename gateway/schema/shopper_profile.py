"""The `ShopperProfile` type."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import strawberry

from gateway.bigcommerce import models
from gateway.identity import AccessScope
from gateway.schema.context import ROWS_TO_AN_ID, Info
from gateway.schema.federation import TAGS, costs
from gateway.schema.scopes import scope_sentence

if TYPE_CHECKING:
    from gateway.schema.customer import Customer

PROFILE_SCOPES: Final = [[AccessScope.PROFILES_READ]]


# No `Node`, and no entity: the store cannot read a profile by its id
# (docs/decisions/0053-customers-are-read-with-what-they-are-in.md).
@strawberry.federation.type(
    tags=TAGS,
    description=(
        "The profile of a shopper: the link of a customer to segments. The store reads none by "
        f"its id, so there is no `id` to refetch it by. {scope_sentence(AccessScope.PROFILES_READ)}"
    ),
)
class ShopperProfile:
    """A shopper profile as clients see it."""

    entity_id: strawberry.ID = strawberry.federation.field(
        requires_scopes=PROFILE_SCOPES, description="BigCommerce's id: a uuid in lower case."
    )
    created_at: datetime | None = strawberry.federation.field(
        requires_scopes=PROFILE_SCOPES,
        description=(
            "When the profile was created; null if the store sends no date, and of a customer's "
            "`shopperProfile`, of which the store sends the id alone."
        ),
    )
    updated_at: datetime | None = strawberry.federation.field(
        requires_scopes=PROFILE_SCOPES,
        description="When the profile was last changed; null as `createdAt` is.",
    )
    customer_id: strawberry.Private[int | None]
    # The customer by which the profile was reached.
    reached_from: strawberry.Private[models.Customer | None] = None
    # The customers of the next rows in the list, which all rows of a page share.
    customers_beside: strawberry.Private[Callable[[], Sequence[str]] | None] = None

    @strawberry.federation.field(
        directives=[costs(upstream_requests=1)],
        requires_scopes=PROFILE_SCOPES,
        description=(
            "The customer of the profile; null if there is none any more. Costs one upstream "
            "request for each 100 customers that are not in the cache, of all rows together; a "
            "request for fewer brings those of the next rows as well."
        ),
    )
    async def customer(
        self, info: Info
    ) -> Annotated["Customer", strawberry.lazy("gateway.schema.customer")] | None:
        """Looks the customer up."""
        # Here, because a customer has a profile.
        from gateway.schema.customer import customer
        from gateway.schema.customer_lookups import look_up_customers

        if self.reached_from is not None:
            return customer(self.reached_from)
        if self.customer_id is None:
            return None
        info.context.spend_rows(ROWS_TO_AN_ID)
        (found,) = await look_up_customers(info, [str(self.customer_id)], self.customers_beside)
        return found


def shopper_profile(
    row: models.ShopperProfile, customers_beside: Callable[[], Sequence[str]] | None = None
) -> ShopperProfile:
    """Returns the graph's view of an upstream row."""
    return ShopperProfile(
        entity_id=strawberry.ID(row.id),
        created_at=row.created_at,
        updated_at=row.updated_at,
        customer_id=row.customer_id,
        customers_beside=customers_beside,
    )
