"""The health of one operation on the upstream, derived from its outcomes.

It is kept per operation: a missing scope or a failing endpoint does not affect other operations.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gateway.breaker import CircuitBreaker
from gateway.errors import (
    CircuitOpen,
    ErrorCode,
    RateLimited,
    UpstreamError,
    UpstreamForbidden,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreadable,
)

# If half of all requests fail at random, the chance of this many in a row is 1 in 256.
FAILURES_IN_A_ROW = 8
# How long an operation pauses after these failures; twice as long each time a probe fails.
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 5.0
# How long it pauses after a 401 or 403; twice as long each time it is refused again.
SHORTEST_REFUSAL_SECONDS, LONGEST_REFUSAL_SECONDS = 5.0, 60.0
# After an answer without a value, background refreshes are skipped for this time.
DEFERRED_SECONDS = 1.0
# After a failure, callers with a stale value do not wait for a newer one during this time.
FAILING_SECONDS = 10.0
# After this many failures in a row of requests by id, a bad id is no longer the likely cause.
BAD_IDS_IN_A_ROW = 5
# States of a healthy operation, for the operator.
NOT_ASKED_YET, ANSWERS = "not asked yet", "answers"
# States of an operation that answers without a value.
REFUSES, UNREADABLE = "refuses requests", "sends what cannot be read"

log = logging.getLogger(__name__)


class OperationHealth:
    """Decides by earlier outcomes whether an operation may be sent; `name` is for the log.

    After several failures in a row, and after one answer that refuses the token, the operation
    pauses; then one request at a time probes.
    """

    def __init__(
        self,
        name: str,
        clock: Callable[[], float],
        jitter: Callable[[float, float], float],
    ) -> None:
        self.state = NOT_ASKED_YET
        self.failing = CircuitBreaker(
            clock,
            jitter,
            threshold=FAILURES_IN_A_ROW,
            shortest=SHORTEST_PAUSE_SECONDS,
            longest=LONGEST_PAUSE_SECONDS,
        )
        self.forbidden = CircuitBreaker(
            clock,
            jitter,
            threshold=1,
            shortest=SHORTEST_REFUSAL_SECONDS,
            longest=LONGEST_REFUSAL_SECONDS,
        )
        self._name = name
        self._clock = clock
        # The newest outcome, if it has no value.
        self._error: UpstreamError | None = None
        self._error_at = 0.0
        # Requests by id in a row whose answer refused them or could not be read.
        self._bad_ids = 0

    @property
    def is_down(self) -> bool:
        """Whether its newest outcomes suggest that a request now fails."""
        is_paused = self.failing.is_open or self.forbidden.is_open
        return is_paused or self.state in (REFUSES, UNREADABLE)

    @property
    def is_well(self) -> bool:
        """Whether its newest answer had a value, or there is none yet."""
        return self.state in (NOT_ASKED_YET, ANSWERS)

    def defer_reason(self, *, foreground: bool) -> ErrorCode | None:
        """Returns the code for which a refresh is skipped or, in the foreground, not awaited.

        It is the code of a pause, or of the newest outcome: in the background, of an answer
        without a value within `DEFERRED_SECONDS`; in the foreground, of a failure within
        `FAILING_SECONDS`. None without such a reason.
        """
        if (pause := self._pause()) is not None:
            return pause.code
        age = self._clock() - self._error_at
        match self._error:
            case UpstreamUnavailable() | UpstreamTimeout() as error if foreground:
                return error.code if age < FAILING_SECONDS else None
            case UpstreamRefused() | UpstreamUnreadable() if not foreground:
                return ErrorCode.UPSTREAM_UNAVAILABLE if age < DEFERRED_SECONDS else None
        return None

    def check(self) -> None:
        """Raises `UpstreamForbidden` or `CircuitOpen` while it pauses."""
        if (pause := self._pause()) is not None:
            raise pause

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Counts a request that is sent, and records its outcome; raises as `check` does."""
        self.check()
        failing_probe, forbidden_probe = self.failing.enter(), self.forbidden.enter()
        try:
            yield
        except (UpstreamUnreadable, UpstreamRefused) as error:
            state = UNREADABLE if isinstance(error, UpstreamUnreadable) else REFUSES
            self._record_up(state, is_token_accepted=self._may_accept_token(forbidden_probe))
            raise
        except UpstreamForbidden:
            self._record_up("refuses the token", is_token_accepted=False)
            self.forbidden.record_failure(forbidden_probe)
            raise
        except RateLimited:  # a 429 may be sent before the token is checked
            self._record_up(
                self.state if self.forbidden.is_open else ANSWERS, is_token_accepted=False
            )
            self.forbidden.record_cancelled(forbidden_probe)
            raise
        except (UpstreamUnavailable, UpstreamTimeout):
            self.forbidden.record_cancelled(forbidden_probe)
            self._record_failure(failing_probe)
            raise
        except BaseException:  # cancelled, or a bug in the gateway
            self.failing.record_cancelled(failing_probe)
            self.forbidden.record_cancelled(forbidden_probe)
            raise
        self._record_up(ANSWERS, is_token_accepted=self._may_accept_token(forbidden_probe))

    def record_outcome(self, error: UpstreamError | None, *, names_ids: bool) -> None:
        """Records the outcome of an operation, its retries included: None for a value.

        `names_ids` is that of the request. A refusal or an unreadable answer may then be due to one
        bad id, which must not keep other rows stale. Several of them in a row are not.
        """
        if isinstance(error, RateLimited):
            return  # the quota knows the time of its reset
        is_about_ids = names_ids and isinstance(error, UpstreamRefused | UpstreamUnreadable)
        self._bad_ids = (self._bad_ids + 1) % BAD_IDS_IN_A_ROW if is_about_ids else 0
        if not self._bad_ids:
            self._error, self._error_at = error, self._clock()

    def _may_accept_token(self, forbidden_probe: int | None) -> bool:
        """Whether an answer shows that the token is accepted: not one from before a refusal."""
        return forbidden_probe is not None or not self.forbidden.is_open

    def _pause(self) -> UpstreamError | None:
        if not self.forbidden.allows_request:
            return UpstreamForbidden(was_sent=False)
        return None if self.failing.allows_request else CircuitOpen()

    def _record_up(self, state: str, *, is_token_accepted: bool) -> None:
        self.state = state
        if self.failing.record_success():
            log.info("%s: the upstream answers again", self._name)
        if is_token_accepted and self.forbidden.record_success():
            log.info("%s: the upstream accepts the token again", self._name)

    def _record_failure(self, probe: int | None) -> None:
        if self.failing.record_failure(probe):
            log.warning(
                "%s: the upstream failed %d times in a row; for now it is only probed",
                self._name,
                FAILURES_IN_A_ROW,
            )
        self.state = "fails, and is only probed" if self.failing.is_open else "fails"
