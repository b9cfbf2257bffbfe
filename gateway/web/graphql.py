"""GraphQL over HTTP: `/graphql` by POST and, for queries, by GET.

Source: the GraphQL over HTTP specification. tests/contract/test_graphql_over_http.py has a row for
each of its clauses.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.types.execution import ExecutionResult, PreExecutionError

from gateway.identity import Client
from gateway.request_scope import RequestScope, open_request_scope
from gateway.schema import Context
from gateway.web.answers import Answers, to_json
from gateway.web.authentication import Authenticate
from gateway.web.documents_by_hash import DocumentsByHash
from gateway.web.execution import Execution
from gateway.web.freshness import HttpCaching, cache_tags, etag_of
from gateway.web.graphiql import graphiql_page, switched_off_page
from gateway.web.graphql_request import GraphQLRequest, parse_json_body, parse_query_string
from gateway.web.negotiation import GRAPHQL_RESPONSE, HTML, JSON, choose_media_type
from gateway.web.request_body import receive_body
from gateway.web.request_error import RequestError
from gateway.web.request_id import request_id_of
from gateway.web.response_cache import LONGEST_BODY, ResponseCache, Success

ALLOWED_METHODS = "GET, HEAD, POST"
READS: Final = ("GET", "HEAD")
# Those that may say which document to execute.
DOCUMENT_PARAMETERS = ("query", "documentId", "extensions")
CLIENT_CLOSED_REQUEST = 499
GET_WITH_DOCUMENT = (
    "A GET that no browser marks with `Sec-Fetch-Site` may not carry a document: send a POST, or "
    "the document's hash (GATEWAY_ALLOW_GET_DOCUMENTS)."
)

PlannedData = Callable[[str, str | None, Mapping[str, object], Context], bytes | None]
"""Returns the JSON of `data` by a plan; None if graphql-core has to execute the operation."""


@dataclass(slots=True)
class AnswerCounts:
    """How many operations were answered from the response cache, by a plan, and by graphql-core."""

    cached: int = 0
    planned: int = 0
    executed: int = 0


@dataclass(frozen=True, slots=True)
class Operations:
    """How operations are answered: by `planned`, if it can; else by `execution`."""

    execution: Execution
    planned: PlannedData
    new_context: Callable[[Client], Context]


class GraphQLEndpoint:
    """ASGI application: parses the request, answers the operation, encodes the response.

    An operation has `answer_seconds`.
    """

    def __init__(
        self,
        operations: Operations,
        documents: DocumentsByHash,
        authenticate: Authenticate,
        responses: ResponseCache,
        caching: HttpCaching,
        *,
        answer_seconds: float,
        max_body_bytes: int,
        graphiql: bool,
        get_documents: bool,
    ) -> None:
        self.counts = AnswerCounts()
        self.responses = responses
        self._operations = operations
        self._documents = documents
        self._authenticate = authenticate
        self._answers = Answers(caching)
        self._answer_seconds = answer_seconds
        self._max_body_bytes = max_body_bytes
        self._graphiql = graphiql
        self._get_documents = get_documents

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, with JSON of the negotiated media type or with GraphiQL."""
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> ASGIApp:
        accept = ",".join(request.headers.getlist("accept"))
        if request.method in READS and _wants_graphiql(request, accept):
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
            body = await self._receive(request)
            key = _key(request, client, media_type, body)
            if (kept := self.responses.find(key)) is not None:
                self.counts.cached += 1
                return self._answers.success(request, kept, client, media_type)
            asked = _parse(request, body)
            with open_request_scope(self._answer_seconds, client.name) as scope:
                document = await self._documents.text_of(asked)
                found = await self._answer(request, asked, document, client, scope)
                if asked.sha256 is not None and not isinstance(found, PreExecutionError):
                    await self._documents.keep(asked.sha256, document, client)
        except RequestError as error:
            return error.response(media_type or JSON)
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        if isinstance(found, ExecutionResult):
            return self._answers.other(found, scope, media_type, request_id_of(request))
        if len(body) <= LONGEST_BODY:
            self.responses.offer(key, len(body), found)
        return self._answers.success(request, found, client, media_type)

    async def _answer(
        self,
        request: Request,
        asked: GraphQLRequest,
        document: str,
        client: Client,
        scope: RequestScope,
    ) -> Success | ExecutionResult:
        """Returns the answer, or the result of a mutation or of an operation with errors."""
        operations = self._operations
        context = operations.new_context(client)
        planned = operations.planned(document, asked.operation_name, asked.variables, context)
        if planned is not None:
            self.counts.planned += 1
            return _success(request, planned, scope)
        self.counts.executed += 1
        executed = await operations.execution.execute(request, asked, document, context)
        result = executed.result
        if result.errors or result.extensions or not executed.is_query:
            return result
        return _success(request, to_json(result.data), scope)

    async def _receive(self, request: Request) -> bytes:
        """Returns the body of a POST, the query string of a GET."""
        if request.method == "POST":
            return await receive_body(request, self._max_body_bytes)
        if request.method in READS:
            self._check_get(request)
            query: bytes = request.scope["query_string"]
            return query
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


def _key(request: Request, client: Client, media_type: str, body: bytes) -> Hashable:
    """Returns what the answer to a request depends on, beside the rows themselves."""
    return client.scopes, media_type, request.method == "POST", request.scope["path"], body


def _parse(request: Request, body: bytes) -> GraphQLRequest:
    document_id = request.path_params.get("document_id")
    if request.method == "POST":
        return parse_json_body(body, document_id)
    return parse_query_string(request.query_params, document_id)


def _success(request: Request, data: bytes, scope: RequestScope) -> Success:
    is_read = request.method in READS
    ids = (row.id for rows in scope.rows for row in rows if row is not None) if is_read else ()
    return Success(
        data,
        scope.oldest_read_at,
        scope.is_stale,
        scope.stale_because,
        tuple(scope.collections),
        etag=etag_of(data) if is_read else "",
        tags=cache_tags(scope.collections, ids) if is_read else "",
    )


def _wants_graphiql(request: Request, accept: str) -> bool:
    """Whether a browser wants GraphiQL: a GET that prefers HTML and names no document."""
    return (
        not request.path_params
        # `extensions` may hold a hash.
        and not any(request.query_params.get(name) for name in DOCUMENT_PARAMETERS)
        and choose_media_type(accept, (JSON, GRAPHQL_RESPONSE, HTML)) == HTML
    )
