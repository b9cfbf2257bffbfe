"""One piece of work runs in each iteration of the event loop, and clients take turns."""

import asyncio

import pytest
from virtual_time import run_in_virtual_time

from gateway.schema.turns import LONG_EXECUTIONS, OF_ONE_CLIENT, PATIENCE_SECONDS, Overloaded, Turns


async def iterations_of(turns: Turns, *clients: str) -> list[tuple[int, str]]:
    """Returns in which iteration of the loop the work of each client ran, in their order."""
    ran: list[tuple[int, str]] = []
    iteration = 0

    async def work(client: str) -> None:
        await turns.take(client)
        ran.append((iteration, client))

    tasks = [asyncio.ensure_future(work(client)) for client in clients]
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0)
        iteration += 1
    return ran


async def test_first_piece_of_work_does_not_wait() -> None:
    turns = Turns()
    with pytest.raises(StopIteration):
        turns.take("a").send(None)
    assert await iterations_of(Turns(), "a") == [(0, "a")]


async def test_one_piece_runs_in_each_iteration() -> None:
    ran = await iterations_of(Turns(), *"aaaa")
    assert len({iteration for iteration, _ in ran}) == 4


async def test_clients_take_turns() -> None:
    ran = await iterations_of(Turns(), *"aaaabb")
    assert "".join(client for _, client in ran) == "aababa"


async def test_turn_of_a_cancelled_request_goes_to_the_next() -> None:
    turns = Turns()
    await turns.take("a")
    gone = asyncio.ensure_future(turns.take("a"))
    stays = asyncio.ensure_future(turns.take("b"))
    await asyncio.sleep(0)
    gone.cancel()
    await stays
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await iterations_of(turns, "c") == [(0, "c")]


async def test_turn_of_a_cancelled_request_that_is_the_last_is_free() -> None:
    turns = Turns()
    await turns.take("a")
    gone = asyncio.ensure_future(turns.take("a"))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    with pytest.raises(StopIteration):
        turns.take("b").send(None)


def test_long_executions_beyond_the_number_wait_and_are_refused_after_two_seconds() -> None:
    async def main() -> None:
        turns = Turns()
        loop = asyncio.get_running_loop()
        is_over = asyncio.Event()
        running = 0

        async def run(client: str) -> None:
            nonlocal running
            async with turns.long_execution(client):
                running += 1
                await is_over.wait()

        tasks = [asyncio.ensure_future(run("a")) for _ in range(OF_ONE_CLIENT + 1)]
        tasks += [asyncio.ensure_future(run(f"b{n % 4}")) for n in range(LONG_EXECUTIONS)]
        began_at = loop.time()
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        assert loop.time() - began_at == PATIENCE_SECONDS
        assert running == LONG_EXECUTIONS
        with pytest.raises(Overloaded, match="Too many long requests run already"):
            await done.pop()
        is_over.set()
        await asyncio.wait(tasks)
        async with turns.long_execution("a"):  # the slots are free again
            pass

    run_in_virtual_time(main())


async def test_execution_that_waits_begins_when_another_ends() -> None:
    turns = Turns()
    async with asyncio.timeout(1):
        for _ in range(3 * LONG_EXECUTIONS):
            async with turns.long_execution("a"):
                pass
