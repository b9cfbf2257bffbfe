"""Operations on the upstream: each within a deadline, its retries and waits included."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from random import uniform
from typing import TypeVar

import stamina

from gateway.bigcommerce.abandonment import is_abandoned
from gateway.bigcommerce.health import ANSWERS, NOT_ASKED_YET, OperationHealth, Sent
from gateway.bigcommerce.limiter import LEAST_SHARE, RequestLimiter
from gateway.bigcommerce.models import Page, Row
from gateway.bigcommerce.protocol import Answer, Listing, Request, read_page
from gateway.bigcommerce.retry_budget import RetryBudget
from gateway.errors import (
    ErrorCode,
    RateLimited,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreadable,
)
from gateway.request_scope import ABANDONED

ATTEMPTS = 3
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS, JITTER_SECONDS = 0.1, 1.0, 0.2
# Of the deadline, for one attempt: one that hangs leaves time for another.
ATTEMPT_SHARE = 0.6

Value = TypeVar("Value")

log = logging.getLogger(__name__)


class Upstream:
    """Carries operations out, each within `timeout_seconds`, waits and retries included.

    `reserve` are the requests left of the quota at which only those are sent that must be.
    """

    def __init__(
        self,
        limiter: RequestLimiter,
        clock: Callable[[], float],
        *,
        timeout_seconds: float,
        reserve: int,
        jitter: Callable[[float, float], float] = uniform,
    ) -> None:
        self.budget = RetryBudget()
        self._limiter = limiter
        self._clock = clock
        self._jitter = jitter
        self._timeout_seconds = timeout_seconds
        self._attempt_seconds = timeout_seconds * ATTEMPT_SHARE
        self._reserve = reserve
        self._health: dict[str, OperationHealth] = {}
        # Operations whose rows without usable ids the log has warned of.
        self._warned: set[str] = set()

    def health(self, operation: str) -> OperationHealth:
        """Returns how an operation stands."""
        if operation not in self._health:
            self._health[operation] = OperationHealth(operation, self._clock, self._jitter)
        return self._health[operation]

    @property
    def state(self) -> str:
        """How it stands: one word for all operations that stand alike, else those that fail."""
        states = {name: health.state for name, health in self._health.items()}
        if len(set(states.values())) <= 1:
            return next(iter(states.values()), NOT_ASKED_YET)
        failing = [
            f"{name} {health.state}" for name, health in self._health.items() if not health.is_well
        ]
        return ", ".join(failing) or ANSWERS

    @property
    def quota_state(self) -> str:
        """What is left of the store's quota."""
        quota = self._limiter.quota
        if quota.pause_seconds > 0:
            return f"nothing is sent for {quota.pause_seconds:.0f} s"
        left = quota.remaining
        return "not told" if left is None else f"{left} of {quota.limit} requests left"

    def defer_reason(self, operation: str, *, foreground: bool) -> ErrorCode | None:
        """The error code for which a background refresh is skipped, else None.

        In the foreground: the code for which a caller that has a stale value does not wait for a
        newer one. The reserve of the quota is for the foreground alone.
        """
        if (reason := self.health(operation).defer_reason(foreground=foreground)) is not None:
            return reason
        quota = self._limiter.quota
        # Of a small quota, half is for callers without a value.
        floor = 0 if foreground else min(self._reserve, quota.limit // 2)
        is_scarce = quota.available <= floor or quota.pause_seconds > 0
        return ErrorCode.RATE_LIMITED if is_scarce else None

    def is_forbidden(self, operation: str) -> bool:
        """Whether the operation refused the token, and has not accepted it since."""
        return self.health(operation).refused.is_open

    async def page(
        self,
        listing: Listing[Row],
        number: int,
        limit: int,
        ids: Sequence[str] = (),
        *,
        retry_unreadable: bool = True,
    ) -> Page[Row]:
        """Returns one page of a list, or of its rows with these ids; pages count from 1.

        Raises what `ask` and `read_page` raise.
        """
        request = listing.page(number, limit, ids)

        def read(answer: Answer) -> Page[Row]:
            try:
                return read_page(listing, answer, number, limit, len(ids) if ids else None)
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
    ) -> Value:
        """Returns what `read` makes of the answer.

        Connection errors, timeouts, 5xx and bodies that cannot be used are tried again where the
        request is idempotent or was not sent, and a 429 always, as far as the retry budget, the
        breaker and the deadline allow. A caller that will ask for less instead turns
        `retry_unreadable` off. Raises what `read` raises, `UpstreamTimeout`, `UpstreamUnavailable`,
        `RateLimited`, and `UpstreamForbidden` while the operation pauses. Abandoned, it is carried
        out where it is on the wire, and else ends cancelled.
        """
        if is_abandoned():  # while something before this one was on the wire
            raise asyncio.CancelledError(ABANDONED)
        loop = asyncio.get_running_loop()
        health = self.health(request.operation)
        deadline = loop.time() + self._timeout_seconds
        send_by = deadline - self._attempt_seconds * LEAST_SHARE
        self.budget.earn()
        attempts = 0

        def may_retry(error: Exception) -> bool | float:
            is_last = attempts == ATTEMPTS or is_abandoned()
            is_late = loop.time() + FIRST_BACKOFF_SECONDS > send_by
            if is_last or is_late:
                return False
            if isinstance(error, RateLimited):  # the upstream did nothing
                # The limiter waits for the reset, instead of any backoff.
                is_in_time = not self._limiter.waits_past(send_by)
                return 0.0 if is_in_time and self.budget.spend() else False
            if not isinstance(error, UpstreamUnavailable | UpstreamTimeout):
                return False
            if isinstance(error, UpstreamUnreadable) and not retry_unreadable:
                return False
            is_harmless = request.is_idempotent or not error.was_sent
            return is_harmless and health.failing.lets_through and self.budget.spend()

        try:
            async with asyncio.timeout_at(deadline) as limit:
                async for attempt in stamina.retry_context(
                    on=may_retry,
                    attempts=ATTEMPTS,
                    timeout=None,
                    wait_initial=FIRST_BACKOFF_SECONDS,
                    wait_max=LONGEST_BACKOFF_SECONDS,
                    wait_jitter=JITTER_SECONDS,
                ):
                    with attempt:
                        attempts += 1
                        if attempts > 1:
                            log.debug("%s: attempt %d", request.operation, attempts)
                        value = await self._attempt(request, read, health, deadline)
        except TimeoutError as error:
            if not limit.expired():
                raise
            timeout = UpstreamTimeout()
            health.finished(timeout, names_ids=request.names_ids)
            raise timeout from error
        except UpstreamError as error:
            health.finished(error, names_ids=request.names_ids)
            raise
        health.finished(None, names_ids=request.names_ids)
        return value

    async def _attempt(
        self,
        request: Request,
        read: Callable[[Answer], Value],
        health: OperationHealth,
        deadline: float,
    ) -> Value:
        health.check()
        sent: Sent | None = None

        def enter() -> None:
            nonlocal sent
            sent = health.send()  # it may pause since this one began to wait

        try:
            answer = await self._limiter.send(request, self._attempt_seconds, deadline, enter)
            value = read(answer)
        except BaseException as error:
            if sent is not None:
                health.answered(sent, error)
                if isinstance(error, RateLimited):
                    raise self._limiter.rate_limited() from error
            raise
        if sent is not None:
            health.answered(sent, None)
        return value
