"""HTTP/1.1 by the byte: what no client library would send."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPMessage, parse_headers
from typing import BinaryIO

import msgspec

PATIENCE_SECONDS = 20


class Connection:
    """One connection of a client."""

    def __init__(self, address: tuple[str, int], source: tuple[str, int] | None = None) -> None:
        self.socket = socket.create_connection(address, PATIENCE_SECONDS, source)
        self.stream: BinaryIO = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def head(self) -> tuple[int, HTTPMessage]:
        """Returns status and headers of the next answer, an interim one too."""
        status = int(self.stream.readline().split()[1])
        return status, parse_headers(self.stream)

    def answer(self) -> tuple[int, bool, object]:
        """Returns the next answer: status, whether it announces the end, and its JSON."""
        status, headers = self.head()
        body = self.stream.read(int(headers["Content-Length"]))
        return status, headers["Connection"] == "close", msgspec.json.decode(body)

    @property
    def is_at_its_end(self) -> bool:
        return self.stream.read(1) == b""

    def close(self) -> None:
        self.stream.close()
        self.socket.close()


@contextmanager
def connections_to(listener: socket.socket) -> Iterator[Callable[[], Connection]]:
    """Yields what connects to a listening socket; closes the connections at the end."""
    with ExitStack() as stack:

        def connect() -> Connection:
            connection = Connection(listener.getsockname()[:2])
            stack.callback(connection.close)
            return connection

        yield connect


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def refused(status: int, message: str) -> tuple[int, bool, object]:
    """Returns the last answer of a connection, with this error."""
    error = {"message": message, "extensions": {"code": "BAD_REQUEST"}}
    return status, True, {"errors": [error]}
