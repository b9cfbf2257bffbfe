"""What the world can call: GraphQL over HTTP, GraphiQL, health, and where to go next."""

from gateway.web.application import create_web
from gateway.web.graphql import Timing
from gateway.web.health import Readiness

__all__ = ["Readiness", "Timing", "create_web"]
