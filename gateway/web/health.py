"""Liveness, readiness, and the index of the paths at `/`."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gateway.lifecycle import Lifecycle, Stage
from gateway.web.negotiation import HTML, JSON, choose_media_type
from gateway.web.responses import json_response

PATHS = {
    "/graphql": "GraphQL by POST and GET",
    "/health/live": "200 while the process runs",
    "/health/ready": "200 while answers can be served, 503 otherwise",
}
OPERATORS = {
    "/metrics": "metrics for Prometheus",
    "/status": "the last hour: the store's quota, requests, latencies, errors",
}
DOCUMENTATION = "The documentation is in the source repository: README.md first, then docs/."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether answers can be served, and a short state of each part of the gateway."""

    is_ready: bool
    parts: Mapping[str, str]


async def live(_: Request) -> Response:
    """Answers 200."""
    return json_response({"status": "live"})


def ready(
    lifecycle: Lifecycle, readiness: Callable[[], Awaitable[Readiness]]
) -> Callable[[Request], Awaitable[Response]]:
    """Returns the endpoint for readiness.

    Its `status` is "starting", "ready", "not ready" or "draining"; all but "ready" are 503.
    """

    async def endpoint(_: Request) -> Response:
        try:
            found = await readiness()
        except Exception:
            log.exception("the readiness check failed")
            found = Readiness(False, {})
        if lifecycle.is_ending:
            status = "draining"
        elif lifecycle.stage is Stage.STARTING:
            status = "starting"
        else:
            status = "ready" if found.is_ready else "not ready"
        return json_response(
            {"status": status, "parts": dict(found.parts)}, 200 if status == "ready" else 503
        )

    return endpoint


def index(others: Mapping[str, str], *, graphiql: bool) -> Callable[[Request], Awaitable[Response]]:
    """Returns the endpoint at `/`, which lists the other paths, each with its meaning."""
    paths = dict(others)
    if graphiql:
        paths["/graphql"] += "; GraphiQL for a browser"

    async def endpoint(request: Request) -> Response:
        accept = ",".join(request.headers.getlist("accept"))
        if choose_media_type(accept, (JSON, HTML)) == HTML:
            return _page(paths)
        return json_response({"paths": paths, "documentation": DOCUMENTATION})

    return endpoint


def _page(paths: Mapping[str, str]) -> Response:
    items = "".join(
        f'<li><a href="{path[1:]}"><code>{path}</code></a>: {text}</li>'
        for path, text in paths.items()
    )
    return HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        "<title>Customer segments, in GraphQL</title>"
        f"<h1>Customer segments, in GraphQL</h1><ul>{items}</ul><p>{DOCUMENTATION}</p></html>",
        headers={
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
            "Vary": "Accept",
        },
    )
