"""The HTTP surface: GraphQL over HTTP, GraphiQL, health, and an index of the paths."""

from gateway.web.authentication import anonymous
from gateway.web.documents_by_hash import DocumentsByHash
from gateway.web.graphql import Timing
from gateway.web.health import Readiness
from gateway.web.routes import create_web

__all__ = ["DocumentsByHash", "Readiness", "Timing", "anonymous", "create_web"]
