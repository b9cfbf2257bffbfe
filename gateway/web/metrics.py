"""`/metrics`: the metrics for Prometheus, for clients with the scope `metrics`."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import ErrorCode
from gateway.identity import AccessScope
from gateway.web.authentication import Authenticate
from gateway.web.negotiation import JSON
from gateway.web.request_error import RequestError

Endpoint = Callable[[Request], Awaitable[Response]]


def for_operators(authenticate: Authenticate, endpoint: Endpoint) -> Endpoint:
    """Returns the endpoint for clients with the scope `metrics`; others get 401 or 403."""

    async def guarded(request: Request) -> Response:
        try:
            client = await authenticate(request)
            refusal = client.refusal(AccessScope.METRICS, f"`{request.url.path}`")
            if refusal is not None:
                raise RequestError(403, refusal.message, code=ErrorCode.FORBIDDEN)
        except RequestError as error:
            return error.response(JSON)
        return await endpoint(request)

    return guarded


def metrics(
    before_reading: Callable[[], None], exposition: Callable[[str], tuple[bytes, str]]
) -> Endpoint:
    """Returns the endpoint of what `exposition` returns for an `Accept`: text, media type.

    A thread calls it: the files of workers, with the names of a hundred trusted documents, take
    it a tenth of a second.
    """

    async def endpoint(request: Request) -> Response:
        accept = ",".join(request.headers.getlist("accept"))
        before_reading()
        text, media_type = await asyncio.to_thread(exposition, accept)
        return Response(text, headers={"Content-Type": media_type, "Cache-Control": "no-store"})

    return endpoint
