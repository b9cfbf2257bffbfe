"""Many who ask for the same at once, in two processes; and many keys in one."""

import asyncio
import itertools
from uuid import UUID

from benchmarks.chaos.bars import Bar
from benchmarks.chaos.http import Client
from benchmarks.chaos.load import outcome_of
from benchmarks.chaos.processes import free_port, gateway, memory_of, wait_until_ready
from benchmarks.chaos.queries import IDS, Query, first_page
from benchmarks.chaos.stack import SETTINGS, running_stack

AT_ONCE = 200
KEYS, REQUESTS = 10_000, 100_000
CACHE_BYTES = 64 * 1024 * 1024
ALLOWANCE_BYTES = 60 * 1024 * 1024


async def one_flight_across_processes() -> Bar:
    """Lets 200 clients of each of two processes ask for the same, which nobody has."""
    with running_stack("--workers", "1") as stack:
        settings = SETTINGS | {
            "UPSTREAM_URL": f"http://127.0.0.1:{stack.store.port}",
            "REDIS_URL": f"redis://127.0.0.1:{stack.redis.port}/0",
        }
        other = gateway(free_port(), settings)
        other.start()
        try:
            wait_until_ready(other.port)
            await asyncio.to_thread(stack.make_cold)
            ports = [stack.gateway.port, other.port]
            right = await asyncio.gather(*(_ask(p) for p in ports for _ in range(AT_ONCE)))
        finally:
            other.stop()
        asked = stack.control.asked().total
    return Bar(
        f"2 x {AT_ONCE} identical cold requests to two processes: 1 upstream request",
        asked == 1 and all(right),
        f"{asked}, right answers: {sum(right)}",
    )


async def memory_after_many_keys() -> Bar:
    """Asks one process 100,000 times for 10,000 different ids."""
    with running_stack("--workers", "1") as stack:
        before = memory_of(stack.gateway.pid)
        ids = [*IDS, *(str(UUID(int=n, version=4)) for n in range(KEYS - len(IDS)))]
        asking = itertools.islice(itertools.cycle(ids), REQUESTS)
        client = Client(stack.gateway.port)

        async def ask_on() -> None:
            for row_id in asking:
                await client.get(f'{{ segment(entityId: "{row_id}") {{ name }} }}')

        await asyncio.gather(*(ask_on() for _ in range(50)))
        client.close()
        after = memory_of(stack.gateway.pid)
    return Bar(
        f"memory after {REQUESTS} requests over {KEYS} keys is within the bound and 60 MB",
        after <= CACHE_BYTES + ALLOWANCE_BYTES,
        f"{before / 1e6:.0f} MB at the start, {after / 1e6:.0f} MB at the end",
    )


async def _ask(port: int) -> bool:
    query: Query = first_page(10)
    client = Client(port)
    answer = await client.get(query.document)
    client.close()
    return outcome_of(answer, query) == "fresh"
