"""The `Segment` type."""

from datetime import datetime
from typing import cast

import strawberry

from gateway.bigcommerce import models
from gateway.errors import UpstreamUnavailable
from gateway.schema.federation import TAGS
from gateway.schema.node import Node, global_id


@strawberry.federation.type(
    keys=["id", "entityId"],
    tags=TAGS,
    description=(
        "A customer segment of the store: a named group of shoppers, which promotions target. "
        "Its fields cost nothing beyond the lookup or the list that brought it."
    ),
)
class Segment(Node):
    """A customer segment as clients see it."""

    entity_id: strawberry.ID = strawberry.field(
        description="BigCommerce's own id: a uuid in lower case, as promotions name it."
    )
    name: str = strawberry.field(
        description="The name, unique in the store. Empty where the upstream sends none."
    )
    description: str | None = strawberry.field(description="What the segment is for, if told.")
    created_at: datetime = strawberry.field(description="When the segment was created, in UTC.")
    updated_at: datetime = strawberry.field(description="When it was last changed, in UTC.")


def segment(row: models.Segment) -> Segment:
    """Returns the graph's view of an upstream row."""
    return Segment(
        id=global_id("Segment", row.id),
        entity_id=strawberry.ID(row.id),
        name=row.name or "",
        description=row.description,
        created_at=_date(row.created_at, "creation"),
        updated_at=_date(row.updated_at, "last change"),
    )


def _date(value: datetime | None, event: str) -> datetime:
    """Returns the date; where there is none, an error that graphql-core reports at that field."""
    if value is not None:
        return value
    error = UpstreamUnavailable(
        f"The store's API sent this segment without the date of its {event}."
    )
    return cast(datetime, error)
