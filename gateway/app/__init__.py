"""The composition root: creates and connects every part.

`composition` creates the services below the graph, `application` the ASGI application on top of
them, `authentication` what names its clients. `readiness` reports the state of the services.
`telemetry` makes what the parts report to. `check` says whether all is well, and what to do.
"""

from gateway.app.application import (
    app_from_environment,
    create_app,
    create_graph,
    trusted_documents,
)
from gateway.app.check import CheckReport, check, report_for
from gateway.app.composition import Services, create_services
from gateway.app.telemetry import shared_metrics

__all__ = [
    "CheckReport",
    "Services",
    "app_from_environment",
    "check",
    "create_app",
    "create_graph",
    "create_services",
    "report_for",
    "shared_metrics",
    "trusted_documents",
]
