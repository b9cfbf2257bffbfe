"""What is done for a client that has hung up: nothing more."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

# Watching costs more than most warm answers take: only what lasts longer is watched.
UNWATCHED_SECONDS = 0.05

Result = TypeVar("Result")


async def unless_hung_up(receive: Receive, work: Coroutine[None, None, Result]) -> Result:
    """Returns what `work` returns; cancels it, and raises `ClientDisconnect`, on a hang-up.

    The body has to be read already: of what `receive` gives, only the disconnect counts.
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
        # Not ours alone where the server cancels too, as it does at the end of its patience.
        if not has_hung_up or worker is None or worker.uncancel() > 0:
            raise
        raise ClientDisconnect from None
    finally:
        timer.cancel()
        if watcher is not None:
            watcher.cancel()
