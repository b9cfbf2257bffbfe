"""The schema as a whole, built once: as clients see it, and as routers and composers do."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import strawberry
from graphql import GraphQLDirective, GraphQLError, specified_directives
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from gateway.schema.date_time import DATE_TIME
from gateway.schema.documents import KnownDocuments, document_extensions
from gateway.schema.entities import SubgraphQuery
from gateway.schema.federation import VERSION, Federation
from gateway.schema.limits import Limits
from gateway.schema.query import Query
from gateway.schema.sdl import api_sdl, subgraph_sdl
from gateway.schema.segment import Segment


class _Quiet(strawberry.Schema):
    """Leaves the log to `gateway.web`, which knows a client's mistake from a failure of ours."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Logs nothing: Strawberry would log each mistake of a client with a stack."""


class _ApiSchema(_Quiet):
    """The graph without federation's directives, which say nothing to a client."""

    def _collect_graphql_directives(self, _: Iterable[type]) -> tuple[GraphQLDirective, ...]:
        return specified_directives

    def _warn_for_federation_directives(self) -> None:
        """Says nothing: they are there for the subgraph."""


class _SubgraphSchema(_Quiet, strawberry.federation.Schema):
    """The graph with federation's directives and root fields."""


@dataclass(frozen=True, slots=True)
class Graph:
    """One graph in two views: `api` is for clients, `subgraph` has what routers ask for, too.

    `sdl` is the subgraph as composers take it, `api_sdl` the graph as clients' tools do.
    """

    api: strawberry.Schema
    subgraph: strawberry.Schema
    sdl: str
    api_sdl: str
    documents: KnownDocuments

    def schema_for(self, document: str) -> strawberry.Schema:
        """Returns the view that executes a document: by its fields, in all of its operations.

        Introspection is a client's: routers and composers read the subgraph by `_service`.
        """
        return self.subgraph if self.documents.is_for_routers(document) else self.api


def build_graph(limits: Limits | None = None, federation: Federation | None = None) -> Graph:
    """Returns the executable graph; None stands for the defaults of the class."""
    federation = federation or Federation()
    config = StrawberryConfig(scalar_map={datetime: DATE_TIME})
    # One cache for both views: a text always goes to the same view.
    documents = KnownDocuments(limits or Limits())
    extensions = document_extensions(documents)
    api = _ApiSchema(query=Query, types=[Segment], config=config, extensions=extensions)
    subgraph = _SubgraphSchema(
        query=SubgraphQuery,
        types=[Segment],
        config=config,
        extensions=extensions,
        federation_version=VERSION,
        schema_directives=[federation.contact],
    )
    sdl = subgraph_sdl(subgraph, node=federation.node)
    return Graph(api, subgraph, sdl, api_sdl(api), documents)
