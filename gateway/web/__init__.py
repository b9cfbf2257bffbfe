"""The HTTP surface: GraphQL over HTTP, authentication, GraphiQL, health, an index of the paths."""

from gateway.web.authentication import Authenticate
from gateway.web.documents_by_hash import DocumentsByHash
from gateway.web.execution import Execution
from gateway.web.freshness import HttpCaching
from gateway.web.graphql import AnswerCounts, GraphQLEndpoint, Operations
from gateway.web.health import Readiness
from gateway.web.response_cache import ResponseCache
from gateway.web.routes import Web

__all__ = [
    "AnswerCounts",
    "Authenticate",
    "DocumentsByHash",
    "Execution",
    "GraphQLEndpoint",
    "HttpCaching",
    "Operations",
    "Readiness",
    "ResponseCache",
    "Web",
]
