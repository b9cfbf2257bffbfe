"""How one operation on the upstream stands: each has a health of its own.

A scope that the token lacks, or an endpoint that fails, says nothing of other operations.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from gateway.bigcommerce.breaker import FAILURES_IN_A_ROW, Breaker
from gateway.bigcommerce.not_sent import ShutOff
from gateway.errors import (
    ErrorCode,
    RateLimited,
    UpstreamForbidden,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreadable,
)

# How long an operation pauses after a 401 or 403; twice as long each time it is refused again.
SHORTEST_REFUSAL_SECONDS, LONGEST_REFUSAL_SECONDS = 5.0, 60.0

# How long background refreshes wait after an answer that brought no value.
DEFERRED_SECONDS = 1.0
# The states of an operation that is well, in words for the operator.
NOT_ASKED_YET, ANSWERS = "not asked yet", "answers"
# Those of one that answers, and brings no value.
REFUSES, UNREADABLE = "refuses requests", "sends what cannot be read"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request on its way: its probe number in each breaker, None if it is not a probe."""

    failing_probe: int | None
    refused_probe: int | None


class OperationHealth:
    """Whether one operation may be sent, by what came of it before; `name` is for the log.

    After failures in a row, and after one answer that refuses the token, it pauses, then probes.
    """

    def __init__(
        self,
        name: str,
        clock: Callable[[], float],
        jitter: Callable[[float, float], float],
    ) -> None:
        self.state = NOT_ASKED_YET
        self.failing = Breaker(clock, jitter)
        self.refused = Breaker(
            clock,
            jitter,
            threshold=1,
            shortest=SHORTEST_REFUSAL_SECONDS,
            longest=LONGEST_REFUSAL_SECONDS,
        )
        self._name = name
        self._clock = clock
        self._deferred_until = 0.0

    @property
    def is_down(self) -> bool:
        """Whether it brings no value for now, as far as is known."""
        is_paused = self.failing.is_open or self.refused.is_open
        return is_paused or self.state in (REFUSES, UNREADABLE)

    @property
    def is_well(self) -> bool:
        """Whether its newest answer brought a value, or none was asked for yet."""
        return self.state in (NOT_ASKED_YET, ANSWERS)

    @property
    def pause_reason(self) -> ErrorCode | None:
        """The code of the error because of which nothing is sent now, else None."""
        if not self.refused.lets_through:
            return ErrorCode.UPSTREAM_FORBIDDEN
        return None if self.failing.lets_through else ErrorCode.UPSTREAM_UNAVAILABLE

    @property
    def defers_refreshes(self) -> bool:
        """Whether background refreshes wait, since the newest answer brought no value."""
        return self._clock() < self._deferred_until

    def check(self) -> None:
        """Raises `UpstreamForbidden` or `ShutOff` while nothing is sent."""
        match self.pause_reason:
            case ErrorCode.UPSTREAM_FORBIDDEN:
                raise UpstreamForbidden(was_sent=False)
            case ErrorCode.UPSTREAM_UNAVAILABLE:
                raise ShutOff

    def send(self) -> Sent:
        """Counts a request that is about to be sent; raises as `check` does."""
        self.check()
        return Sent(self.failing.enter(), self.refused.enter())

    def ended(self, sent: Sent, error: BaseException | None, *, names_ids: bool = False) -> None:
        """Notes the outcome of a request: None for a success, else what it raised.

        `names_ids` is that of the request.
        """
        match error:
            case UpstreamUnreadable():
                self._is_up(UNREADABLE, is_token_accepted=True)
                self._defer_refreshes(names_ids)
            case UpstreamRefused():
                self._is_up(REFUSES, is_token_accepted=True)
                self._defer_refreshes(names_ids)
            case UpstreamUnavailable() | UpstreamTimeout():
                self._failed(sent)
            case UpstreamForbidden():
                self._is_up("refuses the token")
                self.refused.failed(sent.refused_probe)
            case RateLimited():  # which may be answered before the token is looked at
                self._is_up(self.state if self.refused.is_open else ANSWERS)
                self.refused.gave_up(sent.refused_probe)
            case None:
                self._is_up(ANSWERS, is_token_accepted=True)
            case _:  # cancelled, or a mistake of ours
                self.failing.gave_up(sent.failing_probe)
                self.refused.gave_up(sent.refused_probe)

    def _defer_refreshes(self, names_ids: bool) -> None:
        if not names_ids:  # else one bad id would keep the others stale
            self._deferred_until = self._clock() + DEFERRED_SECONDS

    def _is_up(self, state: str, *, is_token_accepted: bool = False) -> None:
        self.state = state
        self._deferred_until = 0.0
        if self.failing.succeeded():
            log.info("%s: the upstream answers again", self._name)
        if is_token_accepted and self.refused.succeeded():
            log.info("%s: the upstream accepts the token again", self._name)

    def _failed(self, sent: Sent) -> None:
        self.refused.gave_up(sent.refused_probe)
        if self.failing.failed(sent.failing_probe):
            log.warning(
                "%s: the upstream failed %d times in a row; for now it is only probed",
                self._name,
                FAILURES_IN_A_ROW,
            )
        self.state = "fails, and is only probed" if self.failing.is_open else "fails"
