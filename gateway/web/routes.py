"""The routes of the gateway: GraphQL, GraphiQL, health and the index."""

from collections.abc import Awaitable, Callable, Iterable

import strawberry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Lifespan, Receive, Scope, Send

from gateway.errors import ErrorCode
from gateway.identity import Client
from gateway.lifecycle import Lifecycle
from gateway.web.authentication import Authenticate
from gateway.web.browsers import Browsers
from gateway.web.documents_by_hash import DocumentsByHash
from gateway.web.graphiql import graphiql_routes
from gateway.web.graphql import GraphQLEndpoint, Timing
from gateway.web.health import PATHS, Readiness, index, live, ready
from gateway.web.request_id import RequestIds
from gateway.web.responses import error_response
from gateway.web.unexpected_errors import UnexpectedErrors


def create_web(
    *,
    schema_for: Callable[[str, str], Awaitable[strawberry.Schema]],
    documents: DocumentsByHash,
    authenticate: Authenticate,
    new_context: Callable[[Client], object],
    timing: Timing,
    lifecycle: Lifecycle,
    readiness: Callable[[], Awaitable[Readiness]],
    lifespan: Lifespan[Starlette],
    max_body_bytes: int,
    graphiql: bool,
    get_documents: bool,
    allowed_hosts: Iterable[str],
    cors_origins: Iterable[str],
) -> Starlette:
    """Returns the ASGI application.

    `schema_for` returns the schema that executes a document of a client, `documents` those that
    requests name, `authenticate` the client that sent a request, `new_context` the context of its
    GraphQL request; `graphiql`: whether browsers get GraphiQL; `get_documents`: whether any GET may
    carry a document. `allowed_hosts` and `cors_origins` are those of `Browsers`.
    """
    graphql = GraphQLEndpoint(
        schema_for,
        documents,
        authenticate,
        new_context,
        timing,
        max_body_bytes=max_body_bytes,
        graphiql=graphiql,
        get_documents=get_documents,
    )
    web = Starlette(
        routes=[
            Route("/graphql", graphql),  # first, since nearly every request is for it; any method
            Route("/graphql/", WithoutSlash()),
            Route("/", index(graphiql=graphiql)),
            Route("/health/live", live),
            Route("/health/ready", ready(lifecycle, readiness)),
            *(graphiql_routes() if graphiql else []),
            # "Persisted Document Request URL": one segment, so no asset has the same path.
            Route("/graphql/{document_id}", graphql),
        ],
        lifespan=lifespan,
        middleware=[
            Middleware(RequestIds),
            Middleware(Browsers, hosts=allowed_hosts, origins=cors_origins),
            Middleware(UnexpectedErrors),
        ],
        exception_handlers={HTTPException: _http_error},
    )
    # Starlette's redirect repeats the Host header, and turns https into http behind a proxy.
    web.router.redirect_slashes = False
    return web


class WithoutSlash:
    """ASGI application: redirects any method to /graphql, under the prefix of a proxy, too.

    308 keeps the method and the body (RFC 9110, 15.4.9). It is a class, since Starlette routes
    only GET to a function.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        query = scope["query_string"].decode("latin-1")
        target = f"../graphql?{query}" if query else "../graphql"
        answer = RedirectResponse(target, 308, {"Cache-Control": "no-store"})
        await answer(scope, receive, send)


async def _http_error(request: Request, error: Exception) -> Response:
    """Answers 404 and 405 with the known paths."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict((error.headers if isinstance(error, HTTPException) else None) or {})
    known = ", ".join(["/", *PATHS])
    if status == 405:
        headers["Allow"] = "GET, HEAD"  # /graphql answers 405 itself
        message = f"{request.method} is not possible here. Known paths: {known}."
    else:
        message = f"There is nothing at this path. Known paths: {known}."
    return error_response(message, ErrorCode.BAD_REQUEST, status, headers=headers)
