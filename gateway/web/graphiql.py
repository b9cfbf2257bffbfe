"""GraphiQL, served by the gateway itself: the page loads nothing from another origin.

The build of `graphiql/` is in `static/graphiql/`; the wheel and the image contain it.
"""

import re
from contextlib import suppress
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

BUILD = Path(__file__).parent / "static" / "graphiql"
# Below the page's own path, so that a proxy's rule for /graphql covers them.
ASSETS_PATH = "/graphql/assets"

# Python's own table differs between its versions and machines.
MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".ttf": "font/ttf",
}
# RFC 9110, 12.5.3: a weight of 0 means "not acceptable".
GZIP = re.compile(
    r"(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?:,|$)", re.IGNORECASE
)

# Styles are 'unsafe-inline' because Monaco, GraphiQL's editor, writes style elements and style
# attributes at run time, and supports no nonce; styles can load nothing from another origin.
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "font-src 'self'",
        "img-src 'self' data:",
        "worker-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
ASSET_HEADERS = {
    # A web worker has the policy of its own file, not the page's.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; frame-ancestors 'none'",
    # An asset's name holds a hash of its content.
    "Cache-Control": "public, max-age=31536000, immutable",
    "Vary": "Accept-Encoding",
}

MISSING = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>GraphiQL is not built</title>'
    "<h1>GraphiQL is not built</h1>"
    "<p>The gateway answers GraphQL at this address; only the page to explore it is missing. "
    "Run <code>make graphiql</code> with Node.js 20.19 or newer, then load this page again. "
    "The wheel and the container image include it.</p></html>"
)
SWITCHED_OFF = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>GraphiQL is switched off</title>'
    "<h1>GraphiQL is switched off</h1>"
    "<p>The gateway answers GraphQL at this address: send a POST with "
    "<code>Content-Type: application/json</code> and a body such as "
    '<code>{"query": "{ segments { totalCount } }"}</code>.</p></html>'
)


class Assets(StaticFiles):
    """The page's scripts, styles and fonts: the compressed .gz if the client accepts gzip."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answers a request for one file; raises `HTTPException`."""
        media_type = MEDIA_TYPES.get(Path(path).suffix)
        if media_type is None:
            raise HTTPException(404)
        packed = None
        if GZIP.search(",".join(Headers(scope=scope).getlist("Accept-Encoding"))):
            with suppress(HTTPException):
                packed = await super().get_response(f"{path}.gz", scope)
        response = packed or await super().get_response(path, scope)
        response.headers.update(ASSET_HEADERS)
        if response.status_code == 200:
            response.headers["Content-Type"] = media_type
            if packed is not None:
                response.headers["Content-Encoding"] = "gzip"
        return response

    async def check_config(self) -> None:
        """Accepts a missing build: its files are answered with 404."""


def graphiql_routes(build: Path = BUILD) -> list[BaseRoute]:
    """Returns the routes of the page's assets."""
    folder = build / ASSETS_PATH.removeprefix("/")
    return [Mount(ASSETS_PATH, Assets(directory=folder, check_dir=False))]


def graphiql_page(build: Path = BUILD) -> Response:
    """Returns the page; without a build, a page that says how to get one."""
    index = build / "index.html"
    headers = {
        "Content-Security-Policy": PAGE_POLICY,
        "Referrer-Policy": "no-referrer",
        # A page of another site that opens this one gets no handle on its window.
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-cache",
        "Vary": "Accept",
    }
    page = index.read_text(encoding="utf-8") if index.is_file() else MISSING
    return HTMLResponse(page, headers=headers)


def switched_off_page() -> Response:
    """Returns the page that says how to use the API without GraphiQL."""
    headers = {
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-cache",
        "Vary": "Accept",
    }
    return HTMLResponse(SWITCHED_OFF, headers=headers)
