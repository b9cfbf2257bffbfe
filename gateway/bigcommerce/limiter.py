"""Limits this process's requests to the upstream: in flight, by the quota, and by client."""

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
from gateway.bigcommerce.shares import GATEWAY, Shares
from gateway.errors import DeadlineTooClose, QuotaExhausted
from gateway.request_scope import request_scope

# BigCommerce answers 429 to more than 10 concurrent requests on some operations.
MAXIMUM_IN_FLIGHT = 10
# A client with slow requests leaves two slots to the others.
MAXIMUM_IN_FLIGHT_PER_CLIENT = 8
# After a reset, waiting requests are sent within this time, not all at once.
RESET_JITTER_SECONDS = 0.25

log = logging.getLogger(__name__)


class RequestLimiter:
    """The slots and the quota of all requests of one process.

    The last `reserve` requests of the quota are for clients within their share, `per_client`
    requests a minute. `clock` is in seconds and never goes back; `jitter` draws from a range.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        jitter: Callable[[float, float], float] = uniform,
        *,
        reserve: int = 0,
        per_client: int = 60,
    ) -> None:
        self.quota = Quota(clock, jitter)
        self.shares = Shares(clock, per_client)
        self._reserve = reserve
        self._jitter = jitter
        self._semaphore = FairSemaphore(MAXIMUM_IN_FLIGHT, MAXIMUM_IN_FLIGHT_PER_CLIENT)
        self._released = asyncio.Event()
        self._is_used_up = False

    @property
    def reserve(self) -> int:
        """The reserve of the current window: at most half of a small quota."""
        return min(self._reserve, self.quota.limit // 2)

    def share_refusal(self) -> QuotaExhausted | None:
        """The error for a client beyond its share while only the reserve is left, else None."""
        if self.quota.available > self.reserve or not self.shares.is_exceeded(_current()[0]):
            return None
        return QuotaExhausted(self.quota.wait_above(self.reserve))

    async def acquire(self, send_by: float) -> None:
        """Waits for a slot and for the quota until `send_by`, in the event loop's time.

        The caller must release the slot. Raises `QuotaExhausted` as soon as the quota is known to
        reset too late, and for a client beyond its share as soon as only the reserve is left. At
        `send_by`, raises it if the quota is the reason, else `DeadlineTooClose`.
        """
        client, request = _current()
        try:
            async with asyncio.timeout_at(send_by):
                while True:
                    await self._wait_for_quota(send_by)
                    await self._semaphore.acquire(client, request)
                    # Others may have used the quota in the meantime. A slot is not held for a wait
                    # that lasts until the reset: clients within their share need none.
                    if self.quota.wait_seconds == 0 and self.share_refusal() is None:
                        break
                    self._semaphore.release(client)
        except TimeoutError:
            wait = self.quota.wait_seconds
            raise QuotaExhausted(wait) if wait > 0 else DeadlineTooClose from None
        self.quota.in_flight += 1
        self.shares.record(client)

    def release(self) -> None:
        """Frees the slot of a request that has ended."""
        self.quota.in_flight -= 1
        self._semaphore.release(_current()[0])
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
        if self.share_refusal() is not None:
            return True
        is_certain = self.quota.remaining == 0 or self.quota.pause_seconds > 0
        left = send_by - asyncio.get_running_loop().time()
        return is_certain and self.quota.wait_seconds + RESET_JITTER_SECONDS > left

    def _check_wait(self, send_by: float) -> None:
        if (refusal := self.share_refusal()) is not None:
            raise refusal
        if self.waits_past(send_by):
            raise QuotaExhausted(self.quota.wait_seconds)
        if asyncio.get_running_loop().time() >= send_by:
            raise TimeoutError

    async def _wait_for_quota(self, send_by: float) -> None:
        self._check_wait(send_by)
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


def _current() -> tuple[str, object]:
    """Returns the client and the request of the running task."""
    scope = request_scope()
    return (GATEWAY, None) if scope is None else (scope.client, scope.request)
