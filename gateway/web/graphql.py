"""GraphQL over HTTP: `/graphql` by POST and, for queries, by GET.

Source: the GraphQL over HTTP specification, whose clauses stand as rows in
tests/contract/test_graphql_over_http.py.
"""

from collections.abc import Callable
from dataclasses import dataclass

import strawberry
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.types.graphql import OperationType

from gateway.errors import ErrorCode
from gateway.request_scope import RequestScope, open_request_scope
from gateway.schema import OperationNotNamed
from gateway.web.answers import json_answer
from gateway.web.body import read_body
from gateway.web.freshness import cache_extension, cache_headers
from gateway.web.graphiql import graphiql_page, switched_off_page
from gateway.web.graphql_errors import formatted
from gateway.web.graphql_request import GraphQLRequest, from_json, from_query_string
from gateway.web.hang_up import unless_hung_up
from gateway.web.negotiation import GRAPHQL_RESPONSE, HTML, JSON, preferred
from gateway.web.request_error import RequestError
from gateway.web.request_id import request_id_of

ALLOWED_METHODS = "GET, HEAD, POST"
CLIENT_CLOSED_REQUEST = 499
BODY_TIMEOUT_SECONDS = 30.0
CORS = (
    "This is a CORS preflight. The gateway sends no CORS headers, so a page of another origin "
    "cannot call it. Serve both from one origin, or let the proxy in front add the headers: see "
    "docs/http.md#calls-from-other-sites."
)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: how long an answer may take, how long what was read is fresh, and the time now."""

    answer_seconds: float
    fresh_seconds: float
    now: Callable[[], float]


class GraphQLEndpoint:
    """ASGI application: parses the request, executes the schema, encodes the answer."""

    def __init__(
        self,
        schema_for: Callable[[str], strawberry.Schema],
        new_context: Callable[[], object],
        timing: Timing,
        *,
        max_body_bytes: int,
        graphiql: bool,
        body_timeout_seconds: float = BODY_TIMEOUT_SECONDS,
    ) -> None:
        self._schema_for = schema_for
        self._new_context = new_context
        self._timing = timing
        self._max_body_bytes = max_body_bytes
        self._graphiql = graphiql
        self._body_timeout_seconds = body_timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; every answer is JSON of a negotiated media type, or GraphiQL."""
        answer = await self._answer(Request(scope, receive))
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        accept = ",".join(request.headers.getlist("accept"))
        if _asks_for_page(request, accept):
            return graphiql_page() if self._graphiql else switched_off_page()
        media_type = preferred(accept, (JSON, GRAPHQL_RESPONSE))
        try:
            if media_type is None:
                raise RequestError(
                    406,
                    f"Accept {GRAPHQL_RESPONSE} or {JSON}. "
                    "Answers are not streamed, and subscriptions are not offered: poll instead.",
                )
            asked = await self._parse(request)
            with open_request_scope(self._timing.answer_seconds) as scope:
                result = await self._result(request, asked)
        except RequestError as error:
            return error.answer(media_type or JSON)
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        return self._answer_of(result, media_type, request_id_of(request), scope)

    async def _parse(self, request: Request) -> GraphQLRequest:
        if request.method == "POST":
            body = await read_body(request, self._max_body_bytes, self._body_timeout_seconds)
            return from_json(body)
        if request.method in ("GET", "HEAD"):
            return from_query_string(request.query_params)
        # The Fetch standard, "CORS-preflight request".
        is_preflight = (
            request.method == "OPTIONS" and "access-control-request-method" in request.headers
        )
        raise RequestError(
            405,
            CORS if is_preflight else f"{request.method} is not GraphQL: send a POST.",
            headers={"Allow": ALLOWED_METHODS},
        )

    async def _result(self, request: Request, asked: GraphQLRequest) -> ExecutionResult:
        context = self._new_context()
        try:
            query = self._execute(asked, context, OperationType.QUERY)
            return await unless_hung_up(request.receive, query)
        except OperationNotNamed as error:
            raise RequestError(
                400, "The document has several operations: name one in `operationName`."
            ) from error
        except CannotGetOperationTypeError as error:
            message = "The document has no operation"
            if asked.operation_name is not None:
                message += " with the name in `operationName`"
            raise RequestError(400, f"{message}.") from error
        except InvalidOperationTypeError as error:
            if error.operation_type is not OperationType.MUTATION:
                raise RequestError(400, "Subscriptions are not offered: poll instead.") from error
            if request.method != "POST":
                raise RequestError(
                    405, "A GET may only query: send a POST.", headers={"Allow": "POST"}
                ) from error
        # A write that has begun is carried to its end, whether or not anyone waits for it.
        return await self._execute(asked, context, OperationType.MUTATION)

    async def _execute(
        self, asked: GraphQLRequest, context: object, operation_type: OperationType
    ) -> ExecutionResult:
        return await self._schema_for(asked.query).execute(
            asked.query,
            variable_values=asked.variables,
            context_value=context,
            operation_name=asked.operation_name,
            allowed_operation_types=(operation_type,),
            operation_extensions=asked.extensions,
        )

    def _answer_of(
        self, result: ExecutionResult, media_type: str, request_id: str, scope: RequestScope
    ) -> Response:
        before_execution = isinstance(result, PreExecutionError)
        errors = formatted(result.errors or (), request_id, before_execution=before_execution)
        answer: dict[str, object] = {"errors": errors} if errors else {}
        # GraphQL, 7.1: a request error (no path: not even a field was begun) has no data entry.
        is_request_error = before_execution or (
            result.data is None and any("path" not in error for error in errors)
        )
        if not is_request_error:
            answer["data"] = result.data
        extensions = dict(result.extensions or {})
        now = self._timing.now()
        if (cache := cache_extension(scope, now)) is not None:
            extensions["cache"] = cache
        if extensions:
            answer["extensions"] = extensions
        status = 200
        if is_request_error and media_type == GRAPHQL_RESPONSE:
            codes = [error["extensions"]["code"] for error in errors]
            status = 500 if ErrorCode.INTERNAL_SERVER_ERROR in codes else 400
        headers = cache_headers(scope, now, self._timing.fresh_seconds)
        return json_answer(answer, status, media_type=media_type, headers=headers)


def _asks_for_page(request: Request, accept: str) -> bool:
    """Tells whether a browser wants a page: a GET that prefers HTML and asks nothing."""
    return (
        request.method in ("GET", "HEAD")
        # `extensions` alone may hold a persisted query.
        and not any(request.query_params.get(name) for name in ("query", "extensions"))
        and preferred(accept, (JSON, GRAPHQL_RESPONSE, HTML)) == HTML
    )
