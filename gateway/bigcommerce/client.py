"""The client of the upstream: the only file that sends requests to it."""

import asyncio
import logging
import re
from collections.abc import Mapping
from time import monotonic

import httpx

from gateway.bigcommerce.body import BodyTooLarge, BodyUnreadable, read_body
from gateway.bigcommerce.protocol import Answer, Request
from gateway.bigcommerce.rate_limit import RateLimit, read_rate_limit
from gateway.bigcommerce.transport_errors import describe_transport_error
from gateway.errors import UpstreamTimeout, UpstreamUnavailable
from gateway.instrumentation import (
    OFF,
    Instrumentation,
    Outcome,
    UpstreamRecord,
    outcome_of_status,
)
from gateway.request_scope import request_scope

# Hex digits with or without hyphens. No other received text is logged: an upstream that
# echoes requests would put the token into the log.
REQUEST_ID = re.compile(r"[0-9a-f-]{32,36}", re.IGNORECASE)

log = logging.getLogger(__name__)


class BigCommerceClient:
    """One store's API behind one `httpx.AsyncClient`, which has the base URL and the token.

    `requests` counts the requests sent; `rate_limit` is the newest in any answer.
    """

    def __init__(self, http: httpx.AsyncClient, instrumentation: Instrumentation = OFF) -> None:
        self._http = http
        self._instrumentation = instrumentation
        self.requests = 0
        self.rate_limit: RateLimit | None = None

    async def send(self, request: Request, timeout_seconds: float) -> Answer:
        """Sends a request once; returns the answer, with any status.

        Raises `UpstreamTimeout` if the answer takes longer, connecting and reading included, and
        `UpstreamUnavailable` if there is none.
        """
        url = self._http.base_url
        record = UpstreamRecord(request.operation, request.method, url.host, url.port)
        with self._instrumentation.upstream_request(record):
            return await self._send(request, timeout_seconds, record)

    async def _send(
        self, request: Request, timeout_seconds: float, record: UpstreamRecord
    ) -> Answer:
        sent_at = monotonic()
        try:
            async with asyncio.timeout(timeout_seconds):
                answer = await self._exchange(request, record.headers)
        except TimeoutError as error:
            record.outcome = Outcome.TIMEOUT
            log.warning(
                "%s: no answer from the upstream within %.3g seconds",
                request.operation,
                timeout_seconds,
            )
            raise UpstreamTimeout from error
        except httpx.TransportError as error:
            record.outcome = Outcome.UNREACHABLE
            # When the gateway stops, it closes the connection itself.
            log.log(
                logging.DEBUG if self._http.is_closed else logging.WARNING,
                "%s: no answer from the upstream after %d ms: %s",
                request.operation,
                _milliseconds_since(sent_at),
                describe_transport_error(error),
            )
            was_sent = not isinstance(error, httpx.ConnectError)
            raise UpstreamUnavailable(
                "The store's API cannot be reached.", was_sent=was_sent
            ) from error
        record.status, record.outcome = answer.status, outcome_of_status(answer.status)
        if answer.rate_limit is not None:
            record.quota_remaining = answer.rate_limit.remaining
        self._log_answer(request, answer, _milliseconds_since(sent_at))
        self.rate_limit = answer.rate_limit or self.rate_limit
        return answer

    def _log_answer(self, request: Request, answer: Answer, milliseconds: float) -> None:
        if answer.status in (401, 403):
            log.error(
                "%s: the upstream answered %d to the gateway's token (request id: %s): check "
                "GATEWAY_ACCESS_TOKEN, its scopes (%s) and GATEWAY_STORE_HASH",
                request.operation,
                answer.status,
                _request_id_of(answer),
                _scope_of(request),
            )
            return
        log.log(
            logging.DEBUG if 200 <= answer.status < 300 else logging.WARNING,
            "%s: the upstream answered %d after %d ms; its request id: %s; quota left: %s",
            request.operation,
            answer.status,
            milliseconds,
            _request_id_of(answer),
            "not known" if answer.rate_limit is None else answer.rate_limit.remaining,
        )

    async def _exchange(self, request: Request, headers: Mapping[str, str]) -> Answer:
        self.requests += 1
        if (scope := request_scope()) is not None:
            scope.request.upstream_requests += 1
        path = request.path.removeprefix("/")
        body: bytes | None
        async with self._http.stream(
            request.method,
            path,
            params=request.query,
            content=request.body or None,
            headers={**headers, "Content-Type": "application/json"} if request.body else headers,
        ) as response:
            try:
                body = await read_body(
                    response.aiter_raw(), response.headers.get("content-encoding", "")
                )
            except (BodyTooLarge, BodyUnreadable) as error:
                body = None
                if response.is_success:  # otherwise the logged status is enough
                    log.warning("%s: the upstream's answer %s", request.operation, error)
        return Answer(
            response.status_code, response.headers, body, read_rate_limit(response.headers)
        )


def _scope_of(request: Request) -> str:
    """Returns the scope of the token that BigCommerce requires for an operation."""
    # The members of a segment are the one list that a read-only token may not read.
    modifies = not request.is_read or request.operation == "list_segment_shopper_profiles"
    return "store_v2_customers" if modifies else "store_v2_customers_read_only"


def _request_id_of(answer: Answer) -> str:
    """Returns the store's own id of the request, for the log."""
    request_id = answer.headers.get("x-request-id", "")
    return request_id if REQUEST_ID.fullmatch(request_id) else "not known"


def _milliseconds_since(start: float) -> float:
    return (monotonic() - start) * 1000
