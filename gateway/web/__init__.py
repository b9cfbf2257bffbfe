"""The HTTP surface: GraphQL over HTTP, authentication, GraphiQL, health, metrics, status, index."""

from gateway.web.answers import Answers
from gateway.web.authentication import Authenticate, Authentication
from gateway.web.browsers import Browsers
from gateway.web.documents_by_hash import DocumentsByHash
from gateway.web.execution import OperationExecution
from gateway.web.freshness import HttpCaching
from gateway.web.front import Front
from gateway.web.graphql import GraphQLEndpoint
from gateway.web.health import Readiness
from gateway.web.metrics import Endpoint, for_operators, metrics
from gateway.web.ready_answers import AnswerCounts, ReadyAnswers
from gateway.web.response_cache import ResponseCache
from gateway.web.routes import Web
from gateway.web.status import status_endpoints

__all__ = [
    "AnswerCounts",
    "Answers",
    "Authenticate",
    "Authentication",
    "Browsers",
    "DocumentsByHash",
    "Endpoint",
    "Front",
    "GraphQLEndpoint",
    "HttpCaching",
    "OperationExecution",
    "Readiness",
    "ReadyAnswers",
    "ResponseCache",
    "Web",
    "for_operators",
    "metrics",
    "status_endpoints",
]
