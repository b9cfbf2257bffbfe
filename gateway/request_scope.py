"""The scope of one client request: its deadline, and the age of the values in its answer."""

import asyncio
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from gateway.errors import ErrorCode
from gateway.instrumentation import CacheResult
from gateway.row import Identified


@dataclass(slots=True, eq=False)
class RequestIdentity:
    """Tells one client request from others, and counts the upstream requests that it began."""

    upstream_requests: int = 0


@dataclass(slots=True, eq=False)
class RequestScope:
    """One client request between `began_at` and `deadline`, in seconds of the event loop's clock.

    `request` is the same in the scopes of all its calls, and `client` is the name of the client
    that sent it, empty for the gateway's own reads. `fills_begun` and `fills_joined` count the keys
    whose fill the request began, or found in flight. `oldest_read_at` is the read time of the
    oldest value in the answer, None while there is none. `stale_because` is the code of the
    first upstream error for which a stale value was served. `collections` are those of the
    values, and `rows` are the rows that the answer shows.
    """

    deadline: float
    began_at: float
    request: RequestIdentity = field(default_factory=RequestIdentity)
    client: str = ""
    oldest_read_at: float | None = None
    is_stale: bool = False
    stale_because: ErrorCode | None = None
    collections: set[str] = field(default_factory=set)
    rows: list[Iterable[Identified | None]] = field(default_factory=list)
    fills_begun: int = 0
    fills_joined: int = 0

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline, 0 after it."""
        return max(0.0, self.deadline - asyncio.get_running_loop().time())

    @property
    def cache_result(self) -> CacheResult | None:
        """How the values of the answer were read: as the slowest of them; None without a value."""
        if self.fills_begun:
            return CacheResult.MISS
        if self.fills_joined:
            return CacheResult.COALESCED
        if self.is_stale:
            return CacheResult.STALE
        return None if self.oldest_read_at is None else CacheResult.HIT

    def record_read(
        self,
        collection: str,
        read_at: float,
        *,
        is_stale: bool = False,
        stale_because: ErrorCode | None = None,
    ) -> None:
        """Records a value of a collection that the answer contains."""
        self.collections.add(collection)
        if self.oldest_read_at is None or read_at < self.oldest_read_at:
            self.oldest_read_at = read_at
        self.is_stale = self.is_stale or is_stale
        self.stale_because = self.stale_because or stale_because


_current: ContextVar[RequestScope | None] = ContextVar("request_scope", default=None)


@contextmanager
def open_request_scope(seconds: float, client: str = "") -> Iterator[RequestScope]:
    """Opens the scope of one request, for this task and the tasks that it starts."""
    now = asyncio.get_running_loop().time()
    scope = RequestScope(deadline=now + seconds, began_at=now, client=client)
    token = _current.set(scope)
    try:
        yield scope
    finally:
        _current.reset(token)


@contextmanager
def open_call_scope(client: str | None = None) -> Iterator[None]:
    """Opens the scope of a call that several requests may share: it has no deadline.

    Its slots towards the upstream count as those of the request that began it, and of `client`,
    which is by default that request's.
    """
    began_by = _current.get()
    request = RequestIdentity() if began_by is None else began_by.request
    if client is None:
        client = "" if began_by is None else began_by.client
    now = asyncio.get_running_loop().time()
    token = _current.set(
        RequestScope(deadline=math.inf, began_at=now, request=request, client=client)
    )
    try:
        yield
    finally:
        _current.reset(token)


def request_scope() -> RequestScope | None:
    """Returns the scope of the running task, None outside of a request."""
    return _current.get()


def record_rows(rows: Iterable[Identified | None]) -> None:
    """Records rows that the answer to the running request shows."""
    if (scope := _current.get()) is not None:
        scope.rows.append(rows)


def seconds_left() -> float | None:
    """Returns the seconds until the deadline of the running request, None without a deadline."""
    scope = _current.get()
    return None if scope is None or scope.deadline == math.inf else scope.seconds_left


def patience_left(patience_seconds: float) -> float:
    """Returns the seconds for which the running request still waits in spite of a stale value.

    A request waits `patience_seconds` in total, for all of its stale values together.
    """
    scope = _current.get()
    if scope is None:
        return patience_seconds
    passed = asyncio.get_running_loop().time() - scope.began_at
    return max(0.0, patience_seconds - passed)
