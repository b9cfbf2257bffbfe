"""Sends requests to the upstream: the only file that does."""

import asyncio
import logging
import re
from time import monotonic

import httpx

from gateway.bigcommerce.body import BodyTooLarge, BodyUnreadable, read_body
from gateway.bigcommerce.causes import cause_in_words
from gateway.bigcommerce.protocol import Answer, Request
from gateway.bigcommerce.rate_limit import RateLimit, read_rate_limit
from gateway.errors import UpstreamTimeout, UpstreamUnavailable

# The store's own, in hex digits, with or without hyphens. Nothing else that it sends is logged as
# it is: an upstream that echoes would echo the token.
REQUEST_ID = re.compile(r"[0-9a-f-]{32,36}", re.IGNORECASE)

log = logging.getLogger(__name__)


class BigCommerceClient:
    """One store's API behind one `httpx.AsyncClient`, whose base URL and token app sets.

    `requests` counts what was sent, `rate_limit` is what the last answer told of the quota.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.requests = 0
        self.rate_limit: RateLimit | None = None
        self._quota_back_at: float | None = None

    async def send(self, request: Request, timeout_seconds: float) -> Answer:
        """Sends once; returns the answer, whatever its status.

        Raises `UpstreamTimeout` when sending and reading together take longer than that, and
        `UpstreamUnavailable` when there is no answer.
        """
        sent_at = monotonic()
        try:
            async with asyncio.timeout(timeout_seconds):
                answer = await self._exchange(request)
        except (TimeoutError, httpx.TimeoutException) as error:
            log.warning(
                "%s: no answer from the upstream within %.3g seconds",
                request.operation,
                timeout_seconds,
            )
            was_sent = not isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout)
            raise UpstreamTimeout(was_sent=was_sent) from error
        except httpx.TransportError as error:
            # At a stop it is the gateway that breaks the connection.
            log.log(
                logging.DEBUG if self._http.is_closed else logging.WARNING,
                "%s: no answer from the upstream after %d ms: %s",
                request.operation,
                _milliseconds_since(sent_at),
                cause_in_words(error),
            )
            was_sent = not isinstance(error, httpx.ConnectError)
            raise UpstreamUnavailable(
                "The store's API cannot be reached.", was_sent=was_sent
            ) from error
        quota = read_rate_limit(answer.headers)
        self._log_answer(request, answer, _milliseconds_since(sent_at), quota)
        if quota is not None:
            self.rate_limit = quota
            self._log_quota(quota)
        return answer

    def _log_answer(
        self, request: Request, answer: Answer, milliseconds: float, quota: RateLimit | None
    ) -> None:
        if answer.status in (401, 403):
            log.error(
                "%s: the upstream answered %d to the gateway's token (request id: %s): check "
                "GATEWAY_ACCESS_TOKEN, its scopes (store_v2_customers_read_only) and "
                "GATEWAY_STORE_HASH",
                request.operation,
                answer.status,
                _request_id_of(answer),
            )
            return
        log.log(
            logging.DEBUG if 200 <= answer.status < 300 else logging.WARNING,
            "%s: the upstream answered %d after %d ms; its request id: %s; quota left: %s",
            request.operation,
            answer.status,
            milliseconds,
            _request_id_of(answer),
            "not told" if quota is None else quota.remaining,
        )

    def _log_quota(self, quota: RateLimit) -> None:
        """Tells once when the quota is used up, and once when it is back.

        Answers overtake each other: before the window resets, a larger number is only an older one.
        """
        if quota.remaining == 0:
            if self._quota_back_at is None:
                log.warning(
                    "the store's quota is used up: none of %d requests is left for %.1f seconds",
                    quota.limit,
                    quota.resets_in,
                )
            self._quota_back_at = monotonic() + quota.resets_in
        elif self._quota_back_at is not None and monotonic() >= self._quota_back_at:
            self._quota_back_at = None
            log.info(
                "the store's quota is back: %d of %d requests are left",
                quota.remaining,
                quota.limit,
            )

    async def _exchange(self, request: Request) -> Answer:
        self.requests += 1
        path = request.path.removeprefix("/")
        body: bytes | None
        async with self._http.stream(request.method, path, params=request.query) as response:
            try:
                body = await read_body(
                    response.aiter_raw(), response.headers.get("content-encoding", "")
                )
            except (BodyTooLarge, BodyUnreadable) as error:
                body = None
                if response.is_success:  # else its status is logged, and says enough
                    log.warning("%s: the upstream's answer %s", request.operation, error)
        return Answer(response.status_code, response.headers, body)


def _request_id_of(answer: Answer) -> str:
    """Returns the store's own id of the request, for the log."""
    request_id = answer.headers.get("x-request-id", "")
    return request_id if REQUEST_ID.fullmatch(request_id) else "not told"


def _milliseconds_since(start: float) -> float:
    return (monotonic() - start) * 1000
