"""The JSON and the headers of answers."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec
from starlette.types import Receive, Scope, Send
from strawberry.types.execution import ExecutionResult, PreExecutionError

from gateway.at_once import WholeAnswer
from gateway.errors import ErrorCode
from gateway.instrumentation import UNNAMED, NamedOperation
from gateway.web.freshness import (
    NO_STORE,
    Aged,
    HttpCaching,
    WhatWasRead,
    cache_extension,
    is_not_modified,
)
from gateway.web.graphql_errors import format_errors
from gateway.web.negotiation import GRAPHQL_RESPONSE, JSON
from gateway.web.response_cache import Success

to_json = msgspec.json.Encoder().encode

RawHeader = tuple[bytes, bytes]
CONTENT_TYPES: Final = {
    media_type: (b"content-type", f"{media_type}; charset=utf-8".encode())
    for media_type in (JSON, GRAPHQL_RESPONSE)
}
NOT_MODIFIED: Final = 304
# What could end a line, or is refused by clients (RFC 9110, 5.5).
CONTROLS: Final = bytes([*range(32), 127])
VARY: Final = (b"vary", b"Accept, Authorization")
# The frames that are remembered. Answers to POST of one age have the same one.
FRAMES: Final = 256


class Frame(NamedTuple):
    """What is sent around `data`: headers, also as lines, and the end of the body."""

    headers: Sequence[RawHeader]
    lines: bytes
    end: bytes


class Framed(NamedTuple):
    """What the frame of an answer without errors depends on; 304 has no media type."""

    aged: Aged
    media_type: str | None
    is_for_all: bool
    etag: str
    tags: str


class RawResponse:
    """ASGI application: an answer that is there whole, its body in parts.

    `operation` is what it answers; `error_codes` has one for each error.
    """

    def __init__(
        self,
        status: int,
        frame: Frame,
        parts: Sequence[bytes | memoryview],
        *,
        is_stale: bool = False,
        operation: NamedOperation = UNNAMED,
        error_codes: Sequence[str] = (),
    ) -> None:
        self.is_stale = is_stale
        self.operation = operation
        self.error_codes = error_codes
        self.status_code = status
        self._frame = frame
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it as ASGI has it."""
        body = b"".join(self._parts)
        headers = [*self._frame.headers]
        if self.status_code != NOT_MODIFIED:
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def whole(self, lines: bytes) -> WholeAnswer:
        """Returns it with further lines of the head, which have been checked."""
        if self.status_code != NOT_MODIFIED:
            lines += b"content-length: %d\r\n" % sum(map(len, self._parts))
        return WholeAnswer(self.status_code, self._frame.lines + lines, self._parts)


def _frame(headers: Sequence[RawHeader], end: bytes) -> Frame:
    return Frame(headers, head_lines(headers), end)


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
        self._frame = lru_cache(FRAMES)(self._new_frame)

    def success(
        self,
        answer: Success,
        media_type: str,
        now: float,
        *,
        is_for_all: bool,
        if_none_match: str = "",
    ) -> RawResponse:
        """Returns the answer to an operation without errors; 304 if the client has it already.

        `is_for_all`: the client has sent no credentials, and the answer has no personal data.
        """
        aged, etag = self._caching.aged(answer, now), answer.etag
        if if_none_match and etag and is_not_modified(if_none_match, etag):
            frame = self._frame(Framed(aged, None, is_for_all, etag, ""))
            return RawResponse(
                NOT_MODIFIED,
                frame,
                (),
                is_stale=aged.is_stale,
                operation=answer.operation,
            )
        frame = self._frame(Framed(aged, media_type, is_for_all, etag, answer.tags))
        return RawResponse(
            200,
            frame,
            (b'{"data":', *answer.data, frame.end),
            is_stale=aged.is_stale,
            operation=answer.operation,
        )

    def _new_frame(self, framed: Framed) -> Frame:
        headers = [] if framed.media_type is None else [CONTENT_TYPES[framed.media_type]]
        # These are sent with status 304, too (RFC 9110, 15.4.5).
        headers += [
            VARY,
            self._caching.cache_control(framed.aged, is_for_all=framed.is_for_all),
            *self._caching.age(framed.aged),
        ]
        if framed.etag:
            headers.append((b"etag", framed.etag.encode()))
        if framed.tags:
            headers.append((b"cache-tag", framed.tags.encode()))
        return _frame(headers, _extensions({}, framed.aged) + b"}")

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
        aged = self._caching.aged(read, now)
        body = b"{%b%b}" % (b",".join(parts), _extensions(result.extensions or {}, aged))
        status = 200
        codes = [error["extensions"]["code"] for error in errors]
        if is_request_error and media_type == GRAPHQL_RESPONSE:
            status = 500 if ErrorCode.INTERNAL_SERVER_ERROR in codes else 400
        headers = [
            CONTENT_TYPES[media_type],
            VARY,
            NO_STORE,
            *self._caching.age(aged),
        ]
        return RawResponse(status, _frame(headers, b""), (body,), error_codes=codes)


def _extensions(extensions: Mapping[str, object], aged: Aged) -> bytes:
    """Returns the last entry of an answer, with the comma before it; empty if there is none."""
    cache = cache_extension(aged)
    if cache is not None:
        extensions = {**extensions, "cache": cache}
    return b',"extensions":' + to_json(extensions) if extensions else b""
