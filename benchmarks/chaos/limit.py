"""What the load itself can do: its client, against a server that does nothing but answer.

`python -m benchmarks.chaos.limit PORT` is that server.
"""

import asyncio
import sys
from time import monotonic
from typing import cast

import msgspec

from benchmarks.chaos.http import Client
from benchmarks.chaos.load import CONNECTIONS, Tally, ask
from benchmarks.chaos.processes import Process, free_port
from benchmarks.chaos.queries import first_page

SECONDS = 2.0
QUERY = first_page(50)
BODY = msgspec.json.encode(
    {"data": QUERY.expected, "extensions": {"cache": {"age": 0, "stale": False}}}
)
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
) + BODY


async def requests_per_second() -> float:
    """Returns how many requests a second the load can send and judge."""
    port = free_port()
    server = Process("limit", [sys.executable, "-m", "benchmarks.chaos.limit", str(port)], port)
    tally = Tally()
    loop = asyncio.get_running_loop()
    try:
        await asyncio.to_thread(server.start)
        client = Client(port)
        until = monotonic() + SECONDS

        async def ask_on() -> None:
            while monotonic() < until:
                await ask(tally, client, QUERY, loop.time())

        await asyncio.gather(*(ask_on() for _ in range(CONNECTIONS)))
        client.close()
    finally:
        server.kill()
    return tally.requests / SECONDS


class _Same(asyncio.Protocol):
    """Answers each request with the same bytes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        # One request at a time, which fits into one piece.
        self._transport.write(ANSWER)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Same, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
