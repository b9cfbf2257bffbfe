"""GraphQL over HTTP: `/graphql` by POST and, for queries, by GET.

Source: the GraphQL over HTTP specification. tests/contract/test_graphql_over_http.py has a row for
each of its clauses.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import strawberry
from graphql import GraphQLError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.types.graphql import OperationType

from gateway.errors import ErrorCode
from gateway.identity import Client
from gateway.request_scope import RequestScope, open_request_scope
from gateway.schema import OperationNotNamed, Overloaded
from gateway.web.authentication import Authenticate
from gateway.web.documents_by_hash import DocumentsByHash
from gateway.web.freshness import cache_extension, cache_headers
from gateway.web.graphiql import graphiql_page, switched_off_page
from gateway.web.graphql_errors import format_errors
from gateway.web.graphql_request import GraphQLRequest, parse_json_body, parse_query_string
from gateway.web.hang_up import unless_hung_up
from gateway.web.negotiation import GRAPHQL_RESPONSE, HTML, JSON, choose_media_type
from gateway.web.request_body import receive_body
from gateway.web.request_error import RequestError
from gateway.web.request_id import request_id_of
from gateway.web.responses import json_response

ALLOWED_METHODS = "GET, HEAD, POST"
# Those that may say which document to execute.
DOCUMENT_PARAMETERS = ("query", "documentId", "extensions")
CLIENT_CLOSED_REQUEST = 499
# A long execution that was refused has waited as long.
RETRY_LONG_SECONDS = "2"
GET_WITH_DOCUMENT = (
    "A GET that no browser marks with `Sec-Fetch-Site` may not carry a document: send a POST, or "
    "the document's hash (GATEWAY_ALLOW_GET_DOCUMENTS)."
)


@dataclass(frozen=True, slots=True)
class Timing:
    """The time limit of a request and the ttl of a value in seconds, and the clock for ages."""

    answer_seconds: float
    fresh_seconds: float
    now: Callable[[], float]


class GraphQLEndpoint:
    """ASGI application: parses the request, executes the document, encodes the response."""

    def __init__(
        self,
        schema_for: Callable[[str, str], Awaitable[strawberry.Schema]],
        documents: DocumentsByHash,
        authenticate: Authenticate,
        new_context: Callable[[Client], object],
        timing: Timing,
        *,
        max_body_bytes: int,
        graphiql: bool,
        get_documents: bool,
    ) -> None:
        self._schema_for = schema_for
        self._documents = documents
        self._authenticate = authenticate
        self._new_context = new_context
        self._timing = timing
        self._max_body_bytes = max_body_bytes
        self._graphiql = graphiql
        self._get_documents = get_documents

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, with JSON of the negotiated media type or with GraphiQL."""
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        accept = ",".join(request.headers.getlist("accept"))
        if _wants_graphiql(request, accept):
            return graphiql_page() if self._graphiql else switched_off_page()
        media_type = choose_media_type(accept, (JSON, GRAPHQL_RESPONSE))
        try:
            if media_type is None:
                raise RequestError(
                    406,
                    f"Accept {GRAPHQL_RESPONSE} or {JSON}. "
                    "Answers are not streamed, and subscriptions are not offered: poll instead.",
                )
            client = await self._authenticate(request)
            asked = await self._parse(request)
            with open_request_scope(self._timing.answer_seconds, client.name) as scope:
                document = await self._documents.text_of(asked)
                result = await self._result(request, asked, document, client)
                if asked.sha256 is not None and not isinstance(result, PreExecutionError):
                    await self._documents.keep(asked.sha256, document, client)
        except RequestError as error:
            return error.response(media_type or JSON)
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        return self._encode(result, media_type, request_id_of(request), scope)

    async def _parse(self, request: Request) -> GraphQLRequest:
        document_id = request.path_params.get("document_id")
        if request.method == "POST":
            body = await receive_body(request, self._max_body_bytes)
            return parse_json_body(body, document_id)
        if request.method in ("GET", "HEAD"):
            self._check_get(request)
            return parse_query_string(request.query_params, document_id)
        raise RequestError(
            405,
            f"{request.method} is not GraphQL: send a POST.",
            headers={"Allow": ALLOWED_METHODS},
        )

    def _check_get(self, request: Request) -> None:
        """Raises `RequestError` for a document by GET that a page of any site may have sent.

        Browsers mark no requests to addresses of plain HTTP, and old ones mark none.
        """
        if (
            not self._get_documents
            and "query" in request.query_params
            and "sec-fetch-site" not in request.headers
        ):
            raise RequestError(405, GET_WITH_DOCUMENT, headers={"Allow": "POST"})

    async def _result(
        self, request: Request, asked: GraphQLRequest, document: str, client: Client
    ) -> ExecutionResult:
        try:
            query = self._execute(asked, document, client, OperationType.QUERY)
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
        # A write runs to its end, even when the client disconnects.
        return await self._execute(asked, document, client, OperationType.MUTATION)

    async def _execute(
        self, asked: GraphQLRequest, document: str, client: Client, operation_type: OperationType
    ) -> ExecutionResult:
        try:
            schema = await self._schema_for(document, client.name)
        except GraphQLError as error:
            return PreExecutionError(data=None, errors=[error])
        result = await schema.execute(
            document,
            variable_values=asked.variables,
            context_value=self._new_context(client),
            operation_name=asked.operation_name,
            allowed_operation_types=(operation_type,),
            operation_extensions=asked.extensions,
        )
        if isinstance(result, PreExecutionError):
            _raise_if_overloaded(result)
        return result

    def _encode(
        self, result: ExecutionResult, media_type: str, request_id: str, scope: RequestScope
    ) -> Response:
        before_execution = isinstance(result, PreExecutionError)
        errors = format_errors(result.errors or (), request_id, before_execution=before_execution)
        body: dict[str, object] = {"errors": errors} if errors else {}
        # GraphQL, 7.1: a request error has no data entry. It has no path, since no field was begun.
        is_request_error = before_execution or (
            result.data is None and any("path" not in error for error in errors)
        )
        if not is_request_error:
            body["data"] = result.data
        extensions = dict(result.extensions or {})
        now = self._timing.now()
        if (cache := cache_extension(scope, now)) is not None:
            extensions["cache"] = cache
        if extensions:
            body["extensions"] = extensions
        status = 200
        if is_request_error and media_type == GRAPHQL_RESPONSE:
            codes = [error["extensions"]["code"] for error in errors]
            status = 500 if ErrorCode.INTERNAL_SERVER_ERROR in codes else 400
        headers = cache_headers(scope, now, self._timing.fresh_seconds)
        return json_response(body, status, media_type=media_type, headers=headers)


def _raise_if_overloaded(result: PreExecutionError) -> None:
    for error in result.errors or ():
        if isinstance(error.original_error, Overloaded):
            raise RequestError(
                503,
                error.message,
                code=ErrorCode.OVERLOADED,
                headers={"Retry-After": RETRY_LONG_SECONDS},
            )


def _wants_graphiql(request: Request, accept: str) -> bool:
    """Whether a browser wants GraphiQL: a GET that prefers HTML and names no document."""
    return (
        request.method in ("GET", "HEAD")
        and not request.path_params
        # `extensions` may hold a hash.
        and not any(request.query_params.get(name) for name in DOCUMENT_PARAMETERS)
        and choose_media_type(accept, (JSON, GRAPHQL_RESPONSE, HTML)) == HTML
    )
