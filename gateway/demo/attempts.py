"""One side's attempt at one task, with figures while it runs and at its end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import perf_counter

from gateway.demo.graph import GraphReader
from gateway.demo.reader import NewReader, SegmentReader
from gateway.demo.rest import RestReader
from gateway.demo.store import StoreTerms, store_alone, store_behind_a_gateway
from gateway.demo.tally import Figures, Side, Tally
from gateway.demo.tasks import Task
from gateway.emulator import Emulator

FIGURES_EVERY_SECONDS = 0.1

Watch = Callable[[Figures], None]


async def attempt(task: Task, side: Side, terms: StoreTerms, watch: Watch) -> tuple[Figures, Tally]:
    """Does a task with a store and, for its side, a gateway that have just started.

    `watch` is called with the figures ten times a second. Returns the last ones, and what clients
    got.
    """
    tally = Tally()
    async with _party(task, side, terms, tally) as (new_reader, store):
        started = perf_counter()

        def figures() -> Figures:
            return _figures(store, tally, perf_counter() - started)

        async def show() -> None:
            while True:
                watch(figures())
                await asyncio.sleep(FIGURES_EVERY_SECONDS)

        shown = asyncio.create_task(show())
        try:
            await task.run(new_reader, store, tally)
            return figures(), tally
        finally:
            shown.cancel()
            await asyncio.wait([shown])
            if not shown.cancelled():
                shown.result()  # the output cannot be written


@asynccontextmanager
async def _party(
    task: Task, side: Side, terms: StoreTerms, tally: Tally
) -> AsyncIterator[tuple[NewReader, Emulator]]:
    """Yields what makes clients of a side, and its store."""
    by_rest = side is Side.REST
    party = store_alone(terms) if by_rest else store_behind_a_gateway(terms, task.fresh_seconds)
    async with party as (new_http, store):

        @asynccontextmanager
        async def new_reader() -> AsyncIterator[SegmentReader]:
            async with new_http() as http:
                yield RestReader(http, tally) if by_rest else GraphReader(http)

        yield new_reader, store


def _figures(store: Emulator, tally: Tally, seconds: float) -> Figures:
    windows = store.window.history
    busiest = max((window.requests for window in windows), default=0)
    return Figures(
        requests=store.requests.total(),
        refused=sum(window.refused for window in windows),
        quota_left=max(0, store.window.quota - busiest),
        seconds=seconds,
        answered=tally.answered,
        stale=tally.stale,
        waiting=tally.waiting,
    )
