"""A semaphore that is fair among the clients whose requests wait for it."""

import asyncio
from collections import deque
from collections.abc import Hashable


class FairSemaphore:
    """Slots that go round the waiting clients, and for each client to its oldest request.

    A client with many requests delays the only request of another by one turn.
    """

    def __init__(self, slots: int) -> None:
        self.free = slots
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}  # in the order of turns

    async def acquire(self, client: Hashable) -> None:
        """Waits for a slot, which has to be released."""
        if self.free:  # then no client waits
            self.free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()  # cancelled in the same turn of the loop that granted the slot
            else:
                self._leave(client, turn)
            raise

    def release(self) -> None:
        """Frees a slot for the next waiting client."""
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

    def _leave(self, client: Hashable, turn: "asyncio.Future[None]") -> None:
        turns = self._waiting.get(client)
        if turns is not None and turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[client]
