"""The schema as a whole: built once, printed as SDL."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from gateway.schema.limits import Limits, extensions
from gateway.schema.query import Query
from gateway.schema.segment import Segment


def build_schema(limits: Limits | None = None) -> strawberry.Schema:
    """Returns the executable schema; `limits` are the defaults of `Limits` where None."""
    return strawberry.Schema(
        query=Query,
        types=[Segment],
        extensions=extensions(limits or Limits()),
        config=StrawberryConfig(relay_max_results=250),
    )


def print_sdl(schema: strawberry.Schema) -> str:
    """Returns the schema in GraphQL's definition language, as `schema.graphql` holds it."""
    return schema.as_str().strip() + "\n"
