"""One call in flight per key: whoever asks for a key that is being filled waits for that fill."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class SingleFlight(Generic[Key, Value]):
    """Coalesces calls with the same key in one process; `coalesced` counts those that joined."""

    def __init__(self) -> None:
        self._flights: dict[Key, asyncio.Task[Value]] = {}
        self.coalesced = 0

    async def do(self, key: Key, fill: Callable[[], Awaitable[Value]]) -> Value:
        """Returns what `fill` returns, or raises what it raises, to all who wait for `key`.

        A flight goes on to its end, even if everybody who waited has hung up: the upstream has
        counted its request, and whoever asks again finds the answer.
        """
        flight = self._flights.get(key)
        # One that has landed stays here for a turn of the loop, until its callback comes.
        if flight is None or flight.done():
            flight = asyncio.ensure_future(_run(fill))
            self._flights[key] = flight
            flight.add_done_callback(partial(self._landed, key))
        else:
            self.coalesced += 1
        return await asyncio.shield(flight)

    def _landed(self, key: Key, flight: asyncio.Task[Value]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # counts as seen even if everybody has hung up


async def _run(fill: Callable[[], Awaitable[Value]]) -> Value:
    return await fill()
