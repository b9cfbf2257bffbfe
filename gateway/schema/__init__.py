"""The graph.

query            the root: `segments`, `segment`, `segmentsByEntityId`, `node`, `nodes`
segment          the `Segment` type; `date_time` is its scalar, `node` its global id
connection       Relay connections
segment_lookups  segments by id
entities         federation's `_entities` and `_service`
federation       federation's directives, and costs
context          what all resolvers of a request share, and its allowance of rows
limits           limits of a document; `documents` caches parsed documents
introspection    what hides the schema from clients
graph            both schemas; `sdl` prints them
"""

from gateway.schema.context import Context
from gateway.schema.documents import OperationNotNamed
from gateway.schema.federation import Federation
from gateway.schema.graph import Graph, build_graph
from gateway.schema.limits import Limits

__all__ = ["Context", "Federation", "Graph", "Limits", "OperationNotNamed", "build_graph"]
