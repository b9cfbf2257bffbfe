"""One call in flight per key: whoever asks for a key that is being filled waits for that fill."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass
class _Flight(Generic[Value]):
    task: asyncio.Task[Value]
    waiters: int = 0


class SingleFlight(Generic[Key, Value]):
    """Coalesces calls with the same key in one process; `coalesced` counts those that joined."""

    def __init__(self) -> None:
        self._flights: dict[Key, _Flight[Value]] = {}
        self.coalesced = 0

    async def do(self, key: Key, fill: Callable[[], Awaitable[Value]]) -> Value:
        """Returns what `fill` returns, or raises what it raises, to all who wait for `key`.

        A caller that is cancelled leaves the flight to the others; the last one to leave ends it.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = _Flight(asyncio.ensure_future(_run(fill)))
            self._flights[key] = flight
            flight.task.add_done_callback(lambda _: self._forget(key, flight))
        else:
            self.coalesced += 1
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                self._forget(key, flight)  # nobody may join a flight that is being ended
                flight.task.cancel()

    def _forget(self, key: Key, flight: "_Flight[Value]") -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


async def _run(fill: Callable[[], Awaitable[Value]]) -> Value:
    return await fill()
