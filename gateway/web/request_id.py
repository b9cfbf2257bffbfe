"""The id of each request: from `X-Request-Id` or new, in the response and in the log."""

import re
from uuid import uuid4

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.logs import request_in_progress

_SANE = re.compile(rb"[A-Za-z0-9._-]{1,128}")

# `same-origin` for allowed origins, too: it is for requests without CORS, such as <img> and
# <script> (the Fetch standard, "Cross-Origin-Resource-Policy header").
_COMMON_HEADERS = (
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
        request_id = _incoming(scope) or uuid4().hex
        scope["request_id"] = request_id
        request_in_progress.set(request_id)  # not reset: each request has a task of its own
        common_headers = ((b"x-request-id", request_id.encode()), *_COMMON_HEADERS)

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


def _incoming(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return value.decode() if _SANE.fullmatch(value) else None
    return None
