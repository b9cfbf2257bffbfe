"""The client of `make chaos`, against a server that breaks connections."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from benchmarks.chaos.client import Client, ConnectionBroken, Unanswered
from benchmarks.chaos.load import Tally, ask
from benchmarks.chaos.queries import Query

BODY = b'{"data":{"a":1},"extensions":{"cache":{"age":0,"stale":false}}}'
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
CLOSING = WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
HALF, NOTHING = WHOLE[:30], b""
QUERY = Query("/a", {"a": 1})


@asynccontextmanager
async def server(answers: Sequence[bytes]) -> AsyncIterator[tuple[Client, list[int]]]:
    """Gives these answers in turn, and breaks the connection after one that is not whole.

    Yields a client of it, and the number of the connection that each request came on.
    """
    left = iter(answers)
    came_on: list[int] = []
    opened = 0
    serving: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        number = opened
        serving.append(asyncio.current_task())
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            came_on.append(number)
            answer = next(left)
            writer.write(answer)
            if answer != WHOLE:
                break
        writer.close()
        await writer.wait_closed()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        client = Client(listening.sockets[0].getsockname()[1])
        yield client, came_on
        client.close()
        await asyncio.gather(*filter(None, serving))


async def test_connections_are_kept() -> None:
    async with server([WHOLE, WHOLE]) as (client, came_on):
        assert [(await client.get("/a")).body for _ in range(2)] == [BODY, BODY]
        assert came_on == [1, 1]


async def test_a_request_goes_again_once_on_a_new_connection_where_no_byte_came() -> None:
    async with server([NOTHING, WHOLE]) as (client, came_on):
        await client.open(2)
        assert (await client.get("/a")).was_sent_again
        assert came_on == [1, 3]


async def test_a_request_does_not_go_a_third_time() -> None:
    async with server([NOTHING, NOTHING, WHOLE]) as (client, came_on):
        with pytest.raises(Unanswered):
            await client.get("/a")
        assert came_on == [1, 2]


async def test_half_an_answer_is_not_asked_for_again() -> None:
    async with server([HALF, WHOLE]) as (client, came_on):
        with pytest.raises(ConnectionBroken, match="within an answer"):
            await client.get("/a")
        assert came_on == [1]


async def test_a_connection_that_the_server_closes_is_not_used_again() -> None:
    async with server([CLOSING, WHOLE]) as (client, came_on):
        first, second = [await client.get("/a") for _ in range(2)]
        assert (first.was_sent_again, second.was_sent_again) == (False, False)
        assert came_on == [1, 2]


async def test_every_request_is_counted_by_its_outcome() -> None:
    tally = Tally()
    now = asyncio.get_running_loop().time()
    async with server([WHOLE, NOTHING, WHOLE, HALF]) as (client, _):
        for _ in range(3):
            await ask(tally, client, QUERY, now)
    await ask(tally, client, QUERY, now)  # the port is closed
    assert tally.outcomes == {
        "fresh": 2,
        "connection broken within an answer": 1,
        "no connection": 1,
    }
    assert tally.sent_again == 1
    assert (len(tally.milliseconds), len(tally.error_milliseconds)) == (4, 2)
