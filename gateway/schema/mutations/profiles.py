"""The mutations of shopper profiles."""

from typing import Annotated, Final

import strawberry

from gateway.identity import AccessScope
from gateway.schema.context import Info
from gateway.schema.customer_lookups import checked_customer_id
from gateway.schema.federation import TAGS, argument, costs
from gateway.schema.mutations.access import WriteScope
from gateway.schema.mutations.inputs import CreateShopperProfilesInput, DeleteShopperProfilesInput
from gateway.schema.mutations.items import carry_out, checked_items, without_repeats
from gateway.schema.mutations.payloads import (
    CreateShopperProfilesPayload,
    DeleteShopperProfilesPayload,
)
from gateway.schema.node import checked_entity_id
from gateway.schema.shopper_profile import shopper_profile

WRITES_PROFILES: Final = AccessScope.PROFILES_WRITE
SHOWS_PROFILES: Final = {"shopperProfiles": AccessScope.PROFILES_READ}


@strawberry.type
class ProfileMutations:
    """The part of the mutation root that changes shopper profiles."""

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(upstream_requests=20)],
        extensions=[WriteScope(WRITES_PROFILES, SHOWS_PROFILES)],
        description=(
            "Creates the shopper profiles of up to 1000 customers. Costs one upstream request for "
            "each 50. Selecting `shopperProfiles` needs `profiles:read`, too."
        ),
    )
    async def create_shopper_profiles(
        self,
        info: Info,
        input: Annotated[CreateShopperProfilesInput, argument("The customers.")],
    ) -> CreateShopperProfilesPayload | None:
        """Creates the profiles."""
        info.context.allowance.spend_customers(len(input.customer_entity_ids))
        items = checked_items("customerEntityIds", customer_number_of, input.customer_entity_ids)
        outcome = await carry_out(
            without_repeats(items), info.context.writes.create_shopper_profiles
        )
        return CreateShopperProfilesPayload(
            shopper_profiles=[shopper_profile(row) for row in outcome.rows],
            user_errors=outcome.errors,
        )

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(upstream_requests=20)],
        extensions=[WriteScope(WRITES_PROFILES, {})],
        description=(
            "Deletes up to 1000 shopper profiles, and takes them out of their segments. Costs one "
            "upstream request for each 50."
        ),
    )
    async def delete_shopper_profiles(
        self,
        info: Info,
        input: Annotated[DeleteShopperProfilesInput, argument("What to delete.")],
    ) -> DeleteShopperProfilesPayload | None:
        """Deletes the profiles."""
        info.context.allowance.check_deletes()
        info.context.allowance.spend_customers(len(input.entity_ids))
        items = checked_items("entityIds", checked_entity_id, input.entity_ids)
        outcome = await carry_out(
            without_repeats(items), info.context.writes.delete_shopper_profiles
        )
        return DeleteShopperProfilesPayload(
            deleted_shopper_profile_entity_ids=[strawberry.ID(uuid) for uuid in outcome.rows],
            user_errors=outcome.errors,
        )


def customer_number_of(number: int) -> int:
    """Returns the id of a customer as the engine takes it; raises `BadUserInput`."""
    return int(checked_customer_id(number))
