"""The wire of the emulated store: an ASGI application that answers as BigCommerce's API does.

Order of the checks, as measured on the real API: route and method, then credentials, then store.
"""

import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random
from typing import Literal
from uuid import uuid4

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.emulator.answers import error_answer, html_answer, too_many_requests
from gateway.emulator.faults import Fault, Faults, Rule
from gateway.emulator.latency import Latency, as_latency
from gateway.emulator.lists import (
    ListRefused,
    OverLimit,
    PastTheEnd,
    encode_page,
    read_list_request,
)
from gateway.emulator.rate_limit import RateLimitWindow
from gateway.emulator.store import Store
from gateway.emulator.wire import SILENT, send_answer

TokenScope = Literal["store_v2_customers", "store_v2_customers_read_only"]
ROUTES = (("GET", re.compile(r"/stores/(?P<store>[^/]+)/v3/segments/?"), "list_segments"),)


@dataclass(eq=False)
class Emulator:
    """One emulated store and its manners: an ASGI endpoint.

    `requests` counts what arrived, by operation, refused requests included; "unknown" counts those
    that no route takes. `statuses` counts the same by the status of the answer, "none" where the
    connection ended without one. `latency_seconds` is a number or a distribution that `random`
    draws from. Every field may be set while it runs.
    """

    store: Store
    store_hash: str
    token: str
    token_scope: TokenScope | None
    latency_seconds: float | Latency
    max_limit: int
    over_limit: OverLimit
    past_the_end: PastTheEnd
    window: RateLimitWindow
    faults: Faults
    sleep: Callable[[float], Awaitable[object]]
    random: Random
    requests: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request: at its arrival, then lets the latency pass.

        Raises what `send_answer` raises.
        """
        request = Request(scope)
        response, rule = self._answer(request, "/" + request.path_params["path"])
        response.headers["X-Request-Id"] = uuid4().hex
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
        is_silent = rule is not None and rule.fault in SILENT
        self.statuses["none" if is_silent else str(response.status_code)] += 1
        seconds = as_latency(self.latency_seconds).draw(self.random)
        if seconds:
            await self.sleep(seconds)
        await send_answer(response, rule, scope, receive, send, self.sleep)

    def forget_requests(self) -> None:
        """Sets all counts back; what the running window has left stays."""
        self.requests.clear()
        self.statuses.clear()
        self.window.forget_history()

    def _answer(self, request: Request, path: str) -> tuple[Response, Rule | None]:
        matched = _match(request.method, path)
        self.requests["unknown" if matched is None else matched[0]] += 1
        if matched is None:
            return error_answer(404, "The route is not found, check the URL"), None
        refusal = self._check_credentials(request.headers.get("x-auth-token"))
        if refusal is not None:
            return refusal, None
        if not self.window.take():
            refusal = too_many_requests()
            refusal.headers.update(self.window.headers())
            return refusal, None
        rule = self.faults.draw()
        fault = None if rule is None else rule.fault
        if fault is Fault.OVERLOADED:
            return too_many_requests(), rule
        if rule is not None and rule.status is not None:
            response = error_answer(rule.status, _phrase(rule.status))
        else:
            response = self._answer_in_store(matched[1], request.query_params, fault)
        response.headers.update(self.window.headers())
        if fault is Fault.RATE_LIMITED:
            response.headers["X-Rate-Limit-Requests-Left"] = "0"
        return response, rule

    def _check_credentials(self, token: str | None) -> Response | None:
        if token is None:
            return Response("X-Auth-Token header is required", 401, media_type="text/plain")
        if not token.strip():
            text = "X-Auth-Token header should have correct format"
            return Response(text, 401, media_type="text/plain")
        return None if token == self.token else error_answer(401, "Unauthorized")

    def _answer_in_store(
        self, store_hash: str, query: QueryParams, fault: Fault | None
    ) -> Response:
        if fault is Fault.RATE_LIMITED:
            return too_many_requests()
        if fault is Fault.SERVER_ERROR:
            return error_answer(500, "Internal Server Error")
        if fault is Fault.HTML:
            return html_answer()
        if store_hash != self.store_hash or self.token_scope is None:
            return error_answer(403, "You don't have a required scope to access the endpoint")
        return self._list_segments(query, fault)

    def _list_segments(self, query: QueryParams, fault: Fault | None) -> Response:
        try:
            asked = read_list_request(query, max_limit=self.max_limit, over_limit=self.over_limit)
            rows = self.store.select(asked.ids)
            body = encode_page(rows, asked, fault, past_the_end=self.past_the_end)
        except ListRefused as refused:
            return error_answer(422, refused.title)
        return Response(body, media_type="application/json")


def _match(method: str, path: str) -> tuple[str, str] | None:
    """Returns the operation and the store hash that a path names, None for an unknown route."""
    for known, pattern, operation in ROUTES:
        if method == known and (found := pattern.fullmatch(path)):
            return operation, found["store"]
    return None


def _phrase(status: int) -> str:
    """Returns the status in words, as the registry has them."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"
