"""Sends requests to the upstream in turn: at most 10 in flight, and within the store's quota."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from random import uniform

from gateway.bigcommerce.abandonment import carried_out
from gateway.bigcommerce.client import BigCommerceClient
from gateway.bigcommerce.protocol import Answer, Request
from gateway.bigcommerce.quota import Quota
from gateway.bigcommerce.rate_limit import RateLimit, read_rate_limit, read_retry_after
from gateway.bigcommerce.slots import FairSlots
from gateway.errors import DeadlineTooClose, QuotaExhausted, RateLimited
from gateway.request_scope import request_scope

# BigCommerce answers 429 to more than 10 concurrent requests on some operations.
MAXIMUM_IN_FLIGHT = 10
# After a reset, waiting requests go on within this time, not all at once.
JITTER_SECONDS = 0.25
# Of the time for one request: with less left, it would cost the quota, and bring no answer.
LEAST_SHARE = 0.1

log = logging.getLogger(__name__)


class RequestLimiter:
    """Sends requests for all clients of one process; `quota` is what their answers say of it.

    `clock` is in seconds and never goes back; `jitter` draws from a range.
    """

    def __init__(
        self,
        client: BigCommerceClient,
        clock: Callable[[], float],
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[float, float], float] = uniform,
    ) -> None:
        self.quota = Quota(clock, jitter)
        self._client = client
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._slots = FairSlots(MAXIMUM_IN_FLIGHT)
        self._next_answer = asyncio.Event()

    async def send(
        self,
        request: Request,
        timeout_seconds: float,
        deadline: float,
        enter: Callable[[], object],
    ) -> Answer:
        """Returns the answer to a request that is sent once, for at most `timeout_seconds`.

        Waits for its turn among other clients and for the quota, then calls `enter`, which may
        raise to stop it. `deadline` is in the event loop's time. Raises `QuotaExhausted` at once if
        the quota resets too late for the deadline; when too little time is left, that error if the
        quota is the reason, else `DeadlineTooClose`. An abandoned caller leaves its place; a
        request on the wire is answered.
        """
        send_by = deadline - timeout_seconds * LEAST_SHARE
        self._check_wait(send_by)
        async with AsyncExitStack() as slot:
            try:
                async with asyncio.timeout_at(send_by):
                    await slot.enter_async_context(self._slots.taken(request_scope()))
                    await self._wait_for_quota(send_by)
            except TimeoutError:
                wait = self.quota.wait_seconds
                raise QuotaExhausted(wait) if wait > 0 else DeadlineTooClose from None
            enter()
            self.quota.in_flight += 1
            left = deadline - asyncio.get_running_loop().time()
            # It ends a little before the deadline, so that the upstream's silence is noticed.
            exchange = asyncio.ensure_future(
                self._exchange(request, max(0.0, min(timeout_seconds, left * 0.98)))
            )
            return await carried_out(exchange)

    def waits_past(self, send_by: float) -> bool:
        """Whether no request can be sent before this time of the event loop."""
        is_certain = self.quota.remaining == 0 or self.quota.pause_seconds > 0
        left = send_by - asyncio.get_running_loop().time()
        return is_certain and self.quota.wait_seconds + JITTER_SECONDS > left

    def rate_limited(self) -> RateLimited:
        """The error for a 429, with the seconds until requests go on."""
        return RateLimited(self.quota.wait_seconds)

    def _check_wait(self, send_by: float) -> None:
        if self.waits_past(send_by):
            raise QuotaExhausted(self.quota.wait_seconds)
        if asyncio.get_running_loop().time() > send_by:
            raise DeadlineTooClose

    async def _wait_for_quota(self, send_by: float) -> None:
        while (wait := self.quota.wait_seconds) > 0:
            self._check_wait(send_by)
            await self._wait(wait + self._jitter(0.0, JITTER_SECONDS))

    async def _wait(self, seconds: float) -> None:
        """Waits for these seconds or for the next answer, whichever comes first."""
        timer = asyncio.ensure_future(self._sleep(seconds))
        answered = asyncio.ensure_future(self._next_answer.wait())
        try:
            await asyncio.wait({timer, answered}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            answered.cancel()

    async def _exchange(self, request: Request, timeout_seconds: float) -> Answer:
        sent_at = self._clock()
        rate_limit = None
        try:
            answer = await self._client.send(request, timeout_seconds)
            rate_limit = read_rate_limit(answer.headers)
            if answer.status == 429:
                rate_limit = self._refused(answer, rate_limit)
            elif answer.status < 500:
                self.quota.recovered()
            return answer
        finally:
            self.quota.answered(sent_at, rate_limit)
            self._next_answer.set()
            self._next_answer = asyncio.Event()

    def _refused(self, answer: Answer, rate_limit: RateLimit | None) -> RateLimit | None:
        """What a 429 says of the quota: nothing is left until its reset, or all requests pause."""
        if rate_limit is not None and rate_limit.is_reset_named and rate_limit.resets_in > 0:
            return replace(rate_limit, remaining=0)
        pause = self.quota.overloaded(read_retry_after(answer.headers))
        log.warning("the platform is overloaded: nothing is sent for %.1f s", pause)
        return None
