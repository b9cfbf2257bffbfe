"""`/status`: the last hour in a browser, and its data for clients with the scope `metrics`.

The page has no data itself, so it needs no credentials. It loads nothing from another origin.
"""

import math
from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from gateway.web.authentication import Authenticate
from gateway.web.graphiql import MEDIA_TYPES
from gateway.web.metrics import Endpoint, for_operators
from gateway.web.negotiation import JSON
from gateway.web.request_error import RequestError
from gateway.web.responses import json_response

FOLDER = Path(__file__).parent / "static" / "status"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    # The names of its files stay when a new version changes them.
    "Cache-Control": "no-store",
}


def status_endpoints(
    authenticate: Authenticate, since: Callable[[float], object]
) -> dict[str, Endpoint]:
    """Returns the endpoints of the page, its files and its data by path.

    `since` returns what the data are, of samples that are newer than seconds since the epoch.
    """
    files = {
        f"/status/{file.name}": _file(file.read_bytes(), MEDIA_TYPES[file.suffix])
        for file in sorted(FOLDER.iterdir())
        if file.suffix in MEDIA_TYPES
    }
    page = _file((FOLDER / "index.html").read_bytes(), "text/html; charset=utf-8")
    return {"/status": page, "/status/data": for_operators(authenticate, _data(since)), **files}


def _file(content: bytes, media_type: str) -> Endpoint:
    async def endpoint(_: Request) -> Response:
        return Response(content, headers={"Content-Type": media_type, **HEADERS})

    return endpoint


def _data(since: Callable[[float], object]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            at = float(request.query_params.get("since", "0"))
        except ValueError:
            at = math.nan
        if not math.isfinite(at):
            message = "`since` has to be seconds since the epoch, such as `at` of a sample."
            return RequestError(400, message).response(JSON)
        return json_response(since(at))

    return endpoint
