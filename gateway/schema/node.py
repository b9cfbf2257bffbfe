"""Global object identification: `Node`, and ids that contain the type of their object.

Source: GraphQL Global Object Identification Specification (Relay).
"""

import binascii
from base64 import b64decode, b64encode

import strawberry

from gateway.bigcommerce.models import uuid_in_lower_case
from gateway.errors import BadUserInput
from gateway.schema.federation import SHARED_TAGS

# An id has 60 characters, or 36. What follows after this many cannot make it one.
LONGEST_ID = 200


# Node and PageInfo have Strawberry's descriptions: composers warn of a type that subgraphs describe
# differently.
@strawberry.federation.interface(
    description="An object with a Globally Unique ID", tags=SHARED_TAGS
)
class Node:
    """Relay's `Node`."""

    id: strawberry.ID = strawberry.field(description="The Globally Unique ID of this object")


def global_id(type_name: str, entity_id: str) -> strawberry.ID:
    """Returns the opaque id of an entity: base64 of `<type>:<uuid>`."""
    return strawberry.ID(b64encode(f"{type_name}:{entity_id}".encode()).decode())


def entity_id_of(text: str, type_name: str) -> str:
    """Returns the uuid in lower case that a global id of `type_name` holds.

    Raises `BadUserInput` for text that is not a global id, or one of another type.
    """
    try:
        decoded = b64decode(text[:LONGEST_ID], validate=True).decode()
        found_type, _, entity_id = decoded.partition(":")
    except (binascii.Error, ValueError):
        found_type, entity_id = "", ""
    uuid = uuid_in_lower_case(entity_id)
    if uuid is None or not found_type:
        raise BadUserInput(
            "This is not a global id of this graph. Pass an `id` that it answered; "
            "BigCommerce's own uuids go into `entityId`."
        )
    if found_type != type_name:
        raise BadUserInput(f"This id is not one of a {type_name}. Pass the `id` of a {type_name}.")
    return uuid


def checked_entity_id(text: str) -> str:
    """Returns BigCommerce's raw id in lower case; raises `BadUserInput` for other text."""
    uuid = uuid_in_lower_case(text[:LONGEST_ID])
    if uuid is None:
        raise BadUserInput(
            "This is not an entity id: pass one uuid such as "
            "`1a2b3c4d-0000-4000-8000-1a2b3c4d5e6f`, without commas or spaces."
        )
    return uuid
