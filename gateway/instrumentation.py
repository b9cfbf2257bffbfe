"""What the parts of a gateway report of their work: the seam to `telemetry`.

A part reports a piece of work as a context manager around it, which yields a record; the part fills
the record in. `Instrumentation` itself ignores all of it, so that parts need not ask whether
telemetry is on.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

QUERY: Final = "query"
MUTATION: Final = "mutation"


class Outcome(StrEnum):
    """How one upstream request ended, as in the label `outcome`."""

    OK = "ok"
    REFUSED = "refused"
    """Any 4xx that is none of the two below."""
    FORBIDDEN = "forbidden"
    """401 or 403."""
    RATE_LIMITED = "rate_limited"
    """429."""
    FAILED = "failed"
    """5xx, or a redirect."""
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    """No answer, or one that broke off."""
    CANCELLED = "cancelled"
    """The process stopped before the answer."""


def outcome_of_status(status: int) -> Outcome:
    """Returns the outcome of an answer with a status."""
    if 200 <= status < 300:
        return Outcome.OK
    if status in (401, 403):
        return Outcome.FORBIDDEN
    if status == 429:
        return Outcome.RATE_LIMITED
    return Outcome.REFUSED if 400 <= status < 500 else Outcome.FAILED


class CacheResult(StrEnum):
    """How a value was read, as in the label `result`, and an answer as a whole: by the last one."""

    HIT = "hit"
    STALE = "stale"
    COALESCED = "coalesced"
    """A fill was in flight already."""
    MISS = "miss"


@dataclass(slots=True)
class OperationRecord:
    """One operation of a client.

    `operation_type` is empty for a request that was refused before its execution, or whose client
    hung up.
    `operation_name` is that of a trusted document, else empty: telemetry has no text that a client
    invents. `error_codes` has one code for each error. `is_operation` is False for a request that
    is none, such as a browser's for GraphiQL.
    """

    operation_type: str = ""
    operation_name: str = ""
    error_codes: Sequence[str] = ()
    cache_result: CacheResult | None = None
    upstream_requests: int = 0
    is_operation: bool = True


class ReadyAnswer(Protocol):
    """The answer to a query that was there: of stale values, of an operation with a name."""

    @property
    def is_stale(self) -> bool:
        """Whether a value of it is stale."""

    @property
    def operation_name(self) -> str:
        """The operation's name, empty unless its document is trusted."""


@dataclass(slots=True)
class UpstreamRecord:
    """One upstream request; `quota_remaining` is that of its answer, None without it."""

    operation: str
    outcome: Outcome = Outcome.CANCELLED
    quota_remaining: int | None = None


class Instrumentation:
    """Takes what the parts report; this one ignores it."""

    @contextmanager
    def operation(self) -> Iterator[OperationRecord]:
        """Surrounds the request of an operation, until its answer is sent."""
        yield OperationRecord()

    def answered_at_once(self, answer: ReadyAnswer, began_at: float) -> None:
        """Reports a query that was answered without a wait, begun at a time of `perf_counter`."""

    @contextmanager
    def upstream_request(self, operation: str) -> Iterator[UpstreamRecord]:
        """Surrounds one upstream request."""
        yield UpstreamRecord(operation)

    @contextmanager
    def batch(self, size: int) -> Iterator[None]:
        """Surrounds a batch of ids."""
        yield


OFF: Final = Instrumentation()
