"""Many identical requests to two processes at once, and many keys in one."""

import asyncio
import itertools
import os
from pathlib import Path
from time import monotonic
from uuid import UUID

from benchmarks.chaos.client import Client
from benchmarks.chaos.load import FRESH, Tally, ask
from benchmarks.chaos.queries import ROWS, first_page, segment_by_variable
from benchmarks.chaos.report import Bar
from benchmarks.chaos.stack import Server, gateway, running, running_stack

AT_ONCE = 200
KEYS, REQUESTS, CONCURRENCY = 10_000, 100_000, 64
CACHE_BYTES = 64 * 1024 * 1024  # the default
ALLOWANCE_BYTES = 60 * 1000 * 1000


async def one_flight_across_processes() -> Bar:
    """Sends 200 identical requests to each of two processes without a cache."""
    tally = Tally()
    async with running_stack(workers=1) as stack, running(other := gateway(1, stack.settings)):
        await stack.make_cold()
        await stack.store.behave(latency_seconds=0.3)  # all requests come before the answer
        clients = [Client(stack.gateway.port), Client(other.port)]
        for client in clients:
            await client.open(AT_ONCE)
        await stack.begin_count()
        now = asyncio.get_running_loop().time()
        requests = (ask(tally, c, first_page(50), now) for _ in range(AT_ONCE) for c in clients)
        await asyncio.gather(*requests)
        upstream = await stack.end_count()
        for client in clients:
            client.close()
    answers = ", ".join(f"{n} {what}" for what, n in tally.outcomes.items())
    return Bar(
        f"{AT_ONCE} identical cold requests to each of two processes cost 1 upstream request",
        upstream.requests == 1 and tally.outcomes[FRESH] == 2 * AT_ONCE,
        f"{upstream.requests}; answers: {answers}",
    )


async def memory_after_many_keys() -> Bar:
    """Asks one process 100,000 times for 10,000 ids, as fast as it answers."""
    # An id that the store does not have is cached as absent.
    absent = [str(UUID(int=number, version=4)) for number in range(KEYS - len(ROWS))]
    queries = [segment_by_variable(row.id, row) for row in ROWS]
    queries += [segment_by_variable(row_id, None) for row_id in absent]
    due = itertools.islice(itertools.cycle(queries), REQUESTS)
    tally, loop = Tally(), asyncio.get_running_loop()
    async with running_stack(workers=1) as stack:
        await stack.store.behave(latency_seconds=0)
        before, begin = _memory(stack.gateway), monotonic()
        client = Client(stack.gateway.port)

        async def ask_on() -> None:
            for query in due:
                await ask(tally, client, query, loop.time())

        await asyncio.gather(*(ask_on() for _ in range(CONCURRENCY)))
        client.close()
        after, seconds = _memory(stack.gateway), monotonic() - begin
    grown, bound = (after - before) / 1e6, CACHE_BYTES + ALLOWANCE_BYTES
    return Bar(
        f"{REQUESTS} requests for {KEYS} ids leave one process within {bound / 1e6:.0f} MB, the "
        "bound of its cache and 60 MB",
        after <= bound and not tally.failed,
        f"{after / 1e6:.0f} MB, {grown:.0f} MB more than at the start, after {seconds:.0f} s; "
        f"failed requests: {tally.failed or 'none'}",
    )


def _memory(server: Server) -> int:
    """The resident bytes of its process."""
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
