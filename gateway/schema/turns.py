"""Turns of the event loop: long computations are cut into pieces, of which one runs at a time."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.bigcommerce.semaphore import FairSemaphore
from gateway.errors import ErrorCode, GatewayError

# Executions of many values at once, of all clients and of one: each has an answer in memory, also
# while it waits for the upstream.
LONG_EXECUTIONS = 24
OF_ONE_CLIENT = 6
PATIENCE_SECONDS = 2.0


class Overloaded(GatewayError):
    """Too many long executions run already."""

    code = ErrorCode.OVERLOADED


class Turns:
    """Grants one piece of work in each iteration of the event loop, to the clients in turn."""

    def __init__(self) -> None:
        self._is_taken = False
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # in the order of turns
        self._executions = FairSemaphore(LONG_EXECUTIONS, OF_ONE_CLIENT)

    async def take(self, client: str) -> None:
        """Waits until a piece of work of this client may run; at once if there was none before."""
        if self._is_taken:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(client, deque()).append(turn)
            await turn
        else:
            self._is_taken = True
            asyncio.get_running_loop().call_soon(self._grant_next)

    @asynccontextmanager
    async def long_execution(self, client: str) -> AsyncIterator[None]:
        """Waits until a long execution may begin; raises `Overloaded` after 2 seconds."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._executions.acquire(client, object())
        except TimeoutError as error:
            raise Overloaded(
                "Too many long requests run already. Send this one later, or ask for less."
            ) from error
        try:
            yield
        finally:
            self._executions.release(client)

    def _grant_next(self) -> None:
        while self._waiting:
            client, turns = next(iter(self._waiting.items()))
            del self._waiting[client]
            turn = turns.popleft()
            if turns:
                self._waiting[client] = turns  # behind the others
            if not turn.cancelled():
                turn.set_result(None)
                asyncio.get_running_loop().call_soon(self._grant_next)
                return
        self._is_taken = False
