"""Sends requests to the upstream: the only file that does."""

import asyncio
import logging

import httpx

from gateway.bigcommerce.protocol import Answer, Request
from gateway.bigcommerce.rate_limit import RateLimit, read_rate_limit
from gateway.errors import UpstreamTimeout, UpstreamUnavailable

# BigCommerce answers 429 to more than 10 concurrent requests on some operations.
MAXIMUM_IN_FLIGHT = 10
# 250 segments with the longest plausible texts are well below 1 MiB.
MAXIMUM_ANSWER_BYTES = 8 * 1024 * 1024

log = logging.getLogger(__name__)


class BigCommerceClient:
    """One store's API behind one `httpx.AsyncClient`, whose base URL and token app.py sets."""

    def __init__(self, http: httpx.AsyncClient, *, timeout_seconds: float) -> None:
        self._http = http
        self._timeout_seconds = timeout_seconds
        self._slots = asyncio.Semaphore(MAXIMUM_IN_FLIGHT)
        self.requests = 0
        self.rate_limit: RateLimit | None = None

    async def send(self, request: Request) -> Answer:
        """Returns the answer, whatever its status.

        Raises `UpstreamTimeout` when waiting for a slot, sending and reading together take longer
        than the timeout; `UpstreamUnavailable` when there is no answer or it is larger than 8 MiB.
        """
        try:
            async with asyncio.timeout(self._timeout_seconds), self._slots:
                answer = await self._exchange(request)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise UpstreamTimeout(
                f"The store's API did not answer within {self._timeout_seconds:g} seconds."
            ) from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            log.warning(
                "%s: no answer from the upstream (%s)", request.operation, type(error).__name__
            )
            raise UpstreamUnavailable("The store's API cannot be reached.") from error
        self.rate_limit = read_rate_limit(answer.headers) or self.rate_limit
        if answer.status in (401, 403):
            log.error(
                "%s: the upstream answered %d to the gateway's token: check GATEWAY_ACCESS_TOKEN, "
                "its scopes (store_v2_customers_read_only) and GATEWAY_STORE_HASH",
                request.operation,
                answer.status,
            )
        return answer

    async def _exchange(self, request: Request) -> Answer:
        self.requests += 1
        body = bytearray()
        path = request.path.removeprefix("/")
        async with self._http.stream(request.method, path, params=request.query) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAXIMUM_ANSWER_BYTES:
                    raise UpstreamUnavailable("The store's API sent an answer beyond all measure.")
        return Answer(response.status_code, response.headers, bytes(body))
