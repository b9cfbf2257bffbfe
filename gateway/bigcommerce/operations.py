"""Runs operations on the upstream, each with one deadline for its waits and retries."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from random import uniform
from typing import TypeVar

import stamina

from gateway.bigcommerce.client import BigCommerceClient
from gateway.bigcommerce.limiter import RequestLimiter
from gateway.bigcommerce.models import Page
from gateway.bigcommerce.operation_health import ANSWERS, NOT_ASKED_YET, OperationHealth
from gateway.bigcommerce.protocol import Answer, Listing, Request, read_page
from gateway.bigcommerce.quota import Quota
from gateway.bigcommerce.retry_budget import RetryBudget
from gateway.errors import (
    ErrorCode,
    QuotaExhausted,
    RateLimited,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreadable,
)
from gateway.row import Row

ATTEMPTS = 3
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS, BACKOFF_JITTER_SECONDS = 0.1, 1.0, 0.2
# Shares of an operation's time. An attempt that hangs leaves time for another one. With less than
# `LEAST_SHARE` left, nothing is sent: it would use the quota without an answer.
ATTEMPT_SHARE, LEAST_SHARE = 0.6, 0.05

Value = TypeVar("Value")

log = logging.getLogger(__name__)


class Upstream:
    """Runs operations, each within `timeout_seconds`, of which an attempt has `attempt_seconds`.

    When only the limiter's reserve of the quota is left, background refreshes are skipped.
    """

    def __init__(
        self,
        client: BigCommerceClient,
        limiter: RequestLimiter,
        clock: Callable[[], float],
        *,
        timeout_seconds: float,
        jitter: Callable[[float, float], float] = uniform,
    ) -> None:
        self.budget = RetryBudget()
        self._client = client
        self._limiter = limiter
        self._clock = clock
        self._jitter = jitter
        self.attempt_seconds = timeout_seconds * ATTEMPT_SHARE
        self.timeout_seconds = timeout_seconds
        self._health: dict[str, OperationHealth] = {}
        self._exchanges: set[asyncio.Task[object]] = set()
        # Operations with a warning in the log about rows without usable ids.
        self._warned: set[str] = set()

    def health(self, operation: str) -> OperationHealth:
        """Returns the health of an operation."""
        if operation not in self._health:
            self._health[operation] = OperationHealth(operation, self._clock, self._jitter)
        return self._health[operation]

    @property
    def state(self) -> str:
        """The common state of all operations, else each failing operation with its state."""
        states = {name: health.state for name, health in self._health.items()}
        if len(set(states.values())) <= 1:
            return next(iter(states.values()), NOT_ASKED_YET)
        failing = [
            f"{name} {health.state}" for name, health in self._health.items() if not health.is_well
        ]
        return ", ".join(failing) or ANSWERS

    @property
    def quota(self) -> Quota:
        """The store's quota, as this process knows it."""
        return self._limiter.quota

    @property
    def is_circuit_open(self) -> bool:
        """Whether an operation has failed so often that it is only probed."""
        return any(health.failing.is_open for health in self._health.values())

    @property
    def quota_state(self) -> str:
        """The number of requests left in the store's quota."""
        quota = self._limiter.quota
        if quota.pause_seconds > 0:
            return f"nothing is sent for {quota.pause_seconds:.0f} s"
        left = quota.remaining
        return "not known" if left is None else f"{left} of {quota.limit} requests left"

    def defer_reason(self, operation: str, *, foreground: bool) -> ErrorCode | None:
        """The error code for which a background refresh is skipped, else None.

        In the foreground: the code for which a caller that has a stale value does not wait for a
        newer one. The reserve of the quota is only for the foreground, and for clients within
        their share.
        """
        if (reason := self.health(operation).defer_reason(foreground=foreground)) is not None:
            return reason
        quota = self._limiter.quota
        floor = 0 if foreground else self._limiter.reserve
        is_scarce = quota.available <= floor or quota.pause_seconds > 0
        is_scarce = is_scarce or self.share_refusal() is not None
        return ErrorCode.RATE_LIMITED if is_scarce else None

    def share_refusal(self) -> QuotaExhausted | None:
        """The error for a client beyond its share while only the reserve is left, else None."""
        return self._limiter.share_refusal()

    def least_used(self, clients: Iterable[str]) -> str:
        """Returns the client with the fewest upstream requests within the last minute."""
        return self._limiter.shares.least_used(clients)

    def is_forbidden(self, operation: str) -> bool:
        """Whether the operation refused the token, and has not accepted it since."""
        return self.health(operation).forbidden.is_open

    async def fetch_page(
        self,
        listing: Listing[Row],
        number: int,
        limit: int,
        keys: Sequence[str] = (),
        *,
        retry_unreadable: bool = True,
    ) -> Page[Row]:
        """Returns one page of a list, or of its rows with these keys; pages count from 1.

        Raises the errors of `ask` and `read_page`.
        """
        request = listing.page(number, limit, keys)

        def read(answer: Answer) -> Page[Row]:
            try:
                return read_page(listing, answer, number, limit, listing.most_rows(keys))
            except UpstreamUnreadable as error:
                log.warning(
                    "%s, page %d: %s (status %d%s)",
                    request.operation,
                    number,
                    error.message,
                    answer.status,
                    "" if answer.body is None else f", {len(answer.body)} bytes",
                )
                raise

        page = await self.ask(request, read, retry_unreadable=retry_unreadable)
        if unusable := sum(row is None for row in page.rows):
            log.log(
                logging.DEBUG if request.operation in self._warned else logging.WARNING,
                "%s, page %d: %d of %d %s have no id of their own, and are left out",
                request.operation,
                number,
                unusable,
                len(page.rows),
                listing.noun,
            )
            self._warned.add(request.operation)
        return page

    async def ask(
        self,
        request: Request,
        read: Callable[[Answer], Value],
        *,
        retry_unreadable: bool = True,
        begin: Callable[[], None] = lambda: None,
    ) -> Value:
        """Sends a request, and returns the result of `read` on its answer.

        Connection errors, timeouts, 5xx and unusable bodies are retried if the request is a read or
        was not sent; a 429 is always retried; no other 4xx but 408 is. Retries stay within the
        retry budget and the deadline, and end when the circuit opens. A caller that reacts with
        smaller requests turns `retry_unreadable` off. `begin` is called each time the request is
        about to be sent: if it raises, nothing is sent. Raises its errors, those of `read`,
        `UpstreamTimeout`, `UpstreamUnavailable`, `RateLimited`, and `UpstreamForbidden` while the
        operation pauses.
        """
        loop = asyncio.get_running_loop()
        health = self.health(request.operation)
        deadline = loop.time() + self.timeout_seconds
        send_by = deadline - self.timeout_seconds * LEAST_SHARE
        self.budget.earn()
        attempts = 0

        def may_retry(error: Exception) -> bool | float:
            is_last = attempts == ATTEMPTS
            if is_last or loop.time() + FIRST_BACKOFF_SECONDS > send_by:
                return False
            if isinstance(error, RateLimited):  # the upstream has not processed the request
                # The limiter waits for the reset, instead of any backoff.
                is_in_time = not self._limiter.waits_past(send_by)
                return 0.0 if is_in_time and self.budget.spend() else False
            if not isinstance(error, UpstreamUnavailable | UpstreamTimeout):
                return False
            if isinstance(error, UpstreamUnreadable) and not retry_unreadable:
                return False
            is_harmless = request.is_read or not error.was_sent
            return is_harmless and health.failing.allows_request and self.budget.spend()

        try:
            async for attempt in stamina.retry_context(
                on=may_retry,
                attempts=ATTEMPTS,
                timeout=None,
                wait_initial=FIRST_BACKOFF_SECONDS,
                wait_max=LONGEST_BACKOFF_SECONDS,
                wait_jitter=BACKOFF_JITTER_SECONDS,
            ):
                with attempt:
                    attempts += 1
                    if attempts > 1:
                        log.debug("%s: attempt %d", request.operation, attempts)
                    health.check()
                    await self._limiter.acquire(send_by)
                    value = await self._await_exchange(
                        self._exchange(request, read, health, deadline, begin)
                    )
        except UpstreamError as error:
            health.record_outcome(error, names_ids=request.names_ids)
            raise
        health.record_outcome(None, names_ids=request.names_ids)
        return value

    async def _await_exchange(self, exchange: Coroutine[None, None, Value]) -> Value:
        """Awaits an exchange, which continues if the caller is cancelled: it uses the quota."""
        task = asyncio.ensure_future(exchange)
        self._exchanges.add(task)
        task.add_done_callback(self._forget_exchange)
        return await asyncio.shield(task)

    def _forget_exchange(self, task: asyncio.Task[Value]) -> None:
        self._exchanges.discard(task)
        if not task.cancelled():
            task.exception()  # marks it as retrieved, even if the caller was cancelled

    async def _exchange(
        self,
        request: Request,
        read: Callable[[Answer], Value],
        health: OperationHealth,
        deadline: float,
        begin: Callable[[], None],
    ) -> Value:
        """Sends a request that has a slot, and returns the result of `read` on its answer."""
        seconds = deadline - asyncio.get_running_loop().time()
        if request.is_read:  # a write that hangs is not sent again
            seconds = min(self.attempt_seconds, seconds)
        try:
            with health.attempt():  # raises if the operation has paused in the meantime
                begin()
                answer = await self._client.send(request, seconds)
                self._limiter.record_answer(answer)
                try:
                    return read(answer)
                except RateLimited as error:
                    raise RateLimited(self._limiter.quota.wait_seconds) from error
        finally:
            self._limiter.release()
