"""HTTP/1.1 with bounds on what comes beside bodies, and on how long a client may take.

The bytes and the time of a body are bounded by whoever reads it.
"""

from asyncio import BaseTransport, TimerHandle
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from gateway.errors import ErrorCode
from gateway.server.http_protocol import HttpProtocol

MAXIMUM_HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 30.0
# A client that is still sending when its connection closes often loses the answer that says why.
LINGER_SECONDS = 2.0
# How long a client may leave an answer unread.
UNREAD_SECONDS = 60.0
# Of a process, idle ones included: a body of 1 MiB may wait in memory for each.
MAXIMUM_CONNECTIONS = 2048


class BoundedHttpProtocol(HttpProtocol):
    """One connection, on which no client can keep the server waiting or storing without an end.

    A request line and headers of `MAXIMUM_HEAD_BYTES` that are not complete yet are answered with
    431, as are as many bytes of trailers or chunk extensions, those not complete `head_seconds`
    after their first byte with 408 (RFC 6585, 5; RFC 9110, 15.5.9). A connection that sends
    nothing, new ones too, closes after `timeout_keep_alive`, one that reads nothing after
    `unread_seconds`; one beyond `maximum_connections` is answered with 503.
    """

    head_seconds = HEAD_SECONDS
    unread_seconds = UNREAD_SECONDS
    maximum_connections = MAXIMUM_CONNECTIONS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Bytes of a request line and headers that are not complete yet; None within a body.
        self._head_bytes: int | None = 0
        self._head_timer: TimerHandle | None = None
        self._is_refused = False
        self._bytes_beside_body = 0
        self._unread_timer: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Gives a new connection the time of an idle one, if there is room for it."""
        super().connection_made(transport)  # type: ignore[arg-type] # uvicorn narrows it
        if len(self.connections) > self.maximum_connections:
            message = f"There are more than {self.maximum_connections} connections."
            self._refuse(503, f"{message} Try again later.")
        else:
            self._close_unless_used()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the timers with the connection."""
        self._stop_head_timer()
        self._unset_keepalive_if_required()
        self._stop_unread_timer()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Notes that the client does not read."""
        super().pause_writing()
        self._unread_timer = self.loop.call_later(self.unread_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Notes that the client reads again."""
        self._stop_unread_timer()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Parses what came, unless its headers have become too large."""
        if self._is_refused:
            return
        if self._head_bytes is not None:
            room = MAXIMUM_HEAD_BYTES - self._head_bytes
            if not room:
                message = (
                    f"The request line and headers are larger than {MAXIMUM_HEAD_BYTES} bytes."
                )
                self._refuse(431, message)
                return
            if len(data) > room:
                self.data_received(data[:room])
                self.data_received(data[room:])
                return
            self._head_bytes += len(data)  # taken back below when headers end
        else:
            self._bytes_beside_body += len(data)  # taken back when some of it is the body's
        super().data_received(data)
        if self._head_bytes is None and self._bytes_beside_body > MAXIMUM_HEAD_BYTES:
            self._refuse(431, f"The trailers are larger than {MAXIMUM_HEAD_BYTES} bytes.")
            return
        if self._head_bytes == 0:
            if self.cycle.scope is not self.scope:
                # Headers have begun behind another request in one piece: the parser does not tell
                # where, so they count from the next piece on.
                self._head_bytes = 1
            elif not self.cycle.response_complete:
                return  # as nearly always: one whole request, which is at work now
        self._bound_the_wait()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Takes a header; trailers, which come behind the headers' end, are dropped."""
        if self._head_bytes is not None:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Notes that headers have ended, and starts the request."""
        super().on_headers_complete()
        self._head_bytes = None
        self._bytes_beside_body = 0
        if self._head_timer is not None:
            self._stop_head_timer()

    def on_body(self, body: bytes) -> None:
        """Takes a part of the body."""
        self._bytes_beside_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Notes that the next bytes are headers again, unless the body is still to come."""
        super().on_message_complete()
        if not self.is_body_to_come:
            self._head_bytes = 0
            if self._head_timer is not None:
                self._stop_head_timer()

    def send_400_response(self, msg: str) -> None:
        """Answers what cannot be parsed."""
        self._refuse(400, msg)

    @property
    def _is_at_work(self) -> bool:
        # uvicorn types the cycle as if there were one before the first request.
        return self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr]

    def _bound_the_wait(self) -> None:
        """Has a timer run wherever the client alone decides how long the connection lasts."""
        if self._is_refused or self.transport.is_closing():
            return
        if self._head_bytes == 0:
            if not self._is_at_work and self.timeout_keep_alive_task is None:
                self._close_unless_used()
        elif self._head_timer is None and (self._head_bytes or not self._is_at_work):
            self._head_timer = self.loop.call_later(self.head_seconds, self._give_up)

    def _close_unless_used(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _give_up(self) -> None:
        self._refuse(408, f"The headers did not arrive within {self.head_seconds:g} seconds.")

    def _refuse(self, status: int, message: str) -> None:
        """Takes nothing more, answers with an error where its turn has come, and closes."""
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        self._stop_head_timer()
        if self._head_bytes is not None:
            if self._is_at_work:  # on an earlier request, whose answer goes out and is the last
                self.cycle.keep_alive = False
                return
        elif self._is_at_work and not self.pipeline and not self.cycle.response_started:
            # Amid the body of the request itself: for its reader this is a hang-up, and no more of
            # the body is asked for.
            self.cycle.waiting_for_100_continue = False
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        else:
            self.transport.close()
            return
        self.transport.write(self._error_answer(status, message))
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

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

    def _stop_unread_timer(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
