"""The composition root: wires every part once, and owns their life.

`composition` is what lies below the graph, `application` what stands above it; `check` reads once.
"""

from gateway.app.application import app_from_environment, create_app, create_graph
from gateway.app.check import check
from gateway.app.composition import Services, create_services

__all__ = [
    "Services",
    "app_from_environment",
    "check",
    "create_app",
    "create_graph",
    "create_services",
]
