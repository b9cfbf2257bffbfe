"""What browsers may do: the hosts that they name, the sites whose pages may call, and CORS.

Sources: the Fetch standard, "CORS protocol" and "Cross-Origin-Resource-Policy header"; Fetch
Metadata, 2.3 (`Sec-Fetch-Site`); RFC 9110, 15.5.20 (421).
"""

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import ErrorCode
from gateway.web.hosts import AllowedHosts, is_own_origin
from gateway.web.responses import error_response

METHODS = ("GET", "POST")
# What Apollo Client, urql, Relay and graphql-request send, beside the headers that are always safe,
# and OpenTelemetry in a page.
REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "X-Request-Id",
    "Apollo-Require-Preflight",
    "X-Apollo-Operation-Name",
    "Apollographql-Client-Name",
    "Apollographql-Client-Version",
    "Traceparent",
    "Tracestate",
)
RESPONSE_HEADERS = (
    "Age",
    "ETag",
    "X-Request-Id",
    "Cache-Status",
    "Retry-After",
    "WWW-Authenticate",
)
# The longest that Chromium takes.
PREFLIGHT_SECONDS = 7200

HEALTH = "/health/"
# Paths that another site may link to: without a query string they execute nothing.
PAGES = frozenset({"/", "/graphql", "/graphql/", "/status"})
# `none`: the user typed the address, or opened a bookmark.
OWN_SITES = frozenset({b"same-origin", b"none"})
LONGEST_QUOTE = 100

UNKNOWN_HOST = "The gateway does not answer to the host `{}`: GATEWAY_ALLOWED_HOSTS has to name it."
FOREIGN_ORIGIN = (
    "`Origin` is another site than `Host`, whose pages may not call the gateway unless "
    "GATEWAY_CORS_ORIGINS names it. A proxy in front has to forward `Host`: see "
    "docs/http.md#calls-from-other-sites."
)
FOREIGN_SITE = (
    "A page of another site may link to GraphiQL, but it may not send queries unless "
    "GATEWAY_CORS_ORIGINS names it: see docs/http.md#calls-from-other-sites."
)


class Browsers(CORSMiddleware):
    """ASGI middleware: refuses unknown hosts and foreign pages; answers allowed ones with CORS.

    A host that is not allowed gets 421, a foreign `Origin` or `Sec-Fetch-Site` 403. Health checks
    may name any host. `hosts` are those of `AllowedHosts`, `origins` are exact, in the form that
    browsers send.
    """

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str], origins: Iterable[str]) -> None:
        super().__init__(
            app,
            allow_origins=frozenset(origins),
            allow_methods=METHODS,
            allow_headers=REQUEST_HEADERS,
            expose_headers=RESPONSE_HEADERS,
            # The origins are exact: one that is allowed may be a public page, too.
            allow_private_network=True,
            max_age=PREFLIGHT_SECONDS,
        )
        self._hosts = AllowedHosts(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or hands it on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif (refusal := self._refusal(scope)) is not None:
            await refusal(scope, receive, send)
        elif self.allow_origins:
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answers a preflight (the Fetch standard, "CORS-preflight request")."""
        response = super().preflight_response(request_headers)
        if response.status_code == 200:
            return response
        names = ", ".join(REQUEST_HEADERS)
        message = f"Pages may send the methods {' and '.join(METHODS)}, and the headers {names}."
        return error_response(message, ErrorCode.FORBIDDEN, 403)

    def admit(self, host: bytes | None, origin: bytes | None, site: bytes | None) -> bool:
        """Whether a query with this `Host`, `Origin` and `Sec-Fetch-Site` is not refused."""
        named = "" if host is None else host.decode("latin-1")
        if host is not None and not self._hosts.allows(named):
            return False
        if origin is not None:
            sender = origin.decode("latin-1")
            if sender in self.allow_origins:
                return True
            if not is_own_origin(sender, named):
                return False
        return site is None or site in OWN_SITES

    def headers_for(self, origin: bytes | None) -> list[tuple[bytes, bytes]]:
        """Returns the headers that `send` adds to the answer to a query from an origin."""
        if not self.allow_origins:
            return []
        headers = [(b"vary", b"Origin")]
        if origin is not None:
            headers += [
                (name.lower().encode(), value.encode())
                for name, value in self.simple_headers.items()
            ]
            if origin.decode("latin-1") in self.allow_origins:
                headers.append((b"access-control-allow-origin", origin))
        return headers

    def _refusal(self, scope: Scope) -> Response | None:
        host: str | None = None
        origin: str | None = None
        is_foreign = False
        for name, value in scope["headers"]:
            if name == b"host":
                host = value.decode("latin-1")
            elif name == b"origin":
                origin = value.decode("latin-1")
            elif name == b"sec-fetch-site":
                is_foreign = is_foreign or value not in OWN_SITES
        # HTTP/1.0 may leave `Host` out.
        if host is not None and not (self._hosts.allows(host) or scope["path"].startswith(HEALTH)):
            message = UNKNOWN_HOST.format(host[:LONGEST_QUOTE])
            return error_response(message, ErrorCode.BAD_REQUEST, 421)
        if origin is not None:
            if origin in self.allow_origins:
                return None
            if not is_own_origin(origin, host or ""):
                return error_response(FOREIGN_ORIGIN, ErrorCode.FORBIDDEN, 403)
        if is_foreign and not _is_link(scope):
            return error_response(FOREIGN_SITE, ErrorCode.FORBIDDEN, 403)
        return None


def _is_link(scope: Scope) -> bool:
    """Whether the user follows a link to a page."""
    return (
        scope["method"] in ("GET", "HEAD")
        and not scope["query_string"]
        and (scope["path"] in PAGES or scope["path"].startswith(HEALTH))
        and Headers(scope=scope).get("sec-fetch-mode") == "navigate"
    )
