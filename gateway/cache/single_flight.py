"""One call in flight per key: whoever asks for a key that is being filled waits for that fill."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from gateway.request_scope import ABANDONED, wait_in_scope

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(slots=True, eq=False)
class _Flight(Generic[Value]):
    task: asyncio.Task[Value]
    waiting: int = 0


class SingleFlight(Generic[Key, Value]):
    """Coalesces calls with the same key in one process; `coalesced` counts those that joined."""

    def __init__(self) -> None:
        self._flights: dict[Key, _Flight[Value]] = {}
        self.coalesced = 0

    async def do(self, key: Key, fill: Callable[[], Awaitable[Value]]) -> Value:
        """Returns what `fill` returns, or raises what it raises, to all who wait for `key`.

        Whoever waits in an answer's scope gets `UpstreamTimeout` at its deadline. A flight that
        everybody has left is cancelled with the message `ABANDONED`: what it waits for is freed,
        and a request that the upstream has counted already may be carried to its end.
        """
        while True:
            flight = self._flights.get(key)
            # One that has landed stays here for a turn of the loop, until its callback comes.
            if flight is None or flight.task.done():
                flight = self._begin(key, fill)
            else:
                self.coalesced += 1
            flight.waiting += 1
            try:
                return await wait_in_scope(flight.task)
            except asyncio.CancelledError:
                this = asyncio.current_task()
                if not flight.task.cancelled() or this is None or this.cancelling():
                    raise
                # It was abandoned before we came, and could be ended: another one is due.
            finally:
                flight.waiting -= 1
                if not flight.waiting and not flight.task.done():
                    flight.task.cancel(ABANDONED)

    def start(self, key: Key, fill: Callable[[], Awaitable[Value]]) -> None:
        """Lets `fill` run in the background, to its end, unless the key is in flight already."""
        flight = self._flights.get(key)
        if flight is None or flight.task.done():
            self._begin(key, fill).waiting += 1

    def _begin(self, key: Key, fill: Callable[[], Awaitable[Value]]) -> _Flight[Value]:
        flight = _Flight(asyncio.ensure_future(_run(fill)))
        self._flights[key] = flight
        flight.task.add_done_callback(partial(self._landed, key))
        return flight

    def _landed(self, key: Key, task: asyncio.Task[Value]) -> None:
        flight = self._flights.get(key)
        if flight is not None and flight.task is task:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # counts as seen even if everybody has hung up


async def _run(fill: Callable[[], Awaitable[Value]]) -> Value:
    return await fill()
