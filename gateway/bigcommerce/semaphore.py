"""A semaphore that is fair among clients, and among the requests of each client."""

import asyncio
from collections import Counter, deque
from collections.abc import Hashable
from typing import TypeAlias

Turn: TypeAlias = "asyncio.Future[None]"


class FairSemaphore:
    """Slots, granted to clients in turn, and for each of them to its requests in turn.

    A client holds at most `per_client` slots; the gateway itself, the client without a name, may
    hold all. One with many requests delays a request of another
    client by one turn, as does a request with many waiters that of the same client.
    """

    def __init__(self, slots: int, per_client: int) -> None:
        self.free = slots
        self._per_client = per_client
        self._held = Counter[str]()
        # Both in the order of turns.
        self._waiting: dict[str, dict[Hashable, deque[Turn]]] = {}

    async def acquire(self, client: str, request: Hashable) -> None:
        """Waits for a slot for a request of a client; the caller must release it."""
        if self.free and self._may_take(client):
            self._take(client)
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, {}).setdefault(request, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release(client)  # cancelled in the same turn of the loop that granted the slot
            else:
                self._leave(client, request, turn)
            raise

    def release(self, client: str) -> None:
        """Frees a slot of a client for the next one that waits."""
        self.free += 1
        self._held[client] -= 1
        if not self._held[client]:
            del self._held[client]
        for waiting in [*self._waiting]:
            if self._may_take(waiting) and self._grant(waiting):
                return

    def _may_take(self, client: str) -> bool:
        return not client or self._held[client] < self._per_client

    def _take(self, client: str) -> None:
        self.free -= 1
        self._held[client] += 1

    def _grant(self, client: str) -> bool:
        """Grants a slot to the next request of a client; returns whether one still waited."""
        requests = self._waiting.pop(client)
        while requests:
            request = next(iter(requests))
            turns = requests.pop(request)
            turn = turns.popleft()
            if turns:
                requests[request] = turns  # behind the others
            if not turn.cancelled():
                if requests:
                    self._waiting[client] = requests  # behind the others
                self._take(client)
                turn.set_result(None)
                return True
        return False

    def _leave(self, client: str, request: Hashable, turn: Turn) -> None:
        requests = self._waiting.get(client, {})
        turns = requests.get(request)
        if turns is not None and turn in turns:
            turns.remove(turn)
            if not turns:
                del requests[request]
            if not requests:
                del self._waiting[client]
