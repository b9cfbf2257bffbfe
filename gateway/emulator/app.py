"""The wire of the emulated store: an ASGI application that answers as BigCommerce's API does.

Order of the checks, as measured on the real API: route and method, then credentials, then store.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal
from uuid import uuid4

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.emulator.faults import Fault, Faults
from gateway.emulator.lists import (
    MAXIMUM_LIMIT,
    ListRefused,
    OverLimit,
    PastTheEnd,
    encode_page,
    read_list_request,
)
from gateway.emulator.rate_limit import RateLimitWindow
from gateway.emulator.store import Store

TokenScope = Literal["store_v2_customers", "store_v2_customers_read_only"]
STATUS_CODES = (
    "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"  # as on the wire
)
ROUTES = (("GET", re.compile(r"/stores/(?P<store>[^/]+)/v3/segments/?"), "list_segments"),)


@dataclass(eq=False)
class Emulator:
    """One emulated store and its manners: an ASGI endpoint.

    `requests` counts what arrived, by operation, refused requests included; "unknown" counts those
    that no route takes. Every field may be set while it runs.
    """

    store: Store
    store_hash: str
    token: str
    token_scope: TokenScope | None
    latency_seconds: float
    max_limit: int
    over_limit: OverLimit
    past_the_end: PastTheEnd
    window: RateLimitWindow
    faults: Faults
    sleep: Callable[[float], Awaitable[object]]
    requests: Counter[str] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request: at its arrival, then lets the latency pass."""
        request = Request(scope)
        response = self._answer(request, "/" + request.path_params["path"])
        response.headers["X-Request-Id"] = uuid4().hex
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if self.latency_seconds:
            await self.sleep(self.latency_seconds)
        await response(scope, receive, send)

    def _answer(self, request: Request, path: str) -> Response:
        matched = _match(request.method, path)
        self.requests["unknown" if matched is None else matched[0]] += 1
        if matched is None:
            return _error(404, "The route is not found, check the URL")
        refusal = self._check_credentials(request.headers.get("x-auth-token"))
        if refusal is not None:
            return refusal
        within_quota = self.window.take()
        fault = self.faults.take() if within_quota else None
        if fault is Fault.OVERLOADED:
            return _error(429, "Too many requests")
        response = (
            self._answer_in_store(matched[1], request.query_params, fault)
            if within_quota
            else _error(429, "Too many requests")
        )
        response.headers.update(self.window.headers())
        if fault is Fault.RATE_LIMITED:
            response.headers["X-Rate-Limit-Requests-Left"] = "0"
        return response

    def _check_credentials(self, token: str | None) -> Response | None:
        if token is None:
            return Response("X-Auth-Token header is required", 401, media_type="text/plain")
        if not token.strip():
            text = "X-Auth-Token header should have correct format"
            return Response(text, 401, media_type="text/plain")
        return None if token == self.token else _error(401, "Unauthorized")

    def _answer_in_store(
        self, store_hash: str, query: QueryParams, fault: Fault | None
    ) -> Response:
        if fault is Fault.RATE_LIMITED:
            return _error(429, "Too many requests")
        if fault is Fault.SERVER_ERROR:
            return _error(500, "Internal Server Error")
        if fault is Fault.HTML:
            page = "<!doctype html><title>Maintenance</title>"
            return Response(page, media_type="text/html")
        if store_hash != self.store_hash or self.token_scope is None:
            return _error(403, "You don't have a required scope to access the endpoint")
        return self._list_segments(query, fault)

    def _list_segments(self, query: QueryParams, fault: Fault | None) -> Response:
        try:
            asked = read_list_request(query, max_limit=self.max_limit, over_limit=self.over_limit)
            rows = self.store.select(asked.ids)
            body = encode_page(rows, asked, fault, past_the_end=self.past_the_end)
        except ListRefused as refused:
            return _error(422, refused.title)
        return Response(body, media_type="application/json")


def create_emulator(
    store: Store,
    *,
    store_hash: str = "emulator",
    token: str = "emulator-token",  # noqa: S107 - opens nothing but this emulator
    token_scope: TokenScope | None = "store_v2_customers",  # noqa: S107 - a scope, no secret
    latency_seconds: float = 0.0,
    max_limit: int = MAXIMUM_LIMIT,
    over_limit: OverLimit = "clamp",
    past_the_end: PastTheEnd = "empty",
    rate_limit_quota: int = 150,
    faults: Faults | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Starlette:
    """Returns the emulator as an ASGI application; `app.state.emulator` is its `Emulator`.

    A `limit` above `max_limit` is clamped silently, with a smaller `per_page` in the answer, or
    refused with 422; so is a page past the end, or it is empty. A token without scope gets 403.
    `clock` and `sleep` count in seconds.
    """
    emulator = Emulator(
        store=store,
        store_hash=store_hash,
        token=token,
        token_scope=token_scope,
        latency_seconds=latency_seconds,
        max_limit=max_limit,
        over_limit=over_limit,
        past_the_end=past_the_end,
        window=RateLimitWindow(rate_limit_quota, clock),
        faults=Faults() if faults is None else faults,
        sleep=sleep,
    )
    # One route without methods for all: the real API answers 404 to an unknown method, where
    # Starlette says 405.
    app = Starlette(routes=[Route("/{path:path}", emulator)])
    app.state.emulator = emulator
    return app


def _match(method: str, path: str) -> tuple[str, str] | None:
    """Returns the operation and the store hash that a path names, None for an unknown route."""
    for known, pattern, operation in ROUTES:
        if method == known and (found := pattern.fullmatch(path)):
            return operation, found["store"]
    return None


def _error(status: int, title: str) -> Response:
    body = {"status": status, "title": title, "type": STATUS_CODES, "errors": {}}
    return Response(msgspec.json.encode(body), status, media_type="application/json")
