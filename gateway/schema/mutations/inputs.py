"""The inputs of mutations, as clients send them."""

from enum import Enum
from typing import Final

import strawberry
from strawberry import UNSET

from gateway.schema.federation import TAGS, enum_value

SEGMENT_ID: Final = "The segment's global id; pass this or `segmentEntityId`, not both."
SEGMENT_ENTITY_ID: Final = "BigCommerce's uuid of the segment, in place of `segmentId`."
CUSTOMERS: Final = "BigCommerce's ids of customers. One that is repeated counts once."
PROFILES: Final = "BigCommerce's uuids of shopper profiles. One that is repeated counts once."


@strawberry.federation.enum(
    name="IfNameTaken",
    tags=TAGS,
    description="What `createSegments` does where a segment of the store has the name already.",
)
class NameTakenChoice(Enum):
    """What to do with a name that is taken."""

    ERROR = enum_value("ERROR", "The item is an error, `NAME_TAKEN`; the segment stays as it is.")
    KEEP = enum_value("KEEP", "The segment stays as it is, and is answered as if it were new.")
    UPDATE = enum_value(
        "UPDATE",
        "The segment gets the description of the item, unless that is null: an upsert by name.",
    )


@strawberry.federation.input(name="NewSegment", tags=TAGS, description="A segment to create.")
class SegmentToCreate:
    """An item of `createSegments`."""

    name: str = strawberry.federation.field(
        tags=TAGS, description="The name, unique in the store. Spaces around it are removed."
    )
    description: str | None = strawberry.federation.field(
        tags=TAGS, default=UNSET, description="The description."
    )


@strawberry.federation.input(tags=TAGS, description="The segments to create.")
class CreateSegmentsInput:
    """The input of `createSegments`."""

    segments: list[SegmentToCreate] = strawberry.federation.field(
        tags=TAGS, description="The segments: 1 to 250."
    )
    if_name_taken: NameTakenChoice | None = strawberry.federation.field(
        tags=TAGS,
        default=NameTakenChoice.ERROR,
        description="What to do with a name that is taken.",
    )


@strawberry.federation.input(
    name="SegmentChange",
    tags=TAGS,
    description="A segment, by exactly one of its two ids, and what changes. "
    "What is left out stays as it is.",
)
class SegmentToChange:
    """An item of `updateSegments`."""

    id: strawberry.ID | None = strawberry.federation.field(
        tags=TAGS, default=UNSET, description="The global id."
    )
    entity_id: strawberry.ID | None = strawberry.federation.field(
        tags=TAGS, default=UNSET, description="BigCommerce's uuid, in place of `id`."
    )
    name: str | None = strawberry.federation.field(
        tags=TAGS, default=UNSET, description="The new name. It cannot be null."
    )
    description: str | None = strawberry.federation.field(
        tags=TAGS, default=UNSET, description="The new description; null removes it."
    )


@strawberry.federation.input(tags=TAGS, description="The segments to change.")
class UpdateSegmentsInput:
    """The input of `updateSegments`."""

    segments: list[SegmentToChange] = strawberry.federation.field(
        tags=TAGS, description="The changes: 1 to 250."
    )


@strawberry.federation.input(
    tags=TAGS, description="The segments to delete, by either id: 1 to 250 together."
)
class DeleteSegmentsInput:
    """The input of `deleteSegments`."""

    ids: list[strawberry.ID] | None = strawberry.federation.field(
        tags=TAGS, default=UNSET, description="Global ids."
    )
    entity_ids: list[strawberry.ID] | None = strawberry.federation.field(
        tags=TAGS, default=UNSET, description="BigCommerce's uuids."
    )


@strawberry.federation.input(
    tags=TAGS, description="A segment, by exactly one of its two ids, and 1 to 1000 customers."
)
class SegmentCustomersInput:
    """The input of `addCustomersToSegment` and `removeCustomersFromSegment`."""

    segment_id: strawberry.ID | None = strawberry.federation.field(
        tags=TAGS, default=UNSET, description=SEGMENT_ID
    )
    segment_entity_id: strawberry.ID | None = strawberry.federation.field(
        tags=TAGS, default=UNSET, description=SEGMENT_ENTITY_ID
    )
    customer_entity_ids: list[int] = strawberry.federation.field(tags=TAGS, description=CUSTOMERS)
    create_missing_profiles: bool | None = strawberry.federation.field(
        tags=TAGS,
        default=True,
        description=(
            "Whether a customer without a shopper profile gets one. If not, it is an error, "
            "`NO_SHOPPER_PROFILE`. A removal creates none."
        ),
    )


@strawberry.federation.input(
    tags=TAGS, description="1 to 1000 customers who get a shopper profile."
)
class CreateShopperProfilesInput:
    """The input of `createShopperProfiles`."""

    customer_entity_ids: list[int] = strawberry.federation.field(tags=TAGS, description=CUSTOMERS)


@strawberry.federation.input(tags=TAGS, description="1 to 1000 shopper profiles to delete.")
class DeleteShopperProfilesInput:
    """The input of `deleteShopperProfiles`."""

    entity_ids: list[strawberry.ID] = strawberry.federation.field(tags=TAGS, description=PROFILES)


@strawberry.federation.input(
    tags=TAGS,
    description="A segment, by exactly one of its two ids, and 1 to 1000 shopper profiles.",
)
class SegmentShopperProfilesInput:
    """The input of `addShopperProfilesToSegment` and `removeShopperProfilesFromSegment`."""

    segment_id: strawberry.ID | None = strawberry.federation.field(
        tags=TAGS, default=UNSET, description=SEGMENT_ID
    )
    segment_entity_id: strawberry.ID | None = strawberry.federation.field(
        tags=TAGS, default=UNSET, description=SEGMENT_ENTITY_ID
    )
    shopper_profile_entity_ids: list[strawberry.ID] = strawberry.federation.field(
        tags=TAGS, description=PROFILES
    )
