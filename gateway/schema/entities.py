"""Entities: objects that a router asks for by the keys that other subgraphs hold.

Source: Apollo Federation Subgraph Specification, `_entities` and `_service`. Strawberry's own
is not used: docs/decisions/0012-entities-are-resolved-one-by-one.md.
"""

from collections.abc import Callable, Mapping
from typing import Final

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.federation.schema import FederationAny
from strawberry.types.union import StrawberryUnion

from gateway.errors import BadUserInput
from gateway.identity import AccessScope
from gateway.schema.context import Info
from gateway.schema.customer import Customer
from gateway.schema.customer_lookups import checked_customer_id, customer_id
from gateway.schema.entity_lookups import Entity, EntityKey, look_up_entities
from gateway.schema.node import checked_entity_id
from gateway.schema.planned_segments import planned_lookup
from gateway.schema.plans.fields import PLANNED
from gateway.schema.query import Query
from gateway.schema.row_lookups import attempt
from gateway.schema.scopes import NamesScope, NeedsScope, refuse_each
from gateway.schema.segment import Segment
from gateway.schema.segment_lookups import segment_id

ENTITY: Final = StrawberryUnion(
    "_Entity", type_annotations=(StrawberryAnnotation(Segment), StrawberryAnnotation(Customer))
)
# Of each type, its keys: by each, what returns the entity id of its value.
KEYS: Final[Mapping[str, Mapping[str, Callable[[object], str]]]] = {
    "Segment": {
        "id": lambda value: segment_id(_text(value)),
        "entityId": lambda value: checked_entity_id(_text(value)),
    },
    "Customer": {
        "id": lambda value: customer_id(_text(value)),
        "entityId": lambda value: checked_customer_id(_number(value)),
    },
}


@strawberry.type(name="_Service", description="This subgraph, as a composer reads it.")
class Service:
    """Federation's `_Service`."""

    sdl: str = strawberry.field(description="The subgraph's schema, with federation's directives.")


def represented_entity(representation: object) -> EntityKey:
    """Returns the entity that a representation names by one of its keys.

    A null key counts as missing; fields that are not keys are ignored. Raises `BadUserInput`.
    """
    if not isinstance(representation, dict) or "__typename" not in representation:
        raise BadUserInput(
            "A representation has to be an object with `__typename` and a key of that type."
        )
    type_name = representation["__typename"]
    if not isinstance(type_name, str) or type_name not in KEYS:
        raise BadUserInput(
            "`__typename` names no entity of this subgraph. It has two: `Segment` and `Customer`, "
            "each by `id` or `entityId`."
        )
    found = {
        check(representation[key])
        for key, check in KEYS[type_name].items()
        if representation.get(key) is not None
    }
    if not found:
        raise BadUserInput(f"A representation of a `{type_name}` needs a key: `id` or `entityId`.")
    if len(found) > 1:
        raise BadUserInput(
            f"`id` and `entityId` of this representation name different {type_name.lower()}s."
        )
    return EntityKey(type_name, found.pop())


def represented_segment(representation: object) -> str:
    """Returns the uuid of the segment that a representation names; raises `BadUserInput`."""
    type_name, entity_id = represented_entity(representation)
    if type_name != "Segment":
        raise BadUserInput("This is not the representation of a `Segment`.")
    return entity_id


def _text(value: object) -> str:
    """Returns the value of a key; one that is not a string becomes an invalid id."""
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    """Returns the value of a key; one that is not a whole number becomes an invalid id."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


# No description: each subgraph has a Query, and composers warn if they differ.
@strawberry.type(name="Query")
class SubgraphQuery(Query):
    """The query root as routers and composers see it."""

    @strawberry.field(
        name="_entities",
        graphql_type=list[ENTITY | None],  # type: ignore[valid-type] # Strawberry's way to a union
        extensions=[NamesScope(AccessScope.FEDERATION)],
        metadata={
            PLANNED: planned_lookup({"representations": represented_segment}, is_of_entities=True)
        },
        description=(
            "Entities by their keys, in the order of the representations; null for one that does "
            "not exist. Costs one upstream request for each 100 different ones. Needs the scope of "
            "each entity's type, too."
        ),
    )
    async def entities(
        self, info: Info, representations: list[FederationAny]
    ) -> list[Entity | None]:
        """Looks the entities up."""
        info.context.spend_representations(len(representations))
        keys = [attempt(represented_entity, one) for one in representations]
        return await look_up_entities(info, refuse_each(info, AccessScope.FEDERATION, keys))

    @strawberry.field(
        name="_service",
        extensions=[NeedsScope(AccessScope.FEDERATION)],
        description="This subgraph, as a composer reads it.",
    )
    def service(self, info: Info) -> Service | None:
        """Returns the schema."""
        return Service(sdl=info.context.subgraph_sdl)
