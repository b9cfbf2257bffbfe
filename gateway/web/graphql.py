"""GraphQL over HTTP: `/graphql` by POST and, for queries, by GET.

Source: the GraphQL over HTTP specification. tests/contract/test_graphql_over_http.py has a row for
each of its clauses.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.types.execution import PreExecutionError

from gateway.errors import ErrorCode
from gateway.identity import Client
from gateway.instrumentation import (
    MUTATION,
    OFF,
    QUERY,
    UNNAMED,
    CacheResult,
    Instrumentation,
    OperationRecord,
)
from gateway.request_scope import open_request_scope
from gateway.schema import Context
from gateway.web.answers import Answers, RawResponse, to_json
from gateway.web.authentication import Authenticate
from gateway.web.documents_by_hash import DocumentsByHash
from gateway.web.execution import OperationExecution
from gateway.web.graphiql import graphiql_page, switched_off_page
from gateway.web.negotiation import GRAPHQL_RESPONSE, HTML, JSON, choose_media_type
from gateway.web.ready_answers import POST, OperationOf, OperationRequest, ReadyAnswers
from gateway.web.request_body import receive_body
from gateway.web.request_error import RequestError
from gateway.web.request_id import request_id_of

PATH: Final = "/graphql"
ALLOWED_METHODS = "GET, HEAD, POST"
READS: Final = ("GET", "HEAD")
SEC_FETCH_SITE: Final = "sec-fetch-site"
# Those that may say which document to execute.
DOCUMENT_PARAMETERS = ("query", "documentId", "extensions")
CLIENT_CLOSED_REQUEST = 499
# In the scope of a request: what `Front` has read of it, and found no ready answer for.
ASKED: Final = "gateway.asked"


class GraphQLEndpoint:
    """ASGI application: parses the request, answers the operation, encodes the response.

    An operation has `answer_seconds`. An answer that is ready is sent; all other operations are
    executed.
    """

    def __init__(
        self,
        ready: ReadyAnswers,
        execution: OperationExecution,
        operation: OperationOf,
        documents: DocumentsByHash,
        authenticate: Authenticate,
        new_context: Callable[[Client], Context],
        answers: Answers,
        *,
        answer_seconds: float,
        max_body_bytes: int,
        graphiql: bool,
        get_documents: bool,
        instrumentation: Instrumentation = OFF,
    ) -> None:
        self._ready = ready
        self._execution = execution
        self._operation = operation
        self._documents = documents
        self._authenticate = authenticate
        self._new_context = new_context
        self._answers = answers
        self._answer_seconds = answer_seconds
        self._max_body_bytes = max_body_bytes
        self._graphiql = graphiql
        self._get_documents = get_documents
        self._instrumentation = instrumentation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, with JSON of the negotiated media type or with GraphiQL."""
        record = OperationRecord(scope["method"])
        with self._instrumentation.operation(record):
            try:
                response = await self._respond(Request(scope, receive), record)
                if isinstance(response, RawResponse):
                    record.error_codes = response.error_codes
                record.status = response.status_code
                await response(scope, receive, send)
            except Exception:
                record.status, record.error_codes = 500, [ErrorCode.INTERNAL_SERVER_ERROR]
                raise
            except asyncio.CancelledError:
                record.status, record.error_codes = 503, [ErrorCode.UPSTREAM_UNAVAILABLE]
                raise

    async def _respond(self, request: Request, record: OperationRecord) -> Response | RawResponse:
        if (asked := request.scope.get(ASKED)) is not None:
            return await self._answer(request, asked, None, record)
        accept = ",".join(request.headers.getlist("accept"))
        if _wants_graphiql(request, accept):
            record.is_operation = False
            return graphiql_page() if self._graphiql else switched_off_page()
        media_type = choose_media_type(accept, (JSON, GRAPHQL_RESPONSE))
        try:
            if media_type is None:
                raise RequestError(
                    406,
                    f"Accept {GRAPHQL_RESPONSE} or {JSON}. "
                    "Answers are not streamed, and subscriptions are not offered: poll instead.",
                )
            asked = await self._asked(request, media_type)
        except RequestError as error:
            record.error_codes = [error.code]
            return error.response(media_type or JSON)
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        return await self._answer(request, asked, self._ready.find(asked), record)

    async def _answer(
        self,
        request: Request,
        asked: OperationRequest,
        ready: RawResponse | None,
        record: OperationRecord,
    ) -> Response | RawResponse:
        if ready is not None:
            record.operation = ready.operation
            record.operation_type = QUERY
            record.cache_result = CacheResult.STALE if ready.is_stale else CacheResult.HIT
            return ready
        try:
            return await self._execute(request, asked, record)
        except RequestError as error:
            record.error_codes = [error.code]
            return error.response(asked.media_type)
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED_REQUEST)

    async def _asked(self, request: Request, media_type: str) -> OperationRequest:
        client = await self._authenticate(request)
        if request.method == POST:
            text = await receive_body(request, self._max_body_bytes)
        elif request.method in READS:
            text = request.scope["query_string"]
        else:
            raise RequestError(
                405,
                f"{request.method} is not GraphQL: send a POST.",
                headers={"Allow": ALLOWED_METHODS},
            )
        is_read = request.method != POST
        return OperationRequest(
            request.scope["path"],
            text,
            media_type,
            client,
            has_authorization="authorization" in request.headers,
            is_read=is_read,
            document_id=request.path_params.get("document_id"),
            if_none_match=",".join(request.headers.getlist("if-none-match")) if is_read else "",
            may_have_document=(
                self._get_documents or not is_read or SEC_FETCH_SITE in request.headers
            ),
        )

    async def _execute(
        self, request: Request, asked: OperationRequest, record: OperationRecord
    ) -> RawResponse:
        parameters, client = asked.parse(), asked.client
        self._ready.counts.executed += 1
        with open_request_scope(self._answer_seconds, client.name) as scope:
            record.document = document = await self._documents.text_of(parameters)
            context = self._new_context(client)
            try:
                executed = await self._execution.execute(
                    request, parameters, document, context, client.name
                )
            finally:
                operation = self._operation(document, parameters.operation_name)
                record.operation = operation or UNNAMED
                record.cache_result = scope.cache_result
                record.upstream_requests = scope.request.upstream_requests
            result = executed.result
            if not isinstance(result, PreExecutionError):
                record.operation_type = QUERY if executed.is_query else MUTATION
                if parameters.sha256 is not None:
                    await self._documents.keep(parameters.sha256, document, client)
        if result.errors or result.extensions or not executed.is_query:
            return self._answers.other(
                result, scope, asked.media_type, request_id_of(request), self._ready.now()
            )
        return self._ready.keep(asked, [to_json(result.data)], scope, record.operation)


def _wants_graphiql(request: Request, accept: str) -> bool:
    """Whether a browser wants GraphiQL: a GET that prefers HTML and names no document."""
    return (
        request.method in READS
        and not request.path_params
        # `extensions` may hold a hash.
        and not any(request.query_params.get(name) for name in DOCUMENT_PARAMETERS)
        and choose_media_type(accept, (JSON, GRAPHQL_RESPONSE, HTML)) == HTML
    )
