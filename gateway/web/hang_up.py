"""Cancels the work for a client that has disconnected."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

# Watching for a disconnect costs more than most cached answers, so it starts after this time.
UNWATCHED_SECONDS = 0.05

Result = TypeVar("Result")


async def unless_hung_up(receive: Receive, work: Coroutine[None, None, Result]) -> Result:
    """Returns the result of `work`; on a disconnect, cancels it and raises `ClientDisconnect`.

    The caller has received the request body: `receive` only returns the disconnect.
    An upstream request in flight continues: its answer is cached, and other requests may need it.
    """
    loop = asyncio.get_running_loop()
    worker = asyncio.current_task()
    watcher: asyncio.Task[None] | None = None
    has_hung_up = False

    async def watch() -> None:
        nonlocal has_hung_up
        while (await receive())["type"] != "http.disconnect":
            pass
        has_hung_up = True
        if worker is not None:
            worker.cancel()

    def start() -> None:
        nonlocal watcher
        watcher = loop.create_task(watch())

    timer = loop.call_later(UNWATCHED_SECONDS, start)
    try:
        return await work
    except asyncio.CancelledError:
        # The server may have cancelled as well, as at the end of the shutdown grace.
        if not has_hung_up or worker is None or worker.uncancel() > 0:
            raise
        raise ClientDisconnect from None
    finally:
        timer.cancel()
        if watcher is not None:
            watcher.cancel()
