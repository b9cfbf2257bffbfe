"""Limits this process's requests to the upstream: at most 10 in flight, within the quota."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from random import uniform

from gateway.bigcommerce.protocol import Answer
from gateway.bigcommerce.quota import Quota
from gateway.bigcommerce.rate_limit import read_retry_after
from gateway.bigcommerce.semaphore import FairSemaphore
from gateway.errors import DeadlineTooClose, QuotaExhausted
from gateway.request_scope import request_scope

# BigCommerce answers 429 to more than 10 concurrent requests on some operations.
MAXIMUM_IN_FLIGHT = 10
# After a reset, waiting requests are sent within this time, not all at once.
RESET_JITTER_SECONDS = 0.25

log = logging.getLogger(__name__)


class RequestLimiter:
    """The slots and the quota of all requests of one process.

    `clock` is in seconds and never goes back; `jitter` draws from a range.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        jitter: Callable[[float, float], float] = uniform,
    ) -> None:
        self.quota = Quota(clock, jitter)
        self._jitter = jitter
        self._semaphore = FairSemaphore(MAXIMUM_IN_FLIGHT)
        self._released = asyncio.Event()
        self._is_used_up = False

    async def acquire(self, send_by: float) -> None:
        """Waits for a slot and for the quota until `send_by`, in the event loop's time.

        The caller must release the slot. Raises `QuotaExhausted` as soon as the quota is known to
        reset too late. At `send_by`, raises it if the quota is the reason, else `DeadlineTooClose`.
        """
        try:
            self._check_wait(send_by)
            async with asyncio.timeout_at(send_by):
                scope = request_scope()
                await self._semaphore.acquire(None if scope is None else scope.request)
                try:
                    await self._wait_for_quota(send_by)
                except BaseException:
                    self._semaphore.release()
                    raise
        except TimeoutError:
            wait = self.quota.wait_seconds
            raise QuotaExhausted(wait) if wait > 0 else DeadlineTooClose from None
        self.quota.in_flight += 1

    def release(self) -> None:
        """Frees the slot of a request that has ended."""
        self.quota.in_flight -= 1
        self._semaphore.release()
        self._released.set()
        self._released = asyncio.Event()

    def record_answer(self, answer: Answer) -> None:
        """Records the rate limit of an answer."""
        rate_limit = answer.rate_limit
        if answer.status == 429:
            if rate_limit is None or not rate_limit.is_reset_named or rate_limit.resets_in == 0:
                pause = self.quota.record_overload(read_retry_after(answer.headers))
                log.warning("the platform is overloaded: nothing is sent for %.1f s", pause)
                return
            rate_limit = replace(rate_limit, remaining=0)
        elif answer.status < 500:
            self.quota.record_success()
        if rate_limit is not None:
            self.quota.record(rate_limit)
            self._log_quota()

    def waits_past(self, send_by: float) -> bool:
        """Whether it is certain that the quota allows no request before `send_by`."""
        is_certain = self.quota.remaining == 0 or self.quota.pause_seconds > 0
        left = send_by - asyncio.get_running_loop().time()
        return is_certain and self.quota.wait_seconds + RESET_JITTER_SECONDS > left

    def _check_wait(self, send_by: float) -> None:
        if self.waits_past(send_by):
            raise QuotaExhausted(self.quota.wait_seconds)
        if asyncio.get_running_loop().time() >= send_by:
            raise TimeoutError

    async def _wait_for_quota(self, send_by: float) -> None:
        while (wait := self.quota.wait_seconds) > 0:
            self._check_wait(send_by)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait + self._jitter(0.0, RESET_JITTER_SECONDS)):
                    await self._released.wait()  # an answer may report requests left

    def _log_quota(self) -> None:
        """Logs once that the quota is used up, and once that it is back."""
        is_used_up = self.quota.remaining == 0
        if is_used_up and not self._is_used_up:
            log.warning(
                "the store's quota is used up: none of %d requests is left for %.1f seconds",
                self.quota.limit,
                self.quota.wait_seconds,
            )
        elif self._is_used_up and not is_used_up:
            log.info(
                "the store's quota is back: %d of %d requests are left",
                self.quota.remaining,
                self.quota.limit,
            )
        self._is_used_up = is_used_up
