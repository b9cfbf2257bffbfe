"""The JSON and the headers of answers."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Final

import msgspec
from starlette.types import Receive, Scope, Send
from strawberry.types.execution import ExecutionResult, PreExecutionError

from gateway.errors import ErrorCode
from gateway.web.freshness import (
    NO_STORE,
    HttpCaching,
    WhatWasRead,
    cache_extension,
    is_not_modified,
)
from gateway.web.graphql_errors import format_errors
from gateway.web.negotiation import GRAPHQL_RESPONSE, JSON
from gateway.web.response_cache import Frame, Success

to_json = msgspec.json.Encoder().encode

RawHeader = tuple[bytes, bytes]
CONTENT_TYPES: Final = {
    media_type: (b"content-type", f"{media_type}; charset=utf-8".encode())
    for media_type in (JSON, GRAPHQL_RESPONSE)
}
NOT_MODIFIED: Final = 304
# What could end a line, or is refused by clients (RFC 9110, 5.5).
CONTROLS: Final = bytes([*range(32), 127])
# The type of ASGI message by which `gateway.server` takes a whole answer.
WHOLE_ANSWER: Final = "gateway.whole_answer"
VARY: Final = (b"vary", b"Accept, Authorization")


class RawResponse:
    """ASGI application: an answer that is there whole, its body in parts."""

    def __init__(self, status: int, frame: Frame, parts: Sequence[bytes]) -> None:
        self._status = status
        self._frame = frame
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it as ASGI has it."""
        body = b"".join(self._parts)
        headers = [*self._frame.headers]
        if self._status != NOT_MODIFIED:
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def send_at_once(self, send: Send, lines: bytes) -> None:
        """Sends it with further lines of the head, to a server that sends its head as it is."""
        if self._status != NOT_MODIFIED:
            lines += b"content-length: %d\r\n" % sum(map(len, self._parts))
        await send(
            {
                "type": WHOLE_ANSWER,
                "status": self._status,
                "lines": self._frame.lines + lines,
                "parts": self._parts,
            }
        )


def _frame(key: Hashable, headers: Sequence[RawHeader], end: bytes) -> Frame:
    return Frame(key, headers, head_lines(headers), end)


def head_lines(headers: Sequence[RawHeader]) -> bytes:
    """Returns headers as lines; raises `ValueError` if one has a control character."""
    text = b"".join([b"%b%b" % header for header in headers])
    if len(text.translate(None, CONTROLS)) != len(text):
        raise ValueError("A header of the answer has a control character.")
    return b"".join([b"%b: %b\r\n" % header for header in headers])


class Answers:
    """Makes the answers to GraphQL requests, fresh or not."""

    def __init__(self, caching: HttpCaching) -> None:
        self._caching = caching

    def success(
        self,
        answer: Success,
        media_type: str,
        now: float,
        *,
        is_anonymous: bool,
        if_none_match: str = "",
    ) -> RawResponse:
        """Returns the answer to an operation without errors; 304 if the client has it already."""
        age, left = self._caching.times(answer, now)
        key = (age, left, media_type, is_anonymous)
        if if_none_match and answer.etag and is_not_modified(if_none_match, answer.etag):
            frame = answer.frame_not_modified
            if frame is None or frame.key != key:
                headers = self._headers(answer, age, left, is_anonymous=is_anonymous)
                frame = answer.frame_not_modified = _frame(key, headers, b"")
            return RawResponse(NOT_MODIFIED, frame, ())
        frame = answer.frame
        if frame is None or frame.key != key:
            headers = [
                CONTENT_TYPES[media_type],
                *self._headers(answer, age, left, is_anonymous=is_anonymous),
            ]
            if answer.tags:
                headers.append((b"cache-tag", answer.tags.encode()))
            frame = answer.frame = _frame(key, headers, _extensions({}, answer, age) + b"}")
        return RawResponse(200, frame, (b'{"data":', answer.data, frame.end))

    def _headers(
        self, answer: Success, age: int, left: int, *, is_anonymous: bool
    ) -> list[RawHeader]:
        """Returns what an answer has with status 304, too (RFC 9110, 15.4.5)."""
        headers = [
            VARY,
            self._caching.cache_control(answer, age, left, is_anonymous=is_anonymous),
            *self._caching.age(answer, age),
        ]
        if answer.etag:
            headers.append((b"etag", answer.etag.encode()))
        return headers

    def other(
        self,
        result: ExecutionResult,
        read: WhatWasRead,
        media_type: str,
        request_id: str,
        now: float,
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
        age, _ = self._caching.times(read, now)
        body = b"{%b%b}" % (b",".join(parts), _extensions(result.extensions or {}, read, age))
        status = 200
        if is_request_error and media_type == GRAPHQL_RESPONSE:
            codes = [error["extensions"]["code"] for error in errors]
            status = 500 if ErrorCode.INTERNAL_SERVER_ERROR in codes else 400
        headers = [
            CONTENT_TYPES[media_type],
            VARY,
            NO_STORE,
            *self._caching.age(read, age),
        ]
        return RawResponse(status, _frame(None, headers, b""), (body,))


def _extensions(extensions: Mapping[str, object], read: WhatWasRead, age: int) -> bytes:
    """Returns the last entry of an answer, with the comma before it; empty if there is none."""
    cache = cache_extension(read, age)
    if cache is not None:
        extensions = {**extensions, "cache": cache}
    return b',"extensions":' + to_json(extensions) if extensions else b""
