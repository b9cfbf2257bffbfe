"""uvicorn's HTTP/1.1 over httptools, with what it leaves undone.

That is `Host`, absolute targets, expectations, upgrades, pipelines and hang-ups.
"""

import re
import socket
import struct
from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

if TYPE_CHECKING:
    from uvicorn._types import (
        ASGI3Application,
        ASGIReceiveCallable,
        ASGISendCallable,
        ASGISendEvent,
        Scope,
    )

CONNECTION = "gateway.connection"
FRAMING = (b"content-length", b"transfer-encoding")
# RFC 3986, 3.2.2 and 3.2.3: a name, which may be empty, or an address in brackets, and a port.
AUTHORITY = re.compile(
    rb"(?:\[[\w.~:!$&'()*+,;=-]+\]|(?:[\w.~!$&'()*+,;=-]++|%[0-9A-Fa-f]{2})*+)(?::[0-9]*)?"
)
ABSOLUTE_FORM = re.compile(
    rb"https?://(?P<authority>[^:/?#][^/?#]*)(?P<rest>.*)", re.DOTALL | re.IGNORECASE
)


class BadRequest(Exception):
    """A request line or header that RFC 9112 has a server refuse; the message is for the client."""


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
            except httptools.HttpParserError as error:
                # httptools wraps what its callbacks raise.
                cause = error.__context__
                is_ours = isinstance(cause, BadRequest)
                self.send_400_response(
                    str(cause) if is_ours else "This is not a valid HTTP/1.1 request."
                )
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
            self._check_host()
            if not self.url.startswith(b"/"):
                self._take_other_form()
            if self.expect_100_continue:  # RFC 9110, 10.1.1: not in HTTP/1.0, nor without a body
                is_old = self.parser.get_http_version() == "1.0"
                self.expect_100_continue = not is_old and bool(self._framing())
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
        if cycle.waiting_for_100_continue:
            app = _closing_unless_continued(cycle, app)
        super()._start_asgi_task(cycle, app)

    def _check_host(self) -> None:
        """RFC 9112, 3.2: one valid `Host`, which HTTP/1.0 may leave out. An empty one is valid."""
        hosts = [value for name, value in self.headers if name == b"host"]
        if len(hosts) != 1 and (hosts or self.parser.get_http_version() != "1.0"):
            raise BadRequest(f"The request has {len(hosts)} `Host` headers: send one.")
        # RFC 9112, 5.1: white space around a value is no part of it.
        if hosts and not AUTHORITY.fullmatch(hosts[0].strip(b" \t")):
            raise BadRequest("`Host` is not a host with or without a port.")

    def _take_other_form(self) -> None:
        """Reads a target that is no path: an absolute URL, or `*` (RFC 9112, 3.2.2 and 3.2.4)."""
        if self.url == b"*" and self.parser.get_method() == b"OPTIONS":
            self.url = b"/"
            return
        parts = ABSOLUTE_FORM.fullmatch(self.url)
        # AUTHORITY has no user: RFC 9110, 4.2.4, has one taken for an error.
        if parts is None or not AUTHORITY.fullmatch(parts["authority"]):
            raise BadRequest("The request's target is neither a path nor an http URL with a host.")
        rest: bytes = parts["rest"]
        self.url = rest if rest.startswith(b"/") else b"/" + rest
        # In place, since the scope has this list; the URL's host replaces the header's.
        self.headers[:] = [header for header in self.headers if header[0] != b"host"]
        self.headers.append((b"host", parts["authority"]))

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


def _closing_unless_continued(
    cycle: RequestResponseCycle, app: "ASGI3Application"
) -> "ASGI3Application":
    """Has an answer that takes the place of 100 (Continue) be its connection's last.

    RFC 9110, 10.1.1: the client may then leave its body out, and what follows would be read as it.
    """

    async def closing(
        scope: "Scope", receive: "ASGIReceiveCallable", send: "ASGISendCallable"
    ) -> None:
        async def send_last(message: "ASGISendEvent") -> None:
            if cycle.waiting_for_100_continue:
                cycle.keep_alive = False
            await send(message)

        await app(scope, receive, send_last)

    return closing
