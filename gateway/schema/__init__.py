"""The graph.

query            the root: fields of segments and of all types; `customer_fields` has the others
mutation         the other root; `mutations` has its fields, inputs and payloads
segment          the `Segment` type; `date_time` is its scalar, `node` its global id, and
                 `segment_order` sorts and filters
customer, shopper_profile
                 these types; `customer_segments` and `profile_connections` are connections
connection       Relay connections; `field_arguments` are their arguments
row_lookups      rows by id; `segment_lookups`, `customer_lookups`, `entity_lookups` are of types
entities         federation's `_entities` and `_service`
federation       federation's directives, and costs
context          what all resolvers of a request share, and its allowance of rows
scopes           the scopes of fields
limits           limits of a document; `documents` caches parsed documents
cost             the cost of an operation before it is executed; `introspected` weighs the schema's
pieces           executes operations of many values in pieces; `turns` grants one at a time
introspection    what hides the schema from clients
trusted_documents, persisted_documents
                 documents that clients send by hash: of a manifest, and stored by clients
graph            both schemas; `sdl` prints them
"""

from gateway.schema.context import Context
from gateway.schema.documents import OperationNotNamed
from gateway.schema.federation import Federation
from gateway.schema.graph import Graph, build_graph
from gateway.schema.limits import Limits
from gateway.schema.mutations.allowance import WriteAllowance, WriteLimits
from gateway.schema.persisted_documents import PersistedDocuments
from gateway.schema.plans.plan import PlannedAnswer
from gateway.schema.trusted_documents import (
    NO_TRUSTED_DOCUMENTS,
    InvalidManifest,
    TrustedDocuments,
    load_trusted_documents,
)
from gateway.schema.turns import Overloaded

__all__ = [
    "NO_TRUSTED_DOCUMENTS",
    "Context",
    "Federation",
    "Graph",
    "InvalidManifest",
    "Limits",
    "OperationNotNamed",
    "Overloaded",
    "PersistedDocuments",
    "PlannedAnswer",
    "TrustedDocuments",
    "WriteAllowance",
    "WriteLimits",
    "build_graph",
    "load_trusted_documents",
]
