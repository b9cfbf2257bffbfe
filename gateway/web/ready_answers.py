"""Answers that lie in this process's memory: from the response cache, or made by a plan."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from starlette.datastructures import QueryParams

from gateway.identity import Client
from gateway.instrumentation import UNNAMED, NamedOperation
from gateway.request_scope import open_request_scope
from gateway.row import Identified
from gateway.schema import Context, PlannedAnswer
from gateway.web.answers import Answers, RawResponse
from gateway.web.documents_by_hash import DocumentsByHash
from gateway.web.freshness import WhatWasRead, cache_tags, etag_of, is_public
from gateway.web.graphql_request import GraphQLRequest, parse_json_body, parse_query_string
from gateway.web.request_error import RequestError
from gateway.web.response_cache import LONGEST_BODY, ResponseCache, Success

POST: Final = "POST"
GET_WITH_DOCUMENT: Final = (
    "A GET that no browser marks with `Sec-Fetch-Site` may not carry a document: send a POST, or "
    "the document's hash (GATEWAY_ALLOW_GET_DOCUMENTS)."
)

Planned = Callable[[str, str | None, Mapping[str, object], Context], PlannedAnswer | None]
"""Returns the answer of a plan; None if graphql-core has to execute the operation."""

OperationOf = Callable[[str, str | None], NamedOperation | None]
"""Returns the operation of a document that a request asks for; None if it is not parsed."""


class Answered(WhatWasRead, Protocol):
    """What an answer contains, and the rows of which collections."""

    @property
    def collections(self) -> Collection[str]:
        """The names of the collections of its values."""

    @property
    def rows(self) -> Iterable[Iterable[Identified | None]]:
        """Its rows, to be iterated once."""


@dataclass(slots=True)
class AnswerCounts:
    """How many operations were answered from the response cache, by a plan, and by graphql-core."""

    cached: int = 0
    planned: int = 0
    executed: int = 0


class OperationRequest:
    """A request whose head and client have been checked.

    `text` is the body of a POST, the query string of a GET. A GET `may_have_document` if no page of
    another site can have sent it: browsers mark no requests to addresses of plain HTTP, and old
    ones mark none. One that `has_authorization` is not anonymous, though the gateway may ignore its
    credentials: what stands in front of the gateway may check them. `key` is what the answer
    depends on, beside the rows themselves.
    """

    __slots__ = (
        "_parsed",
        "client",
        "document_id",
        "if_none_match",
        "is_anonymous",
        "is_read",
        "key",
        "may_have_document",
        "media_type",
        "text",
    )

    def __init__(
        self,
        path: str,
        text: bytes,
        media_type: str,
        client: Client,
        *,
        has_authorization: bool,
        is_read: bool = False,
        document_id: str | None = None,
        if_none_match: str = "",
        may_have_document: bool = True,
    ) -> None:
        self.text = text
        self.media_type = media_type
        self.client = client
        self.is_anonymous = client.is_anonymous and not has_authorization
        self.is_read = is_read
        self.document_id = document_id
        self.if_none_match = if_none_match
        self.may_have_document = may_have_document
        self.key = (text, client.scopes, media_type, is_read, may_have_document, path)
        self._parsed: GraphQLRequest | None = None

    def parse(self) -> GraphQLRequest:
        """Returns its parameters, parsed once; raises `RequestError`."""
        if self._parsed is None:
            self._parsed = self._parse()
        return self._parsed

    def _parse(self) -> GraphQLRequest:
        if not self.is_read:
            return parse_json_body(self.text, self.document_id)
        parameters = parse_query_string(QueryParams(self.text), self.document_id)
        if parameters.query is not None and not self.may_have_document:
            raise RequestError(405, GET_WITH_DOCUMENT, headers={"Allow": POST})
        return parameters


class ReadyAnswers:
    """Answers requests without a wait, and keeps what was answered.

    `now` returns seconds.
    """

    def __init__(
        self,
        responses: ResponseCache,
        planned: Planned,
        operation: OperationOf,
        documents: DocumentsByHash,
        new_context: Callable[[Client], Context],
        answers: Answers,
        now: Callable[[], float],
    ) -> None:
        self.counts = AnswerCounts()
        self.responses = responses
        self._answers = answers
        self.now = now
        self._planned = planned
        self._operation = operation
        self._documents = documents
        self._new_context = new_context

    def find(self, asked: OperationRequest) -> RawResponse | None:
        """Returns the answer to a request, None if it is not ready."""
        now = self.now()
        kept = self.responses.find(asked.key, now)
        if kept is not None:
            self.counts.cached += 1
            return self._success(asked, kept, now)
        try:
            parameters = asked.parse()
            document = self._documents.known_text_of(parameters)
        except RequestError:
            return None
        if document is None:
            return None
        planned = self._planned(
            document,
            parameters.operation_name,
            parameters.variables,
            self._new_context(asked.client),
        )
        if planned is None:
            return None
        self.counts.planned += 1
        if planned.is_stale:
            with open_request_scope(0, asked.client.name):  # of what is refreshed
                planned.serve()
        else:
            planned.serve()
        operation = self._operation(document, parameters.operation_name) or UNNAMED
        return self.keep(asked, planned.data, planned, operation)

    def keep(
        self,
        asked: OperationRequest,
        data: Sequence[bytes | memoryview],
        answered: Answered,
        operation: NamedOperation,
    ) -> RawResponse:
        """Offers an answer without errors to the response cache, and returns the response."""
        etag = tags = ""
        if asked.is_read:
            ids = (row.id for rows in answered.rows for row in rows if row is not None)
            etag, tags = etag_of(data, asked.media_type), cache_tags(answered.collections, ids)
        success = Success(
            data,
            answered.oldest_read_at,
            answered.is_stale,
            answered.stale_because,
            tuple(answered.collections),
            etag,
            tags,
            operation,
        )
        now = self.now()
        if len(asked.text) <= LONGEST_BODY:
            self.responses.offer(asked.key, len(asked.text), success, now)
        return self._success(asked, success, now)

    def _success(self, asked: OperationRequest, success: Success, now: float) -> RawResponse:
        return self._answers.success(
            success,
            asked.media_type,
            now,
            is_for_all=asked.is_anonymous and is_public(success.collections),
            if_none_match=asked.if_none_match,
        )
