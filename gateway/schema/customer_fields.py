"""The fields of the query root for customers and shopper profiles."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from gateway.data_source import ALL_SHOPPER_PROFILES
from gateway.errors import BadUserInput
from gateway.identity import AccessScope
from gateway.pagination import MAXIMUM_ROWS
from gateway.schema.connection import Connection
from gateway.schema.context import ROWS_TO_AN_ID, Info
from gateway.schema.customer import Customer
from gateway.schema.customer_lookups import (
    checked_customer_id,
    checked_email,
    customer_id,
    look_up_customers,
    look_up_customers_by_email,
)
from gateway.schema.federation import TAGS, argument, connection_size, costs, list_size
from gateway.schema.field_arguments import (
    CursorArgument,
    FirstArgument,
    IdArgument,
    LastArgument,
    given,
)
from gateway.schema.profile_connections import resolve_profiles
from gateway.schema.row_lookups import REQUESTS_TO_ALL_IDS, attempt, spend_ids
from gateway.schema.scopes import NamesScope, NeedsScope
from gateway.schema.shopper_profile import ShopperProfile


@strawberry.type
class CustomerFields:
    """Customers by id and by e-mail address, and all shopper profiles."""

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(upstream_requests=1)],
        extensions=[NeedsScope(AccessScope.PROFILES_READ)],
        description=(
            "One customer, by exactly one of its two ids and its e-mail address; null if it does "
            "not exist. Lookups at the same time, by all clients, share one upstream request for "
            "each 100 ids, and one for each 100 addresses."
        ),
    )
    async def customer(
        self,
        info: Info,
        id: IdArgument = UNSET,
        entity_id: Annotated[int | None, argument("BigCommerce's number.")] = UNSET,
        email: Annotated[
            str | None,
            argument(
                "The e-mail address, in upper or lower case. If customers of several storefronts "
                "have it, the first one that the store sends is taken."
            ),
        ] = UNSET,
    ) -> Customer | None:
        """Looks the customer up."""
        ids = [
            *([] if given(id) is None else [customer_id(id or "")]),
            *([] if given(entity_id) is None else [checked_customer_id(entity_id or 0)]),
        ]
        emails = [] if given(email) is None else [checked_email(email or "")]
        if len(ids) + len(emails) != 1:
            raise BadUserInput("Pass exactly one of `id`, `entityId` and `email`.")
        info.context.spend_rows(ROWS_TO_AN_ID)
        if emails:
            (found,) = await look_up_customers_by_email(info, emails)
        else:
            (found,) = await look_up_customers(info, ids)
        return found

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(REQUESTS_TO_ALL_IDS), list_size(MAXIMUM_ROWS)],
        extensions=[NamesScope(AccessScope.PROFILES_READ)],
        description=(
            "Up to 250 customers by BigCommerce's ids, in the order of the ids; null for an id "
            "that does not exist. Costs one upstream request for each 100 ids."
        ),
    )
    async def customers_by_entity_id(
        self,
        info: Info,
        entity_ids: Annotated[list[int], argument("BigCommerce's numbers.")],
    ) -> list[Customer | None]:
        """Looks the customers up."""
        spend_ids(info, entity_ids, "entityIds")
        ids = [attempt(checked_customer_id, number) for number in entity_ids]
        return await look_up_customers(info, ids)

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(REQUESTS_TO_ALL_IDS), list_size(MAXIMUM_ROWS)],
        extensions=[NamesScope(AccessScope.PROFILES_READ)],
        description=(
            "Up to 250 customers by their e-mail addresses, in the order of the addresses; null "
            "for an address that no customer has. Costs one upstream request for each 100 "
            "addresses."
        ),
    )
    async def customers_by_email(
        self,
        info: Info,
        emails: Annotated[list[str], argument("The e-mail addresses, as in `customer`.")],
    ) -> list[Customer | None]:
        """Looks the customers up."""
        spend_ids(info, emails, "emails")
        asked = [attempt(checked_email, text) for text in emails]
        return await look_up_customers_by_email(info, asked)

    @strawberry.federation.field(
        tags=TAGS,
        directives=[
            costs(upstream_requests=2),
            connection_size(),
        ],
        extensions=[NeedsScope(AccessScope.PROFILES_READ)],
        description=(
            "All shopper profiles of the store, in pages forward and backward. Costs one upstream "
            "request for each 250 profiles that are not in the cache, for pages of any size."
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
            info.context.lists.of(ALL_SHOPPER_PROFILES),
            first=given(first),
            after=given(after),
            last=given(last),
            before=given(before),
        )
