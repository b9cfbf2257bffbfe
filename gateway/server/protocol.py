"""HTTP/1.1: uvicorn's protocol over httptools, with the limits and checks that both lack.

It limits the head of a request (its request line and headers) and the time of a client, and handles
`Host`, absolute targets, expectations and upgrades. `gateway.web.request_body` limits bodies.
"""

import re
from asyncio import BaseTransport, TimerHandle
from typing import Any

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from gateway.errors import ErrorCode

MAXIMUM_HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 30.0
UNREAD_SECONDS = 60.0
# Per process, idle connections included: each may have a body of 1 MiB in memory.
MAXIMUM_CONNECTIONS = 2048

FRAMING = (b"content-length", b"transfer-encoding")
# RFC 3986, 3.2.2 and 3.2.3: a name, which may be empty, or an address in brackets, and a port.
AUTHORITY = re.compile(
    rb"(?:\[[\w.~:!$&'()*+,;=-]+\]|(?:[\w.~!$&'()*+,;=-]++|%[0-9A-Fa-f]{2})*+)(?::[0-9]*)?"
)
ABSOLUTE_FORM = re.compile(
    rb"https?://(?P<authority>[^:/?#][^/?#]*)(?P<rest>.*)", re.DOTALL | re.IGNORECASE
)


class BadRequest(Exception):
    """A request that a server refuses by RFC 9112; the message is for the client."""


class ConnectionsState(ServerState):
    """The state that all connections of a process share."""

    is_draining = False

    def drain(self) -> None:
        """Makes each answer from now on the last of its connection (RFC 9112, 9.6)."""
        self.is_draining = True
        for connection in self.connections:
            if isinstance(connection, HttpProtocol):
                connection.close_after_answer()


class HttpProtocol(HttpToolsProtocol):
    """One connection.

    A head of more than `MAXIMUM_HEAD_BYTES` is answered with 431, as are trailers; a head that is
    incomplete `head_seconds` after its first byte with 408 (RFC 6585, 5; RFC 9110, 15.5.9). A
    connection without a request, new or idle, closes after `timeout_keep_alive`. One whose answer
    is not read for `unread_seconds` is aborted. One beyond `maximum_connections` is answered with
    503.
    """

    server_state: ConnectionsState
    head_seconds = HEAD_SECONDS
    unread_seconds = UNREAD_SECONDS
    maximum_connections = MAXIMUM_CONNECTIONS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_in_body = False
        # Of an incomplete head, or of chunk extensions and trailers: since the last part of a body.
        self._bytes_outside_body = 0
        self._head_timer: TimerHandle | None = None
        self._unread_timer: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Accepts a connection, if there is room for it."""
        super().connection_made(transport)  # type: ignore[arg-type] # uvicorn narrows it
        if len(self.connections) > self.maximum_connections:
            message = f"There are more than {self.maximum_connections} connections."
            self._refuse(503, f"{message} Try again later.")
        else:
            self._start_idle_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the timers."""
        self._stop_head_timer()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Starts the timer for the client to read its answer."""
        super().pause_writing()
        self._unread_timer = self.loop.call_later(self.unread_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Stops that timer."""
        super().resume_writing()
        if self._unread_timer is not None:
            self._unread_timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Parses bytes, at most `MAXIMUM_HEAD_BYTES` in a row outside a body."""
        self._unset_keepalive_if_required()
        while data and not self.transport.is_closing():
            room = MAXIMUM_HEAD_BYTES - self._bytes_outside_body
            if not room:
                head = "request line and headers"
                what = "chunk extensions or trailers" if self._is_in_body else head
                self._refuse(431, f"The {what} are larger than {MAXIMUM_HEAD_BYTES} bytes.")
                return
            data = self._parse(data[:room]) + data[room:]
        if not self._is_answering and not self.transport.is_closing():
            self._limit_wait()

    def on_message_begin(self) -> None:
        """Begins a request."""
        if not self._is_in_body:
            super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Adds a header; drops trailers, which follow the body."""
        if not self._is_in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Checks the head, and starts the request."""
        self._bytes_outside_body = 0
        if self._is_in_body:
            return
        self._check_host()
        if not self.url.startswith(b"/"):
            self._read_other_target()
        if self.expect_100_continue:  # RFC 9110, 10.1.1: not in HTTP/1.0, nor without a body
            is_old = self.parser.get_http_version() == "1.0"
            self.expect_100_continue = not is_old and bool(self._framing())
        super().on_headers_complete()
        # RFC 9110, 10.1.1: a client that gets an answer in place of 100 may leave its body out, and
        # what follows would be read as the body.
        if self.server_state.is_draining or self.expect_100_continue:
            self.close_after_answer()
        self._is_in_body = True
        self._stop_head_timer()

    def on_body(self, body: bytes) -> None:
        """Adds a part of the body; after `Expect: 100-continue`, keeps the connection open."""
        super().on_body(body)
        self._bytes_outside_body = 0
        if self.expect_100_continue:
            self.expect_100_continue = False
            is_draining = self.server_state.is_draining
            self.cycle.keep_alive = self.parser.should_keep_alive() and not is_draining

    def on_message_complete(self) -> None:
        """Ends a request, unless the parser ended it at an upgrade, before its body."""
        if self.parser.should_upgrade() and self._framing():
            return
        super().on_message_complete()
        self._is_in_body = False
        self._bytes_outside_body = 0

    def on_response_complete(self) -> None:
        """Starts the next request; stops reading while more requests are queued."""
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()

    def close_after_answer(self) -> None:
        """Adds `Connection: close` to the answer to the last request, if it has not begun."""
        if self._is_answering and not self.cycle.response_started:
            self.cycle.keep_alive = False

    @property
    def _is_answering(self) -> bool:
        # uvicorn's type lacks None, the value before the first request.
        return self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr]

    def _parse(self, data: bytes) -> bytes:
        """Parses bytes; returns those after a head with an upgrade."""
        self._bytes_outside_body += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade()
            return data[upgrade.args[0] :]
        except httptools.HttpParserError as error:
            cause = error.__context__  # what a callback raised
            is_ours = isinstance(cause, BadRequest)
            self._refuse(400, str(cause) if is_ours else "This is not a valid HTTP/1.1 request.")
        return b""

    def _ignore_upgrade(self) -> None:
        """Continues in HTTP/1.1 (RFC 9110, 7.8): Java's client asks for HTTP/2 with each request.

        After such a head, httptools reads the bytes as the other protocol. A new parser with the
        same framing reads them as the body.
        """
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        if framing := self._framing():
            lines = b"".join(b"%b: %b\r\n" % header for header in framing)
            self._parse(b"POST / HTTP/1.1\r\n" + lines + b"\r\n")

    def _framing(self) -> list[tuple[bytes, bytes]]:
        return [header for header in self.headers if header[0] in FRAMING]

    def _check_host(self) -> None:
        """RFC 9112, 3.2: one valid `Host`, which HTTP/1.0 may leave out. An empty one is valid."""
        hosts = [value for name, value in self.headers if name == b"host"]
        if len(hosts) != 1 and (hosts or self.parser.get_http_version() != "1.0"):
            raise BadRequest(f"The request has {len(hosts)} `Host` headers: send one.")
        # RFC 9112, 5.1: white space around a value is not part of it.
        if hosts and not AUTHORITY.fullmatch(hosts[0].strip(b" \t")):
            raise BadRequest("`Host` is not a host with or without a port.")

    def _read_other_target(self) -> None:
        """Reads a target other than a path: an absolute URL, or `*` (RFC 9112, 3.2.2 and 3.2.4)."""
        if self.url == b"*" and self.parser.get_method() == b"OPTIONS":
            self.url = b"/"
            return
        parts = ABSOLUTE_FORM.fullmatch(self.url)
        # RFC 9110, 4.2.4: a user in a URL is an error; AUTHORITY has none.
        if parts is None or not AUTHORITY.fullmatch(parts["authority"]):
            raise BadRequest("The request's target is neither a path nor an http URL with a host.")
        rest: bytes = parts["rest"]
        self.url = rest if rest.startswith(b"/") else b"/" + rest
        # In place, since the scope has this list; the URL's host replaces the header's.
        self.headers[:] = [header for header in self.headers if header[0] != b"host"]
        self.headers.append((b"host", parts["authority"]))

    def _limit_wait(self) -> None:
        """Runs a timer while the connection waits for the client."""
        if not self._is_in_body and not self._bytes_outside_body:
            self._stop_head_timer()
            self._start_idle_timer()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_seconds, self._end_wait)

    def _end_wait(self) -> None:
        self._refuse(408, f"The headers did not arrive within {self.head_seconds:g} seconds.")

    def _start_idle_timer(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, status: int, message: str) -> None:
        """Closes the connection, after an error unless another answer has begun or is due."""
        if self._is_answering and not self._is_in_body:
            self.cycle.keep_alive = False  # the answer to an earlier request is the last
            return
        is_unanswered = self._is_answering and not self.cycle.response_started and not self.pipeline
        if is_unanswered or not self._is_in_body:
            self.transport.write(self._error_answer(status, message))
        self.transport.close()

    def _error_answer(self, status: int, message: str) -> bytes:
        code = ErrorCode.UPSTREAM_UNAVAILABLE if status == 503 else ErrorCode.BAD_REQUEST
        error = {"message": message, "extensions": {"code": code}}
        body = msgspec.json.encode({"errors": [error]})
        headers = (
            *self.server_state.default_headers,
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            (b"connection", b"close"),
        )
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        if self.parser.get_method() == b"HEAD":  # RFC 9110, 9.3.2
            body = b""
        return STATUS_LINE[status] + lines + b"\r\n" + body
