"""A subgraph that refers to segments by the graph's own `id`: those that a browser kept."""

import strawberry
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)])
class Segment:
    """A reference by the global id."""

    id: strawberry.ID


@strawberry.type
class Query:
    """What the browser asks again."""

    @strawberry.field
    def bookmarks(self, ids: list[strawberry.ID]) -> list[Segment | None]:
        """Refers to the segments with these ids, whatever they are."""
        return [Segment(id=one) for one in ids]


schema = strawberry.federation.Schema(Query, federation_version="2.9")
app = Starlette(routes=[Route("/graphql", GraphQL(schema, graphql_ide=None))])
