"""GraphiQL, served by the gateway itself: no request of the page leaves the gateway's origin.

The build of `graphiql/` lies in `static/graphiql/`; the wheel and the image carry it.
"""

import re
from functools import cache, partial
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route

BUILD = Path(__file__).parent / "static" / "graphiql"
# Below the page's own path, so that a proxy's rule for /graphql covers them.
ASSETS_PATH = "/graphql/assets"

MEDIA_TYPES = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "ttf": "font/ttf",
}
NAME = re.compile(r"[\w.-]{1,100}\.(js|css|ttf)", re.ASCII)
# RFC 9110, 12.5.3: a weight of 0 means "not acceptable".
GZIP = re.compile(
    r"(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?:,|$)", re.IGNORECASE
)

# Styles are 'unsafe-inline' because Monaco, GraphiQL's editor, writes style elements and style
# attributes at run time, and takes no nonce; nothing that a style can load is of another origin.
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
# A worker lives under the policy of its own file, not under the page's.
ASSET_POLICY = "default-src 'none'; script-src 'self'; frame-ancestors 'none'"

MISSING = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>GraphiQL is not built</title>'
    "<h1>GraphiQL is not built</h1>"
    "<p>The gateway answers GraphQL at this address; only the page to explore it is missing. "
    "Run <code>make graphiql</code> with Node.js 20.19 or newer, then load this page again. "
    "The wheel and the container image carry it ready-made.</p></html>"
)


SWITCHED_OFF = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>GraphiQL is switched off</title>'
    "<h1>GraphiQL is switched off</h1>"
    "<p>The gateway answers GraphQL at this address: send a POST with "
    "<code>Content-Type: application/json</code> and a body such as "
    '<code>{"query": "{ segments { totalCount } }"}</code>.</p></html>'
)


def switched_off_page() -> Response:
    """Returns the page that tells a browser how to ask without GraphiQL."""
    headers = {
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-cache",
        "Vary": "Accept",
    }
    return HTMLResponse(SWITCHED_OFF, headers=headers)


def graphiql_page(build: Path = BUILD) -> Response:
    """Returns the page, or one that says how to get it where it is not built."""
    index = build / "index.html"
    page = _read(index, index.stat().st_mtime_ns) if index.is_file() else MISSING
    headers = {
        "Content-Security-Policy": PAGE_POLICY,
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
        "Vary": "Accept",
    }
    return HTMLResponse(page, headers=headers)


def graphiql_routes(build: Path = BUILD) -> list[BaseRoute]:
    """Returns the routes of the page's scripts, styles and fonts."""
    folder = build / ASSETS_PATH.removeprefix("/")
    return [Route(f"{ASSETS_PATH}/{{name}}", partial(_asset, folder))]


# Not async: Starlette runs it in a thread, where it may ask the file system.
def _asset(folder: Path, request: Request) -> Response:
    """Answers one file; it never changes, since its name holds a hash of its content."""
    name: str = request.path_params["name"]
    matched = NAME.fullmatch(name)
    path = folder / name
    if matched is None or not path.is_file():
        raise HTTPException(404)
    media_type = MEDIA_TYPES[matched[1]]
    compressed = folder / f"{name}.gz"
    is_compressed = bool(GZIP.search(_accepted(request))) and compressed.is_file()
    headers = {
        "Content-Security-Policy": ASSET_POLICY,
        "Cache-Control": "public, max-age=31536000, immutable",
        "ETag": f'"{name}.gz"' if is_compressed else f'"{name}"',
        "Vary": "Accept-Encoding",
    }
    if headers["ETag"] in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    if is_compressed:
        headers["Content-Encoding"] = "gzip"
        return FileResponse(compressed, headers=headers, media_type=media_type)
    return FileResponse(path, headers=headers, media_type=media_type)


def _accepted(request: Request) -> str:
    return ",".join(request.headers.getlist("Accept-Encoding"))


@cache
def _read(path: Path, _changed: int) -> str:
    return path.read_text(encoding="utf-8")
