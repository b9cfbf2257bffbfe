"""The upstream's client over a wire whose answers the test gives one by one."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import httpx
from clock import settle

from gateway.bigcommerce.client import BigCommerceClient
from gateway.bigcommerce.limiter import RequestLimiter
from gateway.bigcommerce.listings import SEGMENTS
from gateway.bigcommerce.operations import Upstream
from gateway.bigcommerce.protocol import Answer, read_page

LIST = SEGMENTS.page(1, 250)
EMPTY = b'{"data":[],"meta":{"pagination":{"total":0,"per_page":250}}}'


class HeldWire:
    """Holds requests, in `waiting`, until the test answers them; `requests` counts.

    Everything is on the clock of the event loop, and every jitter is the longest.
    """

    def __init__(self, *, timeout_seconds: float = 60.0) -> None:
        self.requests = 0
        self.waiting: list[asyncio.Future[httpx.Response]] = []
        now = asyncio.get_running_loop().time
        http = httpx.AsyncClient(
            transport=httpx.MockTransport(self._carry), base_url="http://store.test/v3/"
        )
        self.client = BigCommerceClient(http)
        self.limiter = RequestLimiter(now, jitter=_longest, reserve=15)
        self.upstream = Upstream(
            self.client,
            self.limiter,
            now,
            timeout_seconds=timeout_seconds,
            jitter=_longest,
        )

    async def ask(self, method: str = "GET") -> "asyncio.Task[int]":
        """Starts to ask for the list, whose total the task returns."""

        def read(answer: Answer) -> int:
            return read_page(SEGMENTS, answer, 1, 250).total

        asked = asyncio.ensure_future(self.upstream.ask(replace(LIST, method=method), read))
        await settle()
        return asked

    async def answer(
        self,
        status: int = 200,
        *,
        left: int | None = None,
        quota: int = 150,
        resets_in: float = 20.0,
        body: bytes = EMPTY,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answers the oldest request, without headers of the quota if `left` is None."""
        sent = {**(headers or {})}
        if left is not None:
            sent["X-Rate-Limit-Requests-Left"] = str(left)
            sent["X-Rate-Limit-Requests-Quota"] = str(quota)
            sent["X-Rate-Limit-Time-Reset-Ms"] = str(round(resets_in * 1000))
        stream = httpx.ByteStream(body)
        self.waiting.pop(0).set_result(httpx.Response(status, headers=sent, stream=stream))
        await settle()

    async def learn(self, left: int, quota: int = 150, resets_in: float = 20.0) -> None:
        """Lets one answer name what is left of the quota."""
        asked = await self.ask()
        await self.answer(left=left, quota=quota, resets_in=resets_in)
        assert await asked == 0

    async def fail(self, error: Exception) -> None:
        """Breaks the connection of the oldest request."""
        self.waiting.pop(0).set_exception(error)
        await settle()

    async def _carry(self, _: httpx.Request) -> httpx.Response:
        self.requests += 1
        answer: asyncio.Future[httpx.Response] = asyncio.get_running_loop().create_future()
        self.waiting.append(answer)
        try:
            return await answer
        except asyncio.CancelledError:
            self.waiting.remove(answer)
            raise


def _longest(_: float, longest: float) -> float:
    return longest
