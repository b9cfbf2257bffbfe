"""The schema as a whole: built once, printed as SDL."""

from datetime import datetime

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from gateway.schema.date_time import DATE_TIME
from gateway.schema.documents import document_extensions
from gateway.schema.limits import Limits
from gateway.schema.query import Query
from gateway.schema.segment import Segment


class _Schema(strawberry.Schema):
    """Leaves the log to `gateway.web`, which knows a client's mistake from a failure of ours."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Logs nothing: Strawberry would log each mistake of a client with a stack."""


def build_schema(limits: Limits | None = None) -> strawberry.Schema:
    """Returns the executable schema; `limits` are the defaults of `Limits` where None."""
    return _Schema(
        query=Query,
        types=[Segment],
        config=StrawberryConfig(scalar_map={datetime: DATE_TIME}),
        extensions=document_extensions(limits or Limits()),
    )


def print_sdl(schema: strawberry.Schema) -> str:
    """Returns the schema in GraphQL's definition language, as `schema.graphql` holds it."""
    return schema.as_str().strip() + "\n"
