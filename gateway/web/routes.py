"""The routes of the gateway: GraphQL, GraphiQL, health and the index."""

from collections.abc import Awaitable, Callable, Iterable, Mapping

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Lifespan, Receive, Scope, Send

from gateway.at_once import AnswerAtOnce, no_answer
from gateway.errors import ErrorCode
from gateway.lifecycle import Lifecycle
from gateway.web.browsers import Browsers
from gateway.web.graphiql import graphiql_routes
from gateway.web.graphql import PATH, GraphQLEndpoint
from gateway.web.health import OPERATORS, PATHS, Readiness, index, live, ready
from gateway.web.metrics import Endpoint
from gateway.web.request_id import RequestIds
from gateway.web.responses import error_response
from gateway.web.unexpected_errors import UnexpectedErrors


class Web(Starlette):
    """The ASGI application. Requests for /graphql take no way through Starlette's own stack."""

    def __init__(
        self,
        graphql: GraphQLEndpoint,
        *,
        lifecycle: Lifecycle,
        readiness: Callable[[], Awaitable[Readiness]],
        lifespan: Lifespan[Starlette],
        graphiql: bool,
        allowed_hosts: Iterable[str],
        cors_origins: Iterable[str],
        front: Callable[[Browsers], AnswerAtOnce] = lambda _: no_answer,
        operators: Mapping[str, Endpoint] | None = None,
    ) -> None:
        """`graphiql`: whether browsers get GraphiQL; hosts and origins are those of `Browsers`.

        `front` returns what answers at once. `operators` are the endpoints for operators by path.
        """
        operators = operators or {}
        paths = PATHS | {path: text for path, text in OPERATORS.items() if path in operators}
        super().__init__(
            routes=[
                Route("/graphql/", WithoutSlash()),
                Route("/", index(paths, graphiql=graphiql)),
                Route("/health/live", live),
                Route("/health/ready", ready(lifecycle, readiness)),
                *[Route(path, endpoint) for path, endpoint in operators.items()],
                *(graphiql_routes() if graphiql else []),
                # "Persisted Document Request URL": one segment, so no asset has the same path.
                Route("/graphql/{document_id}", graphql),
            ],
            lifespan=lifespan,
            exception_handlers={HTTPException: _http_errors(paths)},
        )
        # Starlette's redirect repeats the Host header, and turns https into http behind a proxy.
        self.router.redirect_slashes = False
        self._graphql = graphql
        browsers = Browsers(
            UnexpectedErrors(self._route), hosts=allowed_hosts, origins=cors_origins
        )
        self._stack = RequestIds(browsers)
        self.answer_at_once = front(browsers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        await self._stack(scope, receive, send)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            await self._graphql(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


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


def _http_errors(
    paths: Iterable[str],
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Returns what answers 404 and 405 with the known paths."""
    known = ", ".join(["/", *paths])

    async def answer(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = dict((error.headers if isinstance(error, HTTPException) else None) or {})
        if status == 405:
            headers["Allow"] = "GET, HEAD"  # /graphql answers 405 itself
            message = f"{request.method} is not possible here. Known paths: {known}."
        else:
            message = f"There is nothing at this path. Known paths: {known}."
        return error_response(message, ErrorCode.BAD_REQUEST, status, headers=headers)

    return answer
