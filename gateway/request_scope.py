"""What one answer to a client may take, and what it is made of; every floor may add to it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from gateway.errors import ErrorCode, UpstreamTimeout

# The message with which work is cancelled that nobody waits for any more.
ABANDONED = "nobody waits for this any more"

Value = TypeVar("Value")


@dataclass(slots=True, eq=False)
class RequestScope:
    """One client request, which may take from `began_at` to `deadline`, in the event loop's time.

    `oldest_read_at` is the time of the oldest value used, None while none is. `stale_error` is the
    code of the error for which stale values had to do.
    """

    deadline: float
    began_at: float
    oldest_read_at: float | None = None
    is_stale: bool = False
    stale_error: ErrorCode | None = None

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline, 0 behind it."""
        return max(0.0, self.deadline - asyncio.get_running_loop().time())

    def timeout_error(self) -> UpstreamTimeout:
        """Returns what a client is told of what the deadline left unanswered."""
        return UpstreamTimeout("The store's API did not answer in time.")

    def note(
        self, read_at: float, *, is_stale: bool = False, error: ErrorCode | None = None
    ) -> None:
        """Counts a value that the answer is made of."""
        if self.oldest_read_at is None or read_at < self.oldest_read_at:
            self.oldest_read_at = read_at
        self.is_stale = self.is_stale or is_stale
        self.stale_error = self.stale_error or error


_current: ContextVar[RequestScope | None] = ContextVar("answer_scope", default=None)


@contextmanager
def open_request_scope(seconds: float) -> Iterator[RequestScope]:
    """Opens the scope of one answer, for this task and those that it starts."""
    now = asyncio.get_running_loop().time()
    scope = RequestScope(deadline=now + seconds, began_at=now)
    token = _current.set(scope)
    try:
        yield scope
    finally:
        _current.reset(token)


def request_scope() -> RequestScope | None:
    """Returns the scope that the running task works for, None outside of any."""
    return _current.get()


def patience_ends_at(seconds: float) -> float:
    """Returns when a wait for something fresher than what is at hand ends, in the loop's time.

    A request waits `seconds` for that in all, however many parts of it are stale.
    """
    scope = request_scope()
    return seconds + (asyncio.get_running_loop().time() if scope is None else scope.began_at)


async def wait_in_scope(shared: asyncio.Future[Value]) -> Value:
    """Waits for what others may wait for, too, and leaves it to them at the scope's deadline.

    Raises what it raises, and `UpstreamTimeout` at the deadline.
    """
    scope = request_scope()
    if scope is None:
        return await asyncio.shield(shared)
    try:
        async with asyncio.timeout_at(scope.deadline) as limit:
            return await asyncio.shield(shared)
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise scope.timeout_error() from error
