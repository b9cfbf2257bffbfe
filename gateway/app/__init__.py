"""The composition root: wires every part once, and owns their life.

`parts` is what lies below the graph, `application` what stands above it; `check` reads once.
"""

from gateway.app.application import app_from_environment, create_app, create_graph
from gateway.app.check import check
from gateway.app.parts import Parts, create_parts

__all__ = ["Parts", "app_from_environment", "check", "create_app", "create_graph", "create_parts"]
