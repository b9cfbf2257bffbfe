"""The id of each request: from `X-Request-Id` or new, in the response and in the log.

Its place in a trace is noted with it.
"""

import re
from random import getrandbits

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.logs import request_in_progress
from gateway.trace_context import trace_headers

_SANE = re.compile(rb"[A-Za-z0-9._-]{1,128}")

# `same-origin` for allowed origins, too: it is for requests without CORS, such as <img> and
# <script> (the Fetch standard, "Cross-Origin-Resource-Policy header").
COMMON_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class RequestIds:
    """ASGI middleware: adds the id and common headers to each response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id: str | None = scope.get("request_id")  # `Front` may have set it
        if request_id is None:
            request_id = scope["request_id"] = id_of(*_all(scope, b"x-request-id")[:1]).decode()
        request_in_progress.set(request_id)  # not reset: each request has a task of its own
        traceparent = _all(scope, b"traceparent")
        # More than one is as none (Trace Context, 3.2).
        trace_headers.set(
            (traceparent[0], b",".join(_all(scope, b"tracestate")))
            if len(traceparent) == 1
            else None
        )
        raw_id = request_id.encode()
        common_headers = ((b"x-request-id", raw_id), *COMMON_HEADERS)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *common_headers]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def request_id_of(request: Request) -> str:
    """Returns the id of the request."""
    return str(request.scope["request_id"])


def masked_message(request_id: str) -> str:
    """Returns the message for a client in place of an unexpected error's own."""
    return f"Something went wrong in the gateway. Report it with request id {request_id}."


def id_of(sent: bytes | None = None) -> bytes:
    """Returns the id that a client sent, or a new one in place of none or of one that is odd."""
    if sent is not None and _SANE.fullmatch(sent):
        return sent
    return b"%032x" % getrandbits(128)


def _all(scope: Scope, header: bytes) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == header]
