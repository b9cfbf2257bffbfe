"""`/metrics`: the metrics for Prometheus, for clients with the scope `metrics`."""

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


def metrics(exposition: Callable[[str], tuple[bytes, str]]) -> Endpoint:
    """Returns the endpoint of what `exposition` returns for an `Accept`: text, media type."""

    async def endpoint(request: Request) -> Response:
        text, media_type = exposition(",".join(request.headers.getlist("accept")))
        return Response(text, headers={"Content-Type": media_type, "Cache-Control": "no-store"})

    return endpoint
