"""The HTTP surface: GraphQL over HTTP, authentication, GraphiQL, health, an index of the paths."""

from gateway.web.authentication import Authenticate
from gateway.web.documents_by_hash import DocumentsByHash
from gateway.web.graphql import Timing
from gateway.web.health import Readiness
from gateway.web.routes import create_web

__all__ = ["Authenticate", "DocumentsByHash", "Readiness", "Timing", "create_web"]
