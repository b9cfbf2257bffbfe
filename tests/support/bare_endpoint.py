"""The endpoint of GraphQL over a schema of a test: nothing is kept, and nothing planned."""

from collections.abc import Awaitable, Callable

import strawberry
from anonymous import anonymous
from documents_in_memory import documents_in_memory

from gateway.instrumentation import UNNAMED
from gateway.web import (
    Answers,
    Authenticate,
    GraphQLEndpoint,
    HttpCaching,
    OperationExecution,
    ReadyAnswers,
    ResponseCache,
)


def bare_endpoint(
    schema_for: Callable[[str, str], Awaitable[strawberry.Schema]],
    *,
    authenticate: Authenticate = anonymous,
    max_body_bytes: int = 100_000,
    graphiql: bool = False,
) -> GraphQLEndpoint:
    """Returns an endpoint whose requests have 10 seconds, and any context."""
    documents = documents_in_memory()
    answers = Answers(HttpCaching(15.0))

    def context(_client: object) -> object:
        return object()  # the resolvers of these tests do not look at it

    ready = ReadyAnswers(
        ResponseCache(0, 15.0, lambda _collection: 0.0),
        lambda *_: None,
        lambda *_: UNNAMED,
        documents,
        context,  # type: ignore[arg-type] # it is no Context
        answers,
        lambda: 0.0,
    )
    return GraphQLEndpoint(
        ready,
        OperationExecution(schema_for),
        lambda *_: UNNAMED,
        documents,
        authenticate,
        context,  # type: ignore[arg-type] # it is no Context
        answers,
        answer_seconds=10.0,
        max_body_bytes=max_body_bytes,
        graphiql=graphiql,
        get_documents=True,
    )
