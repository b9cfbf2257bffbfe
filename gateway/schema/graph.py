"""The two schemas of the graph: the API for clients, the subgraph for routers and composers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

import strawberry
from graphql import (
    GraphQLDirective,
    GraphQLError,
    GraphQLObjectType,
    GraphQLType,
    is_input_object_type,
    specified_directives,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from gateway.instrumentation import OFF, Instrumentation
from gateway.schema.context import Context
from gateway.schema.cost import check_cost
from gateway.schema.customer import Customer
from gateway.schema.date_time import DATE_TIME
from gateway.schema.documents import KnownDocument, KnownDocuments, document_extensions
from gateway.schema.entities import SubgraphQuery
from gateway.schema.federation import VERSION, Federation
from gateway.schema.introspection import WithoutSuggestions
from gateway.schema.limits import Limits
from gateway.schema.mutation import Mutation, SubgraphMutation
from gateway.schema.pieces import LONG, Execution
from gateway.schema.plans.plan import PlannedAnswer
from gateway.schema.plans.plans import OperationPlans, PlanMemory
from gateway.schema.query import Query
from gateway.schema.sdl import api_sdl, subgraph_sdl
from gateway.schema.segment import Segment
from gateway.schema.turns import Turns


class _SilentSchema(strawberry.Schema):
    """Does not log errors: `gateway.web` does, except for errors of clients."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Logs nothing; Strawberry would log each error of a client with a stack."""

    def _extend_introspection(self) -> None:
        """Resolves `__Type.isOneOf`: Strawberry's resolver fails for lists and non-null types."""
        described = cast(GraphQLObjectType, self._schema.type_map["__Type"])
        described.fields["isOneOf"].resolve = _is_one_of


def _is_one_of(described: GraphQLType, _: object) -> bool | None:
    """GraphQL, 4.2.2: null for what is no input object."""
    return described.is_one_of if is_input_object_type(described) else None


class _ApiSchema(_SilentSchema):
    """The graph without the directives of federation."""

    def _collect_graphql_directives(self, _: Iterable[type]) -> tuple[GraphQLDirective, ...]:
        return specified_directives

    def _warn_for_federation_directives(self) -> None:
        """Logs nothing: the directives are for the subgraph."""


class _SubgraphSchema(_SilentSchema, strawberry.federation.Schema):
    """The graph with federation's directives and root fields."""


@dataclass(frozen=True, slots=True)
class Graph:
    """One graph in two schemas: `api` for clients, `subgraph` for routers.

    `sdl` is the subgraph's text for composers, `api_sdl` the API's text for clients' tools.
    """

    api: strawberry.Schema
    subgraph: strawberry.Schema
    sdl: str
    api_sdl: str
    documents: KnownDocuments
    turns: Turns = field(default_factory=Turns)
    plans: PlanMemory = field(default_factory=PlanMemory)

    async def schema_for(self, document: str, client: str) -> strawberry.Schema:
        """Returns the schema that executes a document: the subgraph for `_service`, `_entities`.

        A document that has to be parsed waits for a turn of the client. Raises `GraphQLError` if it
        does not parse or exceeds a limit. Introspection shows the API: routers and composers read
        the subgraph by `_service`.
        """
        if not self.documents.knows(document):
            await self.turns.take(client)
        return self._schema_of(self.documents.find(document))

    def planned(
        self,
        document: str,
        operation_name: str | None,
        variables: Mapping[str, object],
        context: Context,
    ) -> PlannedAnswer | None:
        """Returns the answer of a plan, None if graphql-core has to execute the operation.

        An operation has a plan from its second request on, unless it is a long one. Call `serve` of
        an answer that is sent.
        """
        known = self.documents.peek(document)
        if known is None or (weight := known.weights.get(operation_name)) is None:
            return None
        values, size = weight.of(variables)
        is_refused = not known.is_trusted and bool(check_cost(values, size))
        if values > LONG or is_refused or known.errors:
            return None
        plans = known.plans.get(operation_name)
        if plans is None:
            schema = self._schema_of(known)._schema
            plans = OperationPlans(schema, known.document, operation_name, self.plans)
            known.plans[operation_name] = plans
        plan = plans.find(variables)
        return None if plan is None else plan.answer(context, variables)

    def trust(self, document: str) -> None:
        """Adds a document of the operator's manifest, to which no limit of a document applies.

        Raises `GraphQLError` if it does not parse, or does not fit the schema.
        """
        self.documents.trust(document, lambda known: self._schema_of(known)._schema)

    def _schema_of(self, known: KnownDocument) -> strawberry.Schema:
        return self.subgraph if known.is_for_routers else self.api


def build_graph(
    limits: Limits | None = None,
    federation: Federation | None = None,
    *,
    introspection: bool = True,
    instrumentation: Instrumentation = OFF,
) -> Graph:
    """Returns the graph; None stands for the defaults of `Limits` and `Federation`.

    Without `introspection`, clients cannot read the schema, and errors suggest no names of it.
    The steps of operations are reported to `instrumentation`.
    """
    federation = federation or Federation()
    config = StrawberryConfig(scalar_map={datetime: DATE_TIME})
    # One cache for both schemas, since a document always goes to the same one.
    documents = KnownDocuments(
        limits or Limits(), introspection=introspection, instrumentation=instrumentation
    )
    extensions = document_extensions(documents)
    execution = Execution if introspection else WithoutSuggestions
    api = _ApiSchema(
        query=Query,
        mutation=Mutation,
        types=[Segment, Customer],
        config=config,
        extensions=extensions,
        execution_context_class=execution,
    )
    subgraph = _SubgraphSchema(
        query=SubgraphQuery,
        mutation=SubgraphMutation,
        types=[Segment, Customer],
        # `query` of a payload is the root of its schema: of two types named Query, the first stays.
        config=replace(config, _unsafe_disable_same_type_validation=True),
        extensions=extensions,
        execution_context_class=execution,
        federation_version=VERSION,
        schema_directives=[federation.contact],
    )
    sdl = subgraph_sdl(
        subgraph,
        node=federation.node,
        scopes=federation.scopes,
        payload_query=federation.payload_query,
    )
    return Graph(api, subgraph, sdl, api_sdl(api), documents)
