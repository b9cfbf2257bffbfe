"""A semaphore that is fair among client requests, each of which may wait for several slots."""

import asyncio
from collections import deque
from collections.abc import Hashable


class FairSemaphore:
    """Slots, granted to client requests in turn, and for each of them to its oldest waiter.

    A client request with many waiters delays another one's single waiter by one turn.
    """

    def __init__(self, slots: int) -> None:
        self.free = slots
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}  # in the order of turns

    async def acquire(self, owner: Hashable) -> None:
        """Waits for a slot for a client request, its owner; the caller must release it."""
        if self.free:  # then nothing waits
            self.free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()  # cancelled in the same turn of the loop that granted the slot
            else:
                self._leave(owner, turn)
            raise

    def release(self) -> None:
        """Frees a slot for the next client request."""
        while self._waiting:
            owner, turns = next(iter(self._waiting.items()))
            del self._waiting[owner]
            turn = turns.popleft()
            if turns:
                self._waiting[owner] = turns  # behind the others
            if not turn.cancelled():
                turn.set_result(None)
                return
        self.free += 1

    def _leave(self, owner: Hashable, turn: "asyncio.Future[None]") -> None:
        turns = self._waiting.get(owner)
        if turns is not None and turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[owner]
