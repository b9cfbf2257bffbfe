"""The id of each request: from `X-Request-Id` or new, in the response and in the log."""

import asyncio
import logging
import re
from uuid import uuid4

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import ErrorCode
from gateway.logs import request_in_progress
from gateway.web.responses import error_response

_SANE = re.compile(rb"[A-Za-z0-9._-]{1,128}")

CUT_OFF = "The gateway stopped before the store's API had answered. Send the request again."

log = logging.getLogger(__name__)


class RequestIds:
    """ASGI middleware: adds the id and common headers to each response, and masks other errors."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the application; an exception is logged and answered with 500, masked.

        A request that is cancelled, as at the end of the shutdown grace, is answered with 503.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _incoming(scope) or uuid4().hex
        scope["request_id"] = request_id
        request_in_progress.set(request_id)  # not reset: each request has a task of its own
        common_headers = (
            (b"x-request-id", request_id.encode()),
            (b"x-content-type-options", b"nosniff"),
        )
        is_started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal is_started
            if message["type"] == "http.response.start":
                is_started = True
                message["headers"] = [*message["headers"], *common_headers]
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            if is_started:
                raise  # the response has begun: the server logs this and closes the connection
            log.exception("request %s failed outside GraphQL", request_id)
            code = ErrorCode.INTERNAL_SERVER_ERROR
            response = error_response(masked_message(request_id), code, 500)
            await response(scope, receive, send_with_headers)
        except asyncio.CancelledError:
            log.warning("request %s was cut off: the gateway stopped before its answer", request_id)
            if not is_started:
                code = ErrorCode.UPSTREAM_UNAVAILABLE
                response = error_response(CUT_OFF, code, 503, headers={"Connection": "close"})
                await response(scope, receive, send_with_headers)
            raise


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
