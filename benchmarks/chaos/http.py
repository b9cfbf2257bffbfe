"""A lean HTTP/1.1 client: connections that are kept, GET alone, and no more than the load needs.

httpx' pool looks through all its connections for each request: with hundreds waiting for a slow
store, it would be the client that is measured.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

PATIENCE_SECONDS = 15.0

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class BrokenConnection(Exception):
    """The connection broke before the answer was whole; maybe before any byte of it."""

    def __init__(self, *, is_unanswered: bool) -> None:
        super().__init__("before an answer" if is_unanswered else "within an answer")
        self.is_unanswered = is_unanswered


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `was_sent_again` where the first connection broke before it."""

    status: int
    body: bytes
    was_sent_again: bool = False


class Client:
    """Keeps as many connections to one port of loopback as there are requests at once."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: deque[Connection] = deque()

    async def open(self, count: int) -> None:
        """Opens so many connections, used in turn.

        One after the other: of several workers, one would take all that come at once.
        """
        for _ in range(count):
            self._idle.append(await self._open())

    async def get(self, path: str) -> Answer:
        """Asks for a path; once more, and on a new connection, where no byte of an answer came.

        Raises `BrokenConnection`, `OSError` where nobody listens, `TimeoutError` after 15 s.
        """
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                return await self._ask(self._take_idle() or await self._open(), path)
            except BrokenConnection as broken:
                if not broken.is_unanswered:
                    raise
                answer = await self._ask(await self._open(), path)
                return Answer(answer.status, answer.body, was_sent_again=True)

    def close(self) -> None:
        """Closes the connections."""
        while self._idle:
            self._idle.pop()[1].close()

    async def _ask(self, connection: Connection, path: str) -> Answer:
        reader, writer = connection
        is_kept = False
        try:
            head = await _sent(reader, writer, path)
            status_line, *lines = head.decode("latin-1").lower().split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines if line)
            body = await reader.readexactly(int(headers["content-length"]))
            is_kept = headers.get("connection") != "close"
        except (OSError, asyncio.IncompleteReadError) as error:
            raise BrokenConnection(is_unanswered=False) from error
        finally:
            if is_kept:
                self._idle.append(connection)
            else:
                writer.close()
        return Answer(int(status_line.split(" ")[1]), body)

    def _take_idle(self) -> Connection | None:
        while self._idle:
            reader, writer = self._idle.popleft()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return None

    async def _open(self) -> Connection:
        return await asyncio.open_connection("127.0.0.1", self._port)


async def _sent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> bytes:
    """Sends a request; returns the head of its answer."""
    try:
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: gateway\r\nAccept: application/json\r\n\r\n".encode()
        )
        first = await reader.readexactly(1)
    except (OSError, asyncio.IncompleteReadError) as error:
        raise BrokenConnection(is_unanswered=True) from error
    return first + await reader.readuntil(b"\r\n\r\n")
