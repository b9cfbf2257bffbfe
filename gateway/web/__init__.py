"""The HTTP surface: GraphQL over HTTP, GraphiQL, health, and an index of the paths."""

from gateway.web.authentication import Authenticate, anonymous
from gateway.web.graphql import Timing
from gateway.web.health import Readiness
from gateway.web.routes import create_web

__all__ = ["Authenticate", "Readiness", "Timing", "anonymous", "create_web"]
