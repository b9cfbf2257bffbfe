"""What becomes of a request that nobody waits for any more."""

import asyncio
from contextlib import suppress
from typing import TypeVar

from gateway.request_scope import ABANDONED

Value = TypeVar("Value")


async def carried_out(exchange: "asyncio.Task[Value]") -> Value:
    """Waits for what is on the wire; abandoned, too: the store has counted it.

    Any other cancellation ends it. Once it was put off, `Task.cancelling()` stays above 0.
    """
    while True:
        try:
            return await asyncio.shield(exchange)
        except asyncio.CancelledError as cancelled:
            if not exchange.cancelled() and cancelled.args == (ABANDONED,):
                continue
            exchange.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({exchange})
            if exchange.done() and not exchange.cancelled():
                exchange.exception()  # counts as seen
            raise


def is_abandoned() -> bool:
    """Whether nobody waits any more for the running task, which put off its end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
