"""The `Segment` type."""

from datetime import datetime
from typing import Final

import strawberry

from gateway.bigcommerce import models
from gateway.identity import AccessScope
from gateway.schema.federation import TAGS
from gateway.schema.node import Node, global_id
from gateway.schema.scopes import scope_sentence

# On its fields, not on the type: composers would ask it for every `Node` of the larger graph.
SCOPES: Final = [[AccessScope.SEGMENTS_READ]]


@strawberry.federation.type(
    keys=["id", "entityId"],
    tags=TAGS,
    description=(
        "A customer segment of the store: a named group of shoppers, which promotions target. "
        f"Its fields cost no further upstream request. {scope_sentence(AccessScope.SEGMENTS_READ)}"
    ),
)
class Segment(Node):
    """A customer segment as clients see it."""

    entity_id: strawberry.ID = strawberry.federation.field(
        requires_scopes=SCOPES,
        description="BigCommerce's id: a uuid in lower case, as in BigCommerce's promotions.",
    )
    name: str | None = strawberry.federation.field(
        requires_scopes=SCOPES,
        description="The name, unique in the store; null if the store sends none.",
    )
    description: str | None = strawberry.federation.field(
        requires_scopes=SCOPES,
        description="The description; null if the store sends none.",
    )
    created_at: datetime | None = strawberry.federation.field(
        requires_scopes=SCOPES,
        description="When the segment was created; null if the store sends no date.",
    )
    updated_at: datetime | None = strawberry.federation.field(
        requires_scopes=SCOPES,
        description="When the segment was last changed; null if the store sends no date.",
    )


def segment(row: models.Segment) -> Segment:
    """Returns the graph's view of an upstream row."""
    return Segment(
        id=global_id("Segment", row.id),
        entity_id=strawberry.ID(row.id),
        name=row.name,
        description=row.description,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
