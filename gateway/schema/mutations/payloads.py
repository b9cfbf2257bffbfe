"""The payloads of mutations: what worked in the order of the input, the rest as `userErrors`."""

from typing import Any, Final

import strawberry

from gateway.schema.context import ROWS_TO_AN_ID, Info
from gateway.schema.customer import Customer
from gateway.schema.federation import TAGS
from gateway.schema.mutations.user_errors import ItemError
from gateway.schema.query import Query
from gateway.schema.segment import Segment
from gateway.schema.segment_lookups import look_up_segments
from gateway.schema.shopper_profile import ShopperProfile

SEGMENT: Final = (
    "The segment; null if it does not exist. Costs one upstream request if it is not in the cache."
)


def query_root() -> Query:
    """Returns the query root: its fields need nothing of it."""
    return Query()


def _query() -> Any:
    return strawberry.field(
        resolver=query_root,
        description=(
            "The query root, read after the write: what else changed, in the same round trip. "
            "Its fields cost what they cost in a query."
        ),
    )


def _user_errors() -> Any:
    return strawberry.field(
        description="Why the other items were not carried out, in the order of the input."
    )


@strawberry.federation.type(tags=TAGS, description="What `createSegments` did.")
class CreateSegmentsPayload:
    """The payload of `createSegments`."""

    segments: list[Segment] = strawberry.field(
        description="The segments that were created, kept or updated, in the order of the input."
    )
    user_errors: list[ItemError] = _user_errors()
    query: Query = _query()


@strawberry.federation.type(tags=TAGS, description="What `updateSegments` did.")
class UpdateSegmentsPayload:
    """The payload of `updateSegments`."""

    segments: list[Segment] = strawberry.field(
        description="The segments that were changed, in the order of the input."
    )
    user_errors: list[ItemError] = _user_errors()
    query: Query = _query()


@strawberry.federation.type(tags=TAGS, description="What `deleteSegments` did.")
class DeleteSegmentsPayload:
    """The payload of `deleteSegments`."""

    deleted_segment_ids: list[strawberry.ID] = strawberry.field(
        description="The global ids of the segments that are gone: first of `ids`, then of "
        "`entityIds`, each once."
    )
    user_errors: list[ItemError] = _user_errors()
    query: Query = _query()


@strawberry.federation.type(
    tags=TAGS, description="What `addCustomersToSegment` or `removeCustomersFromSegment` did."
)
class SegmentCustomersPayload:
    """The payload of the mutations of a segment's customers."""

    segment_id: strawberry.Private[str]
    customers: list[Customer] = strawberry.field(
        description=(
            "The customers that are in the segment now, or no longer, in the order of the input. "
            "One who was in it already, or was not, is among them."
        )
    )
    created_shopper_profiles: int = strawberry.field(
        description="The number of customers who got a shopper profile."
    )
    user_errors: list[ItemError] = _user_errors()
    query: Query = _query()

    @strawberry.field(description=SEGMENT)
    async def segment(self, info: Info) -> Segment | None:
        """Looks the segment up."""
        return await _look_up_one(info, self.segment_id)


@strawberry.federation.type(tags=TAGS, description="What `createShopperProfiles` did.")
class CreateShopperProfilesPayload:
    """The payload of `createShopperProfiles`."""

    shopper_profiles: list[ShopperProfile] = strawberry.field(
        description="The profiles that were created, in the order of the input."
    )
    user_errors: list[ItemError] = _user_errors()
    query: Query = _query()


@strawberry.federation.type(tags=TAGS, description="What `deleteShopperProfiles` did.")
class DeleteShopperProfilesPayload:
    """The payload of `deleteShopperProfiles`."""

    deleted_shopper_profile_entity_ids: list[strawberry.ID] = strawberry.field(
        description="BigCommerce's uuids of the profiles that are gone, in the order of the input."
    )
    user_errors: list[ItemError] = _user_errors()
    query: Query = _query()


@strawberry.federation.type(
    tags=TAGS,
    description="What `addShopperProfilesToSegment` or `removeShopperProfilesFromSegment` did.",
)
class SegmentShopperProfilesPayload:
    """The payload of the mutations of a segment's shopper profiles."""

    segment_id: strawberry.Private[str]
    shopper_profiles: list[ShopperProfile] = strawberry.field(
        description=(
            "The profiles that were added or removed, in the order of the input. The store "
            "confirms their ids alone: all else is null."
        )
    )
    user_errors: list[ItemError] = _user_errors()
    query: Query = _query()

    @strawberry.field(description=SEGMENT)
    async def segment(self, info: Info) -> Segment | None:
        """Looks the segment up."""
        return await _look_up_one(info, self.segment_id)


async def _look_up_one(info: Info, uuid: str) -> Segment | None:
    info.context.spend_rows(ROWS_TO_AN_ID)
    (found,) = await look_up_segments(info, [uuid])
    return found
