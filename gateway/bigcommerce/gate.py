"""Lets requests through to the upstream in turn, at most 10 at once, and within the quota."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from random import uniform
from secrets import token_hex

from gateway.answer_scope import answer_scope
from gateway.bigcommerce.abandonment import carried_out
from gateway.bigcommerce.client import BigCommerceClient
from gateway.bigcommerce.not_sent import QuotaUsedUp, TooLate
from gateway.bigcommerce.protocol import Answer, Request
from gateway.bigcommerce.quota import QuotaView
from gateway.bigcommerce.rate_limit import read_rate_limit, read_retry_after
from gateway.bigcommerce.slots import FairSlots
from gateway.shared.window import SharedWindow, Take

# BigCommerce answers 429 to more than 10 concurrent requests on some operations.
MAXIMUM_IN_FLIGHT = 10
# After a reset those who waited go on within so many seconds, not all at once.
SPREAD_SECONDS = 0.25
# Where other processes hold what is left of the quota, they are asked again after so long, and
# believed after that.
SHARED_POLL_SECONDS, SHARED_PATIENCE_SECONDS = 0.1, 1.0
# Of the time for one request: with less left, it would cost the quota, and bring no answer.
LEAST_SHARE = 0.1

log = logging.getLogger(__name__)


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

    async def send(
        self,
        request: Request,
        timeout_seconds: float,
        deadline: float,
        enter: Callable[[], object],
    ) -> Answer:
        """Returns the answer to a request that is sent once, for at most `timeout_seconds`.

        Waits for its turn among those of other clients, and for the quota; then `enter` may still
        raise what keeps it from being sent. `deadline` is in the time of the event loop: where the
        quota does not come back before it, raises `QuotaUsedUp` at once; `TooLate` shortly before
        it. A caller that is abandoned leaves its place, but what is on the wire is answered.
        """
        send_by = deadline - timeout_seconds * LEAST_SHARE
        self._check_wait(send_by)
        async with self._slots.taken(answer_scope()):
            try:
                token = await self._within_quota(send_by)
                self._enter(enter, token)
            except BaseException:
                self._news.set()  # others may have waited for what this one asked for
                raise
            left = deadline - asyncio.get_running_loop().time()
            # A little before the deadline: that the upstream did not answer is to be noticed.
            exchange = asyncio.ensure_future(
                self._exchange(request, max(0.0, min(timeout_seconds, left * 0.98)), token)
            )
            return await carried_out(exchange)

    def waits_past(self, send_by: float) -> bool:
        """Whether it is sure that nothing can be sent by that time of the event loop."""
        is_sure = self.view.is_used_up or self.view.pause_seconds > 0
        left = send_by - asyncio.get_running_loop().time()
        return is_sure and self.view.wait_seconds + SPREAD_SECONDS > left

    def _check_wait(self, send_by: float) -> None:
        if self.waits_past(send_by):
            raise QuotaUsedUp(self.view.wait_seconds)

    async def _within_quota(self, send_by: float) -> str:
        """Waits until a request may be sent; returns the token that it is known by to others."""
        loop = asyncio.get_running_loop()
        believed_at = self._clock() + SHARED_PATIENCE_SECONDS
        while True:
            self._check_wait(send_by)
            if loop.time() > send_by:
                raise TooLate
            wait = self.view.wait_seconds
            if wait > 0:
                await self._wait(wait + self._spread(0.0, SPREAD_SECONDS))
                continue
            token = token_hex(8)
            refusal = await self._take(token)
            if refusal is None:
                return token
            wait = refusal.wait_seconds
            if refusal.is_sure:
                self.view.pause(wait)
                continue
            if self._clock() >= believed_at and loop.time() + wait > send_by:
                raise QuotaUsedUp(wait)
            await self._wait(SHARED_POLL_SECONDS)

    async def _take(self, token: str) -> Take | None:
        """Counts a request as in flight, unless what others know forbids it, which it returns."""
        self.view.send()
        if self._shared is None:
            return None
        try:
            take = await self._shared.take(token, self._clock(), 0)
        except BaseException:
            self._give_back(token)
            raise
        if take is None or take.granted:
            return None
        self.view.in_flight -= 1
        return take

    def _enter(self, enter: Callable[[], object], token: str) -> None:
        try:
            enter()
        except BaseException:
            self._give_back(token)
            raise

    def _give_back(self, token: str) -> None:
        """Counts a request as in flight no longer that was not sent."""
        self.view.in_flight -= 1
        if self._shared is not None:
            self._tell(self._shared.give_back(token))

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
                    log.warning("the platform is overloaded: nothing is sent for %.1f s", pause)
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

    def _tell(self, telling: Coroutine[None, None, None]) -> None:
        """Tells other processes, without keeping anybody waiting."""
        task = asyncio.ensure_future(telling)
        self._untold.add(task)
        task.add_done_callback(self._untold.discard)
