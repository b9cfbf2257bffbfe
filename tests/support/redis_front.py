"""Servers in place of one Redis: a port that leads to another one, and one that sends nonsense."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tls_front import pipe

# Each command is an array (RESP2); no argument of the gateway holds such a line.
COMMAND = re.compile(rb"(?:\A|\r\n)\*[0-9]+\r\n")


class Front:
    """A port that leads to another one; `connections` counts those it has taken."""

    def __init__(self, leads_to: int) -> None:
        self.leads_to = leads_to
        self.connections = 0
        self.port = 0

    @property
    def url(self) -> str:
        """The URL of the Redis that it leads to."""
        return f"redis://127.0.0.1:{self.port}"

    async def hand_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries one connection, which stays where it is when the front is switched."""
        self.connections += 1
        behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", self.leads_to)
        await asyncio.gather(pipe(reader, behind_writer), pipe(behind_reader, writer))


@asynccontextmanager
async def front_before(port: int) -> AsyncIterator[Front]:
    """Yields a front; new connections go to its `leads_to`, which a test may change."""
    front = Front(port)
    async with await asyncio.start_server(front.hand_on, "127.0.0.1", 0) as server:
        front.port = server.sockets[0].getsockname()[1]
        yield front


@asynccontextmanager
async def nonsense_server(reply: bytes) -> AsyncIterator[str]:
    """Yields the URL of a server that answers each command with the same bytes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while commands := await reader.read(1_000_000):
            writer.write(reply * len(COMMAND.findall(commands)))
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
