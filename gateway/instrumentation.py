"""What the parts of a gateway report of their work: the seam to `telemetry`.

A part reports a piece of work as a context manager around it, with a record that the part fills in
by its end. `Instrumentation` itself ignores all of it, so that parts need not ask whether telemetry
is on.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

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


class Step(StrEnum):
    """What is done with a document, under the names of the GraphQL working group for spans."""

    PARSING = "graphql.document.parsing"
    VALIDATION = "graphql.document.validation"
    EXECUTION = "graphql.operation.execution"


class NamedOperation(NamedTuple):
    """The name of an operation in its document, empty if it has none, else cut to 100 characters.

    Only the names of documents that the operator trusts are bounded in number.
    """

    name: str = ""
    is_trusted: bool = False


UNNAMED: Final = NamedOperation()


@dataclass(slots=True)
class OperationRecord:
    """One operation of a client, asked for by an HTTP method, and answered with a status.

    `operation_type` is empty for a request that was refused before its execution, or whose client
    hung up. `document` is the text of one that is executed. `error_codes` has one code for each
    error. `is_operation` is False for a request that is none, such as a browser's for GraphiQL.
    """

    method: str
    status: int = 0
    operation_type: str = ""
    operation: NamedOperation = UNNAMED
    document: str = ""
    error_codes: Sequence[str] = ()
    cache_result: CacheResult | None = None
    upstream_requests: int = 0
    is_operation: bool = True


class ReadyAnswer(Protocol):
    """The answer to a query that was there: of stale values, of an operation with a name."""

    @property
    def status_code(self) -> int:
        """Its HTTP status."""

    @property
    def is_stale(self) -> bool:
        """Whether a value of it is stale."""

    @property
    def operation(self) -> NamedOperation:
        """The operation that it answers."""


@dataclass(slots=True)
class UpstreamRecord:
    """One upstream request, by an HTTP method, to a server and its port, None for the usual one.

    `headers` are to be sent with it. `status` and `quota_remaining` are those of its answer, None
    without it.
    """

    operation: str
    method: str
    server: str
    port: int | None
    headers: dict[str, str] = field(default_factory=dict)
    outcome: Outcome = Outcome.CANCELLED
    status: int | None = None
    quota_remaining: int | None = None


Surrounding = AbstractContextManager[object]
_NOTHING: Final[Surrounding] = nullcontext()


class Instrumentation:
    """Takes what the parts report; this one ignores it."""

    def operation(self, record: OperationRecord) -> Surrounding:
        """Surrounds the request of an operation, until its answer is sent."""
        return _NOTHING

    def answered_at_once(self, answer: ReadyAnswer, method: str, began_at: float) -> None:
        """Reports a query that was answered without a wait, begun at a time of `perf_counter`."""

    def step(self, step: Step) -> Surrounding:
        """Surrounds a step of an operation that really happens: documents are parsed once."""
        return _NOTHING

    def upstream_request(self, record: UpstreamRecord) -> Surrounding:
        """Surrounds one upstream request."""
        return _NOTHING

    def place(self) -> object:
        """Returns where in a trace the running code is, for a batch; None if nothing asks."""
        return None

    def batch(self, collection: str, size: int, places: Sequence[object]) -> Surrounding:
        """Surrounds a batch of ids of a collection, which were asked for at these places."""
        return _NOTHING


OFF: Final = Instrumentation()
