"""Answers for requests that fail outside of GraphQL, or that the gateway's stop cuts off."""

import asyncio
import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import ErrorCode
from gateway.web.request_id import masked_message
from gateway.web.responses import error_response

CUT_OFF = "The gateway stopped before the store's API had answered. Send the request again."

log = logging.getLogger(__name__)


class UnexpectedErrors:
    """ASGI middleware: masks exceptions.

    It is inside of `RequestIds` and of `Browsers`, whose headers its answers have, too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the application; an exception is logged and answered with 500, masked.

        A request that is cancelled, as at the end of the shutdown grace, is answered with 503.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_started = False

        async def send_and_watch(message: Message) -> None:
            nonlocal is_started
            is_started = True
            await send(message)

        request_id = scope["request_id"]
        try:
            await self._app(scope, receive, send_and_watch)
        except Exception:
            if is_started:
                raise  # the response has begun: the server logs this and closes the connection
            log.exception("request %s failed outside GraphQL", request_id)
            code = ErrorCode.INTERNAL_SERVER_ERROR
            response = error_response(masked_message(request_id), code, 500)
            await response(scope, receive, send)
        except asyncio.CancelledError:
            log.warning("request %s was cut off: the gateway stopped before its answer", request_id)
            if not is_started:
                code = ErrorCode.UPSTREAM_UNAVAILABLE
                response = error_response(CUT_OFF, code, 503, headers={"Connection": "close"})
                await response(scope, receive, send)
            raise
