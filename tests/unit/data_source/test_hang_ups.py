"""Clients that hang up: what was sent for them is finished, and so is what was gathered."""

import asyncio

from clock import settle
from in_process import in_process

TOTAL = "{ segments { totalCount } }"


async def test_what_clients_left_behind_is_finished_and_cached_for_the_next() -> None:
    gateway = in_process(10, latency_seconds=1, LOOKUP_WINDOW_MILLISECONDS="0")
    answers = asyncio.Event()
    gateway.emulator.sleep = lambda _: answers.wait()
    ids = [row.id for row in gateway.emulator.store.segments]
    lookups = [f'{{ segment(entityId: "{row_id}") {{ name }} }}' for row_id in ids[:3]]
    before = asyncio.all_tasks()
    clients: list[asyncio.Future[object]] = []
    for query in (TOTAL, TOTAL, *lookups):
        clients.append(asyncio.ensure_future(gateway.ask(query)))
        await settle()
    # The last two ids wait for the lookup of the first, and will be in the list by then.
    assert gateway.upstream_requests == 2
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    assert all(client.cancelled() for client in clients)
    answers.set()
    await settle(500)
    assert asyncio.all_tasks() == before
    assert gateway.upstream_requests == 2
    for query in (TOTAL, *lookups):
        await gateway.data(query)
    assert gateway.upstream_requests == 2
