"""Lets requests through to the upstream in turn, at most 10 at once, and within the quota."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from random import uniform
from secrets import token_hex

from gateway.answer_scope import ABANDONED, answer_scope
from gateway.bigcommerce.client import BigCommerceClient
from gateway.bigcommerce.protocol import Answer, Request
from gateway.bigcommerce.quota import QuotaView
from gateway.bigcommerce.rate_limit import read_rate_limit, read_retry_after
from gateway.bigcommerce.slots import FairSlots
from gateway.errors import RateLimited
from gateway.shared.window import SharedWindow

# BigCommerce answers 429 to more than 10 concurrent requests on some operations.
MAXIMUM_IN_FLIGHT = 10
# After a reset those who waited go on within so many seconds, not all at once.
SPREAD_SECONDS = 0.25
# Where other processes hold what is left of the quota, they are asked again after so long, and
# believed after that.
SHARED_POLL_SECONDS, SHARED_PATIENCE_SECONDS = 0.1, 1.0


class Gate:
    """Sends requests for all clients of one process; `view` is what it knows of the quota.

    `shared` is what all processes know, where there is Redis; `clock` tells seconds since the
    epoch.
    """

    def __init__(
        self,
        client: BigCommerceClient,
        clock: Callable[[], float],
        *,
        shared: SharedWindow | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        spread: Callable[[float, float], float] = uniform,
    ) -> None:
        self.view = QuotaView(clock, spread)
        self._client = client
        self._clock = clock
        self._shared = shared
        self._sleep = sleep
        self._spread = spread
        self._slots = FairSlots(MAXIMUM_IN_FLIGHT)
        self._news = asyncio.Event()
        self._untold: set[asyncio.Task[None]] = set()

    async def send(self, request: Request, timeout_seconds: float, deadline: float) -> Answer:
        """Returns the answer to a request that is sent once, for at most `timeout_seconds`.

        Waits for its turn among those of other clients, and for the quota. `deadline` is in the
        time of the event loop: where the quota does not come back before it, raises `RateLimited`
        at once. A caller that is abandoned leaves its place, but what is on the wire is answered.
        """
        self._check_wait(deadline)
        async with self._slots.taken(answer_scope()):
            token = await self._within_quota(deadline)
            left = deadline - asyncio.get_running_loop().time()
            # A little before the deadline: that the upstream did not answer is to be noticed.
            exchange = asyncio.ensure_future(
                self._exchange(request, max(0.0, min(timeout_seconds, left * 0.98)), token)
            )
            return await _answer_of(exchange)

    def _check_wait(self, deadline: float) -> None:
        """Raises `RateLimited` where nothing can be sent before the deadline."""
        is_sure = self.view.is_used_up or self.view.pause_seconds > 0
        wait = self.view.wait_seconds
        if is_sure and wait > deadline - asyncio.get_running_loop().time():
            raise rate_limited(wait)

    async def _within_quota(self, deadline: float) -> str:
        """Waits until a request may be sent; returns the token that it is known by to others."""
        loop = asyncio.get_running_loop()
        believed_at = loop.time() + SHARED_PATIENCE_SECONDS
        while True:
            self._check_wait(deadline)
            wait = self.view.wait_seconds
            if wait > 0:
                await self._wait(wait + self._spread(0.0, SPREAD_SECONDS))
                continue
            token = token_hex(8)
            wait = await self._take(token)
            if wait == 0:
                return token
            if loop.time() >= believed_at and loop.time() + wait > deadline:
                raise rate_limited(wait)
            await self._wait(min(wait, SHARED_POLL_SECONDS))

    async def _take(self, token: str) -> float:
        """Counts a request as in flight; returns 0, or the seconds for which others forbid it."""
        self.view.send()
        if self._shared is None:
            return 0.0
        try:
            take = await self._shared.take(token, self._clock(), 0)
        except BaseException:
            self.view.in_flight -= 1
            self._tell(self._shared.give_back(token))
            raise
        if take is None or take.granted:
            return 0.0
        self.view.in_flight -= 1
        return max(take.wait_seconds, SHARED_POLL_SECONDS)

    async def _wait(self, seconds: float) -> None:
        """Waits so long, or until an answer tells something new."""
        self._news.clear()
        timer = asyncio.ensure_future(self._sleep(seconds))
        news = asyncio.ensure_future(self._news.wait())
        try:
            await asyncio.wait({timer, news}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            news.cancel()

    async def _exchange(self, request: Request, timeout_seconds: float, token: str) -> Answer:
        sent_at = self._clock()
        limit = None
        try:
            answer = await self._client.send(request, timeout_seconds)
            limit = read_rate_limit(answer.headers)
            if answer.status == 429:
                if limit is not None:
                    limit = replace(limit, requests_left=0)
                else:
                    pause = self.view.overloaded(read_retry_after(answer.headers))
                    if self._shared is not None:
                        self._tell(self._shared.pause(self._clock() + pause))
            elif answer.status < 500:
                self.view.recovered()
            return answer
        finally:
            received_at = self._clock()
            self.view.answered(sent_at, received_at, limit)
            self._news.set()
            if self._shared is not None:
                told = (
                    (limit.requests_left, limit.requests_quota, limit.resets_in)
                    if limit is not None
                    else (None, None, None)
                )
                self._tell(self._shared.tell(token, sent_at, received_at, *told))

    def _tell(self, telling: Awaitable[None]) -> None:
        """Tells other processes, without keeping anybody waiting."""
        task = asyncio.ensure_future(_told(telling))
        self._untold.add(task)
        task.add_done_callback(self._untold.discard)


def rate_limited(seconds: float) -> RateLimited:
    """Returns what a client is told that would have to wait too long; `retryAfter` is whole."""
    after = math.ceil(seconds)
    return RateLimited(f"The store's API limits its rate. Try again in {after} seconds.", after)


async def _told(telling: Awaitable[None]) -> None:
    await telling


async def _answer_of(exchange: "asyncio.Task[Answer]") -> Answer:
    """Waits for what is on the wire; abandoned, too: the store has counted it."""
    while True:
        try:
            return await asyncio.shield(exchange)
        except asyncio.CancelledError as cancelled:
            if exchange.cancelled() or cancelled.args == (ABANDONED,):
                if exchange.cancelled():
                    raise
                continue
            exchange.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({exchange})
            raise
