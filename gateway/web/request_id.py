"""One id to each request: taken from the caller or made here, answered, and named in the log."""

import asyncio
import logging
import re
from uuid import uuid4

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import ErrorCode
from gateway.logs import request_in_progress
from gateway.web.answers import error_answer

_SANE = re.compile(rb"[A-Za-z0-9._-]{1,128}")

CUT_OFF = "The gateway stopped before the store's API had answered. Send the request again."

log = logging.getLogger(__name__)


class RequestIds:
    """ASGI middleware: sets the id and the headers that every answer bears, and masks crashes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything on; what nobody caught becomes status 500, and is logged.

        A request that is cancelled, as the server does at the end of its patience, becomes 503.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _incoming(scope) or uuid4().hex
        scope["request_id"] = request_id
        request_in_progress.set(request_id)  # until the end of the server's task for this request
        borne_by_all = (
            (b"x-request-id", request_id.encode()),
            (b"x-content-type-options", b"nosniff"),
        )
        is_started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal is_started
            if message["type"] == "http.response.start":
                is_started = True
                message["headers"] = [*message["headers"], *borne_by_all]
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            if is_started:
                raise  # half an answer is out: the server logs this and closes the connection
            log.exception("request %s failed outside GraphQL", request_id)
            code = ErrorCode.INTERNAL_SERVER_ERROR
            answer = error_answer(masked_message(request_id), code, 500)
            await answer(scope, receive, send_with_headers)
        except asyncio.CancelledError:
            log.warning("request %s was cut off: the gateway stopped before its answer", request_id)
            if not is_started:
                code = ErrorCode.UPSTREAM_UNAVAILABLE
                answer = error_answer(CUT_OFF, code, 503, headers={"Connection": "close"})
                await answer(scope, receive, send_with_headers)
            raise


def request_id_of(request: Request) -> str:
    """Returns the id of the request."""
    return str(request.scope["request_id"])


def masked_message(request_id: str) -> str:
    """Returns what a client is told of an error that nobody foresaw."""
    return f"Something went wrong in the gateway. Report it with request id {request_id}."


def _incoming(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return value.decode() if _SANE.fullmatch(value) else None
    return None
