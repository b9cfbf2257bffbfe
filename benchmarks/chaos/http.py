"""A lean HTTP/1.1 client: connections that are kept, GET alone, and no more than the load needs.

httpx' pool looks through all its connections for each request: with hundreds waiting for a slow
store, it would be the client that is measured.
"""

import asyncio
from dataclasses import dataclass
from urllib.parse import quote


class BrokenConnection(Exception):
    """The connection broke before the answer was there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


class Client:
    """Keeps as many connections to one port of loopback as there are requests at once."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def get(self, query: str) -> Answer:
        """Asks for a query; raises `BrokenConnection`."""
        try:
            reader, writer = (
                self._idle.pop()
                if self._idle
                else await asyncio.open_connection("127.0.0.1", self._port)
            )
            writer.write(
                f"GET /graphql?query={quote(query, safe='')} HTTP/1.1\r\n"
                "Host: gateway\r\nAccept: application/json\r\n\r\n".encode()
            )
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            status_line, *lines = head.split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines if line)
            body = await reader.readexactly(int(headers["content-length"]))
        except (OSError, asyncio.IncompleteReadError) as error:
            raise BrokenConnection(repr(error)) from error
        if headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        return Answer(int(status_line.split(" ")[1]), body)

    def close(self) -> None:
        """Closes the connections."""
        for _, writer in self._idle:
            writer.close()
