"""The wire of the emulated store: an ASGI application that answers as BigCommerce's API does.

Order of the checks, as measured on the real API: route and method, then credentials, then store.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from uuid import uuid4

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.emulator.answers import error_answer, faulty_answer, too_many_requests
from gateway.emulator.batches import BatchRefused, removes_everything
from gateway.emulator.customers import CUSTOMER_OPERATIONS
from gateway.emulator.faults import SILENT_FAULTS, Fault, Faults, Rule
from gateway.emulator.memberships import MEMBERSHIP_OPERATIONS
from gateway.emulator.operation_names import OperationName
from gateway.emulator.paging import ListRefused, OverLimit, PageRules, PastTheEnd
from gateway.emulator.rate_limit_window import RateLimitWindow
from gateway.emulator.resources import (
    Dialect,
    Operation,
    ProfileSegmentRows,
    StoreRequest,
    TokenScope,
)
from gateway.emulator.segments import SEGMENT_OPERATIONS
from gateway.emulator.shopper_profiles import SHOPPER_PROFILE_OPERATIONS
from gateway.emulator.store import Store
from gateway.emulator.wire import send_answer

SEED = 2026
# The latency of every answer in seconds, or the range from which each one is drawn.
Latency = float | tuple[float, float]
OPERATIONS: tuple[Operation, ...] = (
    *SEGMENT_OPERATIONS,
    *MEMBERSHIP_OPERATIONS,
    *SHOPPER_PROFILE_OPERATIONS,
    *CUSTOMER_OPERATIONS,
)
# Documented: creating and updating segments, and adding shopper profiles to them.
MAXIMUM_IN_FLIGHT = 10


@dataclass(eq=False)
class Emulator:
    """One emulated store and its behaviour: an ASGI endpoint.

    `requests` counts all requests by operation, refused ones included; "unknown" counts those
    without a route. `statuses` counts them by the status of the answer, "none" if the connection
    ended without one. `unbounded_deletes` counts the DELETEs that name no id, which remove every
    row. `random` draws latencies and faults. Every field may be set while it runs.
    """

    store: Store
    store_hash: str
    token: str
    token_scope: TokenScope | None
    forbidden_operations: frozenset[OperationName]
    dialect: Dialect
    profile_segment_rows: ProfileSegmentRows
    max_batch: int | None
    latency_seconds: Latency
    max_limit: int
    over_limit: OverLimit
    past_the_end: PastTheEnd
    window: RateLimitWindow
    faults: Faults
    sleep: Callable[[float], Awaitable[object]]
    random: Random = field(default_factory=lambda: Random(SEED))  # noqa: S311 - no secret
    requests: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    unbounded_deletes: int = 0
    _in_flight: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request with the store as it was at its arrival, after the latency.

        A write is carried out at its arrival. Raises what `send_answer` raises.
        """
        request = Request(scope, receive)
        try:
            body = await request.body() if request.method in ("POST", "PUT") else b""
        except ClientDisconnect:
            return
        matched = _match(request.method, "/" + request.path_params["path"])
        is_bounded = matched is not None and matched[0].has_bounded_concurrency
        self._in_flight += is_bounded
        try:
            response, rule = self._answer(request, body, matched)
            await self._send(response, rule, scope, receive, send)
        finally:
            self._in_flight -= is_bounded

    async def _send(
        self, response: Response, rule: Rule | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        response.headers["X-Request-Id"] = uuid4().hex
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
        is_silent = rule is not None and rule.fault in SILENT_FAULTS
        self.statuses["none" if is_silent else str(response.status_code)] += 1
        latency = self.latency_seconds
        seconds = self.random.uniform(*latency) if isinstance(latency, tuple) else latency
        if seconds:
            await self.sleep(seconds)
        await send_answer(response, rule, scope, receive, send, self.sleep)

    def reset_requests(self) -> None:
        """Sets all counts to zero, but not the quota in use."""
        self.requests.clear()
        self.statuses.clear()
        self.unbounded_deletes = 0
        self.window.forget_history()

    def _answer(
        self, request: Request, body: bytes, matched: tuple[Operation, dict[str, str]] | None
    ) -> tuple[Response, Rule | None]:
        if matched is None:
            self.requests["unknown"] += 1
            return error_answer(404, "The route is not found, check the URL"), None
        operation, path_ids = matched
        self.requests[operation.name] += 1
        if operation.method == "DELETE":
            self.unbounded_deletes += removes_everything(request.query_params)
        refusal = self._check_credentials(request.headers.get("x-auth-token"))
        if refusal is not None:
            return refusal, None
        is_crowded = operation.has_bounded_concurrency and self._in_flight > MAXIMUM_IN_FLIGHT
        if not self.window.take() or is_crowded:
            refusal = too_many_requests()
            refusal.headers.update(self.window.headers())
            return refusal, None
        rule = self.faults.take(self.random, operation.name)
        fault = None if rule is None else rule.fault
        response = None if rule is None else faulty_answer(rule)
        if response is None:
            store_request = StoreRequest(
                store=self.store,
                path=path_ids,
                query=request.query_params,
                body=body,
                rules=PageRules(self.max_limit, self.over_limit, self.past_the_end),
                dialect=self.dialect,
                max_batch=self.max_batch,
                profile_segment_rows=self.profile_segment_rows,
                fault=fault,
            )
            response = self._answer_in_store(operation, store_request)
        if fault is not Fault.OVERLOADED:
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

    def _answer_in_store(self, operation: Operation, request: StoreRequest) -> Response:
        is_allowed = (
            request.path["store_hash"] == self.store_hash
            and self.token_scope in operation.scopes
            and operation.name not in self.forbidden_operations
        )
        if not is_allowed:
            return error_answer(403, "You don't have a required scope to access the endpoint")
        try:
            return operation.answer(request)
        except ListRefused as refused:
            return error_answer(422, refused.title)
        except BatchRefused as refused:
            return refused.answer(self.dialect)


def _match(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """Returns the operation of a path and the ids in it, or None for an unknown route."""
    for operation in OPERATIONS:
        if (path_ids := operation.match(method, path)) is not None:
            return operation, path_ids
    return None
