"""The JSON and the headers of answers."""

from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.types import Receive, Scope, Send
from strawberry.types.execution import ExecutionResult, PreExecutionError

from gateway.errors import ErrorCode
from gateway.web.freshness import NO_STORE, HttpCaching, WhatWasRead, is_not_modified
from gateway.web.graphql_errors import format_errors
from gateway.web.negotiation import GRAPHQL_RESPONSE, JSON
from gateway.web.response_cache import Success

to_json = msgspec.json.Encoder().encode

RawHeader = tuple[bytes, bytes]
CONTENT_TYPES: Final = {
    media_type: (b"content-type", f"{media_type}; charset=utf-8".encode())
    for media_type in (JSON, GRAPHQL_RESPONSE)
}
VARY: Final = (b"vary", b"Accept, Authorization")


class RawResponse:
    """ASGI application: an answer that is there whole, with raw headers."""

    def __init__(self, status: int, headers: list[RawHeader], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


class Answers:
    """Makes the answers to GraphQL requests, fresh or not."""

    def __init__(self, caching: HttpCaching) -> None:
        self._caching = caching

    def success(
        self, answer: Success, media_type: str, *, is_anonymous: bool, if_none_match: str = ""
    ) -> RawResponse:
        """Returns the answer to an operation without errors; 304 if the client has it already."""
        headers = [
            CONTENT_TYPES[media_type],
            VARY,
            self._caching.cache_control(answer, is_anonymous=is_anonymous),
            *self._caching.age(answer),
        ]
        if answer.etag:
            headers.append((b"etag", answer.etag.encode()))
            if if_none_match and is_not_modified(if_none_match, answer.etag):
                return RawResponse(304, headers[1:], b"")  # RFC 9110, 15.4.5
            headers.append((b"cache-tag", answer.tags.encode()))
        body = b'{"data":%b%b}' % (answer.data, self._extensions({}, answer))
        headers.append((b"content-length", b"%d" % len(body)))
        return RawResponse(200, headers, body)

    def other(
        self, result: ExecutionResult, read: WhatWasRead, media_type: str, request_id: str
    ) -> RawResponse:
        """Returns the answer to an operation that failed, in whole or in part, or to a mutation."""
        before_execution = isinstance(result, PreExecutionError)
        errors = format_errors(result.errors or (), request_id, before_execution=before_execution)
        # GraphQL, 7.1: a request error has no data entry. It has no path, since no field was begun.
        is_request_error = before_execution or (
            result.data is None and any("path" not in error for error in errors)
        )
        parts = [b'"errors":' + to_json(errors)] if errors else []
        if not is_request_error:
            parts.append(b'"data":' + to_json(result.data))
        body = b"{%b%b}" % (b",".join(parts), self._extensions(result.extensions or {}, read))
        status = 200
        if is_request_error and media_type == GRAPHQL_RESPONSE:
            codes = [error["extensions"]["code"] for error in errors]
            status = 500 if ErrorCode.INTERNAL_SERVER_ERROR in codes else 400
        headers = [
            CONTENT_TYPES[media_type],
            VARY,
            NO_STORE,
            *self._caching.age(read),
            (b"content-length", b"%d" % len(body)),
        ]
        return RawResponse(status, headers, body)

    def _extensions(self, extensions: Mapping[str, object], read: WhatWasRead) -> bytes:
        """Returns the last entry of an answer, with the comma before it; empty if there is none."""
        cache = self._caching.extension(read)
        if cache is not None:
            extensions = {**extensions, "cache": cache}
        return b',"extensions":' + to_json(extensions) if extensions else b""
