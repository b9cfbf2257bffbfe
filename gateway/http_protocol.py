"""uvicorn's HTTP/1.1 over httptools, with what it leaves undone: upgrades, pipelines, hang-ups."""

import socket
import struct
from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

CONNECTION = "gateway.connection"
FRAMING = (b"content-length", b"transfer-encoding")


class ConnectionsState(ServerState):
    """What all connections share; while `is_leaving`, each answer is its connection's last."""

    is_leaving = False

    def leave(self) -> None:
        """Has each answer from now on bear `Connection: close` (RFC 9112, 9.6)."""
        self.is_leaving = True
        for connection in self.connections:
            if isinstance(connection, HttpProtocol):
                connection.answer_no_more()


class HttpProtocol(HttpToolsProtocol):
    """One connection.

    A request to go on in another protocol is answered in HTTP/1.1, as RFC 9110, 7.8, allows: Java's
    client asks for HTTP/2 each time. httptools takes what follows such headers for that protocol,
    so a new parser that is given the same framing takes it for the body.

    An application may end the connection: the ASGI scope's `extensions` have, under `CONNECTION`,
    `reset`, which drops what is not sent yet and resets, and `close`, which sends it and closes.
    """

    server_state: ConnectionsState

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_repeating_head = False
        self._at_work: RequestResponseCycle | None = None
        self._extensions = {CONNECTION: {"reset": self._reset, "close": self._close}}

    @property
    def is_body_to_come(self) -> bool:
        """Whether the parser has ended a message before its body, because of an upgrade."""
        return self.parser.should_upgrade() and bool(self._framing())

    def answer_no_more(self) -> None:
        """Has the answer to the request that came last be the last one, and say so.

        If its headers have left, they promised more, and the answer to the next request is it.
        """
        # uvicorn types the cycle as if there were one before the first request.
        if self.cycle is not None and not self.cycle.response_started:  # type: ignore[redundant-expr]
            self.cycle.keep_alive = False

    def data_received(self, data: bytes) -> None:
        """Parses what came."""
        self._unset_keepalive_if_required()
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserError:
                self.send_400_response("Invalid HTTP request received.")
            except httptools.HttpParserUpgrade as upgrade:
                self._ignore_upgrade()
                data = data[upgrade.args[0] :]
                continue
            return

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells the request at work of the hang-up; uvicorn tells the one that came last."""
        self.pipeline.clear()
        if self._at_work is not None and not self._at_work.response_complete:
            self._at_work.disconnected = True
            self._at_work.message_event.set()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begins a request."""
        if not self._is_repeating_head:
            super().on_message_begin()
            # uvicorn's type has no room for extensions of one's own.
            self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item]

    def on_url(self, url: bytes) -> None:
        """Takes a part of the URL."""
        if not self._is_repeating_head:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Takes a header."""
        if not self._is_repeating_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Starts the request."""
        if not self._is_repeating_head:
            super().on_headers_complete()
            if self.server_state.is_leaving:
                self.answer_no_more()

    def on_message_complete(self) -> None:
        """Ends the body."""
        if not self.is_body_to_come:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begins the next request; reads on only when none is waiting, or they would pile up."""
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: "ASGI3Application") -> None:
        self._at_work = cycle
        super()._start_asgi_task(cycle, app)

    def _reset(self) -> None:
        # Lingers for no time: the system sends a reset (RST), where it would else send an end.
        connection: socket.socket = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _close(self) -> None:
        self.transport.close()

    def _ignore_upgrade(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        if framing := self._framing():
            lines = b"".join(b"%b: %b\r\n" % header for header in framing)
            self._is_repeating_head = True
            self.parser.feed_data(b"POST / HTTP/1.1\r\n" + lines + b"\r\n")
            self._is_repeating_head = False

    def _framing(self) -> list[tuple[bytes, bytes]]:
        return [header for header in self.headers if header[0] in FRAMING]
