"""Global object identification: `Node`, and ids that contain the type of their object.

Source: GraphQL Global Object Identification Specification (Relay).
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Final

import strawberry

from gateway.bigcommerce.listings import customer_number
from gateway.bigcommerce.models import uuid_in_lower_case
from gateway.errors import BadUserInput
from gateway.schema.federation import SHARED_TAGS

# An id has at most 60 characters. What follows after this many cannot make it one.
LONGEST_ID = 200


# Node and PageInfo have Strawberry's descriptions: composers warn of a type that subgraphs describe
# differently.
@strawberry.federation.interface(
    description="An object with a Globally Unique ID", tags=SHARED_TAGS
)
class Node:
    """Relay's `Node`."""

    id: strawberry.ID = strawberry.field(description="The Globally Unique ID of this object")


def _customer_id(text: str) -> str | None:
    return text if str(customer_number(text)) == text else None


# The types with global ids, and what returns an entity id of each, None for other text.
ENTITY_IDS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "Segment": uuid_in_lower_case,
    "Customer": _customer_id,
}


def global_id(type_name: str, entity_id: str) -> strawberry.ID:
    """Returns the opaque id of an entity: base64 of `<type>:<entity id>`."""
    return strawberry.ID(b64encode(f"{type_name}:{entity_id}".encode()).decode())


def entity_of(text: str) -> tuple[str, str]:
    """Returns the type and the entity id that a global id holds; a uuid is in lower case.

    Raises `BadUserInput` for text that is not a global id, or one of a type without them.
    """
    try:
        decoded = b64decode(text[:LONGEST_ID], validate=True).decode()
        type_name, _, entity_id = decoded.partition(":")
    except (binascii.Error, ValueError):
        type_name, entity_id = "", ""
    found = ENTITY_IDS.get(type_name, uuid_in_lower_case)(entity_id)
    if found is None or not type_name:
        raise BadUserInput(
            "This is not a global id of this graph. Pass an `id` that it answered; "
            "BigCommerce's own ids go into `entityId`."
        )
    return type_name, found


def entity_id_of(text: str, type_name: str) -> str:
    """Returns the entity id that a global id of `type_name` holds; raises `BadUserInput`."""
    found_type, entity_id = entity_of(text)
    if found_type != type_name:
        raise BadUserInput(f"This id is not one of a {type_name}. Pass the `id` of a {type_name}.")
    return entity_id


def checked_entity_id(text: str) -> str:
    """Returns BigCommerce's raw id in lower case; raises `BadUserInput` for other text."""
    uuid = uuid_in_lower_case(text[:LONGEST_ID])
    if uuid is None:
        raise BadUserInput(
            "This is not an entity id: pass one uuid such as "
            "`1a2b3c4d-0000-4000-8000-1a2b3c4d5e6f`, without commas or spaces."
        )
    return uuid
