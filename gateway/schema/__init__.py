"""The graph: what clients can ask for, and what each thing costs."""

from gateway.schema.context import Context
from gateway.schema.documents import OperationNotNamed
from gateway.schema.federation import Federation
from gateway.schema.graph import Graph, build_graph
from gateway.schema.limits import Limits

__all__ = ["Context", "Federation", "Graph", "Limits", "OperationNotNamed", "build_graph"]
