"""Many who ask for the same at once, in two processes; and many keys in one."""

import asyncio
import itertools
from time import monotonic
from uuid import UUID

from benchmarks.chaos.answers import FRESH
from benchmarks.chaos.bars import Bar
from benchmarks.chaos.http import Client
from benchmarks.chaos.load import Tally, ask
from benchmarks.chaos.processes import Gateway, free_port, memory_of
from benchmarks.chaos.queries import ROWS, first_page, segment_by_variable
from benchmarks.chaos.stack import running_stack

AT_ONCE = 200
KEYS, REQUESTS, SIDE_BY_SIDE = 10_000, 100_000, 64
CACHE_BYTES = 64 * 1024 * 1024  # the default
ALLOWANCE_BYTES = 60 * 1000 * 1000


async def one_flight_across_processes() -> Bar:
    """Lets 200 clients of each of two processes ask for the same, which nobody has."""
    async with running_stack(workers=1) as stack:
        other = Gateway(free_port(), stack.settings)
        clients = [Client(stack.gateway.port), Client(other.port)]
        tally = Tally()
        try:
            await asyncio.to_thread(other.start)
            await stack.make_cold()
            await stack.control.answer_after(0.3)  # so that all have come before the answer
            for client in clients:
                await client.open(AT_ONCE)
            await stack.begin_count()
            now = asyncio.get_running_loop().time()
            asked = (ask(tally, c, first_page(50), now) for _ in range(AT_ONCE) for c in clients)
            await asyncio.gather(*asked)
            upstream = await stack.end_count()
        finally:
            for client in clients:
                client.close()
            await asyncio.to_thread(other.stop)
    answers = ", ".join(f"{n} {what}" for what, n in tally.outcomes.items())
    return Bar(
        f"{AT_ONCE} identical cold requests to each of two processes cost 1 upstream request",
        upstream.total == 1 and tally.outcomes[FRESH] == 2 * AT_ONCE,
        f"{upstream.total}; answers: {answers}",
    )


async def memory_after_many_keys() -> Bar:
    """Asks one process 100,000 times for 10,000 different ids, as fast as it answers."""
    # Of ids that the store does not have, it is kept that it does not.
    absent = [str(UUID(int=number, version=4)) for number in range(KEYS - len(ROWS))]
    queries = [segment_by_variable(row.id, row) for row in ROWS]
    queries += [segment_by_variable(row_id, None) for row_id in absent]
    asking_for = itertools.islice(itertools.cycle(queries), REQUESTS)
    tally = Tally()
    loop = asyncio.get_running_loop()
    async with running_stack(workers=1) as stack:
        await stack.control.answer_after(0)
        before, begin = memory_of(stack.gateway.pid), monotonic()
        client = Client(stack.gateway.port)

        async def ask_on() -> None:
            for query in asking_for:
                await ask(tally, client, query, loop.time())

        await asyncio.gather(*(ask_on() for _ in range(SIDE_BY_SIDE)))
        client.close()
        after, seconds = memory_of(stack.gateway.pid), monotonic() - begin
    grown, bound = (after - before) / 1e6, CACHE_BYTES + ALLOWANCE_BYTES
    return Bar(
        f"{REQUESTS} requests for {KEYS} ids leave one process within {bound / 1e6:.0f} MB, the "
        "bound of its cache and 60 MB",
        after <= bound and not tally.failed,
        f"{after / 1e6:.0f} MB, {grown:.0f} MB more than at the start, after {seconds:.0f} s; "
        f"failed requests: {tally.failed or 'none'}",
    )
