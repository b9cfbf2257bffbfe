"""The graph: what clients can ask for, and what each thing costs."""

from gateway.schema.context import Context
from gateway.schema.documents import OperationNotNamed
from gateway.schema.graph import build_schema, print_sdl
from gateway.schema.limits import Limits

__all__ = ["Context", "Limits", "OperationNotNamed", "build_schema", "print_sdl"]
