"""One operation on the upstream: sent within the quota, read, and tried again where that helps."""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

import stamina

from gateway.answer_scope import ABANDONED
from gateway.bigcommerce.abandonment import is_abandoned
from gateway.bigcommerce.breaker import Breaker
from gateway.bigcommerce.gate import LEAST_SHARE, Gate
from gateway.bigcommerce.not_sent import NOT_SENT
from gateway.bigcommerce.protocol import Answer, Request
from gateway.bigcommerce.retry_budget import RetryBudget
from gateway.errors import (
    ErrorCode,
    RateLimited,
    UpstreamError,
    UpstreamForbidden,
    UpstreamTimeout,
    UpstreamUnavailable,
)

ATTEMPTS = 3
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS, JITTER_SECONDS = 0.1, 1.0, 0.2
# Of the deadline, for one attempt: one that hangs leaves time for another.
ATTEMPT_SHARE = 0.6

REFUSAL = "refuses the token"

Value = TypeVar("Value")

log = logging.getLogger(__name__)


class Upstream:
    """Carries operations out, each within `timeout_seconds`, waits and retries included.

    `reserve` are the requests left of the quota at which only those are sent that must be.
    """

    def __init__(
        self, gate: Gate, breaker: Breaker, *, timeout_seconds: float, reserve: int
    ) -> None:
        self.budget = RetryBudget()
        self._gate = gate
        self._breaker = breaker
        self._timeout_seconds = timeout_seconds
        self._attempt_seconds = timeout_seconds * ATTEMPT_SHARE
        self._reserve = reserve
        self._outcome = "not asked yet"

    @property
    def state(self) -> str:
        """How it stands, in a word or two."""
        return "fails, and is only probed" if self._breaker.is_open else self._outcome

    @property
    def is_given_up(self) -> bool:
        """Whether the upstream counts as dead, or refuses the token: asking it is of no use now."""
        return self._breaker.is_open or self._outcome == REFUSAL

    @property
    def quota_state(self) -> str:
        """What is left of the store's quota."""
        view = self._gate.view
        if view.pause_seconds > 0:
            return f"nothing is sent for {view.pause_seconds:.0f} s"
        told = view.told
        return "not told" if told is None else f"{max(told, 0)} of {view.quota} requests left"

    def reluctance(self, *, urgent: bool) -> ErrorCode | None:
        """Returns what speaks against a request that nobody waits for, None where nothing does.

        The same goes for one for which something stale is at hand. Where it is urgent, only what
        would have it wait for the quota, or fail at once.
        """
        if not self._breaker.lets_through:
            return ErrorCode.UPSTREAM_UNAVAILABLE
        view = self._gate.view
        # Of a small quota, half is for whoever comes first.
        floor = 0 if urgent else min(self._reserve, view.quota // 2)
        is_scarce = view.left <= floor or view.pause_seconds > 0
        return ErrorCode.RATE_LIMITED if is_scarce else None

    async def ask(self, request: Request, read: Callable[[Answer], Value]) -> Value:
        """Returns what `read` makes of the answer.

        Connection errors, timeouts, 5xx, bodies that make no sense and 429 are tried again, as far
        as the retry budget, the breaker and the deadline allow, where doing it twice does no harm.
        Raises what `read` raises, and `UpstreamTimeout`, `UpstreamUnavailable`, `RateLimited`.
        Abandoned, it is carried out where it is on the wire, and else ends cancelled.
        """
        if is_abandoned():  # while something before this one was on the wire
            raise asyncio.CancelledError(ABANDONED)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout_seconds
        send_by = deadline - self._attempt_seconds * LEAST_SHARE
        self.budget.earn()
        attempts = 0

        def may_retry(error: Exception) -> bool | float:
            is_last = attempts == ATTEMPTS or not request.is_idempotent or is_abandoned()
            is_late = loop.time() + FIRST_BACKOFF_SECONDS > send_by
            if is_last or is_late or isinstance(error, NOT_SENT):
                return False
            if isinstance(error, RateLimited):
                # The gate waits for the reset, instead of any backoff.
                is_in_time = not self._gate.waits_past(send_by)
                return 0.0 if is_in_time and self.budget.spend() else False
            if not isinstance(error, UpstreamUnavailable | UpstreamTimeout):
                return False
            return self._breaker.lets_through and self.budget.spend()

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
                        return await self._attempt(request, read, deadline)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise UpstreamTimeout("The store's API did not answer in time.") from error
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(
        self, request: Request, read: Callable[[Answer], Value], deadline: float
    ) -> Value:
        self._breaker.check()
        probe: int | None = None

        def enter() -> None:
            nonlocal probe
            probe = self._breaker.enter()  # it may have opened while this one waited

        try:
            answer = await self._gate.send(request, self._attempt_seconds, deadline, enter)
        except NOT_SENT:
            raise
        except (UpstreamUnavailable, UpstreamTimeout):
            self._failed(probe)
            raise
        except BaseException:
            self._breaker.gave_up(probe)
            raise
        try:
            value = read(answer)
        except UpstreamUnavailable:
            self._failed(probe)
            raise
        except UpstreamError as error:
            self._breaker.succeeded()
            is_token = isinstance(error, UpstreamForbidden)
            self._outcome = REFUSAL if is_token else "answers"
            raise
        except BaseException:
            self._breaker.gave_up(probe)
            raise
        self._breaker.succeeded()
        self._outcome = "answers"
        return value

    def _failed(self, probe: int | None) -> None:
        self._breaker.failed(probe)
        self._outcome = "fails"
