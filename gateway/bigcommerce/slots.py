"""At most so many requests in flight, and those who wait are served in turn."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class FairSlots:
    """Slots that go round the clients who wait, and within one to whoever came first.

    A client that needs many requests does not keep one that needs a single one behind all of them.
    """

    def __init__(self, slots: int) -> None:
        self.free = slots
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}  # in the order of turns

    @asynccontextmanager
    async def taken(self, client: Hashable) -> AsyncIterator[None]:
        """Waits for a slot, and holds it; whoever is cancelled leaves no trace."""
        await self._take(client)
        try:
            yield
        finally:
            self._give_back()

    async def _take(self, client: Hashable) -> None:
        if self.free:  # then nobody waits
            self.free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back()  # it was our turn in the moment in which we left
            else:
                self._leave(client, turn)
            raise

    def _leave(self, client: Hashable, turn: "asyncio.Future[None]") -> None:
        turns = self._waiting.get(client)
        if turns is not None and turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[client]

    def _give_back(self) -> None:
        while self._waiting:
            client, turns = next(iter(self._waiting.items()))
            del self._waiting[client]
            turn = turns.popleft()
            if turns:
                self._waiting[client] = turns  # behind the others
            if not turn.cancelled():
                turn.set_result(None)
                return
        self.free += 1
