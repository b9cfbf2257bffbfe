"""Fills of cache entries: one in flight per key, and the keys whose fill has just failed."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias, TypeVar

from cachetools import TTLCache

from gateway.cache.counts import CacheCounts
from gateway.cache.policy import Entry
from gateway.cache.single_flight import SingleFlight
from gateway.errors import ErrorCode, UpstreamError, UpstreamForbidden, UpstreamTimeout
from gateway.request_scope import request_scope

# How long, and for how many keys at most, a failed fill is remembered.
FAILED_SECONDS, FAILED_KEYS = 1.0, 10_000

Value = TypeVar("Value")
Outcome: TypeAlias = Entry[Value] | UpstreamError
# Starts to fill keys; returns the future of each key's entry, which may raise `UpstreamError`.
Fill: TypeAlias = Callable[[Sequence[str]], Mapping[str, asyncio.Future[Entry[Value]]]]


class Fills:
    """The fills of one process."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.flights = SingleFlight[str, Entry[Any]]()
        self._failed: TTLCache[str, ErrorCode] = TTLCache(FAILED_KEYS, FAILED_SECONDS, clock)

    def run(
        self, keys: Iterable[str], fill: Fill[Value]
    ) -> dict[str, "asyncio.Future[Entry[Value]]"]:
        """Returns the future of each key: of the fill in flight, else of one that `fill` starts."""
        return self.flights.run(keys, partial(self._start, fill))

    def run_for_reader(
        self, keys: Iterable[str], fill: Fill[Value], counts: CacheCounts
    ) -> dict[str, "asyncio.Future[Entry[Value]]"]:
        """Does as `run`, and counts the keys as missed or coalesced, for the request, too."""
        before = self.flights.coalesced
        flights = self.run(keys, fill)
        coalesced = self.flights.coalesced - before
        counts.miss += len(flights) - coalesced
        counts.coalesced += coalesced
        if (scope := request_scope()) is not None:
            scope.fills_begun += len(flights) - coalesced
            scope.fills_joined += coalesced
        return flights

    def recent_error(self, key: str) -> ErrorCode | None:
        """Returns the error code of the key's last fill if it has just failed, else None."""
        return self._failed.get(key)

    def _start(
        self, fill: Fill[Value], keys: Sequence[str]
    ) -> Mapping[str, "asyncio.Future[Entry[Any]]"]:
        flights = fill(keys)
        for key, flight in flights.items():
            flight.add_done_callback(partial(self._landed, key))
        return flights

    def _landed(self, key: str, flight: "asyncio.Future[Entry[Any]]") -> None:
        if flight.cancelled():
            return
        error = flight.exception()
        # A refused token is not remembered here: `OperationHealth` knows the current state.
        if isinstance(error, UpstreamError) and not isinstance(error, UpstreamForbidden):
            self._failed[key] = error.code
        else:
            self._failed.pop(key, None)


def outcome_of(flight: "asyncio.Future[Entry[Value]]") -> Outcome[Value]:
    """Returns a flight's entry or upstream error; raises any other error, which is a bug."""
    if not flight.done():
        return UpstreamTimeout()
    try:
        return flight.result()
    except UpstreamError as error:
        return error
