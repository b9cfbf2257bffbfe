"""The mutations of what is in a segment: by customers, and by shopper profiles."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, Final

import strawberry

from gateway.bigcommerce import models
from gateway.data_source.writes import MembershipOutcome
from gateway.identity import AccessScope
from gateway.schema.context import Info
from gateway.schema.customer import customer
from gateway.schema.federation import TAGS, argument, costs
from gateway.schema.field_arguments import given
from gateway.schema.mutations.access import WriteScope
from gateway.schema.mutations.inputs import SegmentCustomersInput, SegmentShopperProfilesInput
from gateway.schema.mutations.items import carry_out, checked_items, without_repeats
from gateway.schema.mutations.payloads import (
    SegmentCustomersPayload,
    SegmentShopperProfilesPayload,
)
from gateway.schema.mutations.profiles import SHOWS_PROFILES, WRITES_PROFILES, customer_number_of
from gateway.schema.node import checked_entity_id
from gateway.schema.segment_lookups import one_segment_id
from gateway.schema.shopper_profile import shopper_profile
from gateway.user_errors import UserError

SHOWS_MEMBERS: Final = {
    "segment": AccessScope.SEGMENTS_READ,
    "customers": AccessScope.PROFILES_READ,
    **SHOWS_PROFILES,
}
SELECTING: Final = (
    "Selecting `segment` needs `segments:read`, and selecting the others `profiles:read`, too."
)
CustomersInput = Annotated[SegmentCustomersInput, argument("The segment and the customers.")]
ProfilesInput = Annotated[SegmentShopperProfilesInput, argument("The segment and the profiles.")]


@strawberry.type
class MembershipMutations:
    """The part of the mutation root that changes what is in a segment."""

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(upstream_requests=51)],
        extensions=[WriteScope(WRITES_PROFILES, SHOWS_MEMBERS)],
        description=(
            "Puts up to 1000 customers into a segment. Costs one upstream request for each 100 "
            "to read them, one for each 50 to add them, and, where shopper profiles are missing, "
            f"one to look the segment up and one for each 50 to create them. {SELECTING}"
        ),
    )
    async def add_customers_to_segment(
        self, info: Info, input: CustomersInput
    ) -> SegmentCustomersPayload | None:
        """Adds the customers."""
        creates = given(input.create_missing_profiles) is not False
        add = info.context.writes.add_customers
        return await _change_customers(info, input, lambda uuid, ids: add(uuid, ids, creates))

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(upstream_requests=30)],
        extensions=[WriteScope(WRITES_PROFILES, SHOWS_MEMBERS)],
        description=(
            "Takes up to 1000 customers out of a segment; their shopper profiles stay. Costs one "
            "upstream request for each 100 to read them, and one for each 50 to remove them. "
            f"{SELECTING}"
        ),
    )
    async def remove_customers_from_segment(
        self, info: Info, input: CustomersInput
    ) -> SegmentCustomersPayload | None:
        """Removes the customers."""
        return await _change_customers(info, input, info.context.writes.remove_customers)

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(upstream_requests=20)],
        extensions=[WriteScope(WRITES_PROFILES, SHOWS_MEMBERS)],
        description=(
            "Puts up to 1000 shopper profiles into a segment. Costs one upstream request for each "
            f"50. {SELECTING}"
        ),
    )
    async def add_shopper_profiles_to_segment(
        self, info: Info, input: ProfilesInput
    ) -> SegmentShopperProfilesPayload | None:
        """Adds the profiles."""
        return await _change_profiles(info, input, info.context.writes.add_shopper_profiles)

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(upstream_requests=20)],
        extensions=[WriteScope(WRITES_PROFILES, SHOWS_MEMBERS)],
        description=(
            "Takes up to 1000 shopper profiles out of a segment; the profiles stay. Costs one "
            f"upstream request for each 50. {SELECTING}"
        ),
    )
    async def remove_shopper_profiles_from_segment(
        self, info: Info, input: ProfilesInput
    ) -> SegmentShopperProfilesPayload | None:
        """Removes the profiles."""
        return await _change_profiles(info, input, info.context.writes.remove_shopper_profiles)


async def _change_customers(
    info: Info,
    asked: SegmentCustomersInput,
    change: Callable[[str, Sequence[int]], Awaitable[MembershipOutcome]],
) -> SegmentCustomersPayload:
    uuid = _segment_of(asked)
    info.context.allowance.spend_customers(len(asked.customer_entity_ids))
    created_profiles = 0

    async def write(ids: Sequence[int]) -> Sequence[models.Customer | UserError]:
        nonlocal created_profiles
        membership = await change(uuid, ids)
        created_profiles = membership.created_profiles
        return membership.outcomes

    items = checked_items("customerEntityIds", customer_number_of, asked.customer_entity_ids)
    outcome = await carry_out(without_repeats(items), write, _segment_field(asked))
    return SegmentCustomersPayload(
        segment_id=uuid,
        customers=[customer(row) for row in outcome.rows],
        created_shopper_profiles=created_profiles,
        user_errors=outcome.errors,
    )


async def _change_profiles(
    info: Info,
    asked: SegmentShopperProfilesInput,
    change: Callable[[str, Sequence[str]], Awaitable[Sequence[str | UserError]]],
) -> SegmentShopperProfilesPayload:
    uuid = _segment_of(asked)
    ids = asked.shopper_profile_entity_ids
    info.context.allowance.spend_customers(len(ids))
    items = checked_items("shopperProfileEntityIds", checked_entity_id, ids)
    outcome = await carry_out(without_repeats(items), partial(change, uuid), _segment_field(asked))
    return SegmentShopperProfilesPayload(
        segment_id=uuid,
        shopper_profiles=[shopper_profile(models.ShopperProfile(one)) for one in outcome.rows],
        user_errors=outcome.errors,
    )


def _segment_of(asked: SegmentCustomersInput | SegmentShopperProfilesInput) -> str:
    """Returns the uuid of the input's segment; raises `BadUserInput` unless it names one."""
    names = "`segmentId` and `segmentEntityId`"
    return one_segment_id(given(asked.segment_id), given(asked.segment_entity_id), names)


def _segment_field(asked: SegmentCustomersInput | SegmentShopperProfilesInput) -> str:
    """Returns the field of the input that names the segment."""
    return "segmentEntityId" if given(asked.segment_id) is None else "segmentId"
