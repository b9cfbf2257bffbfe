"""HTTP/1.1: uvicorn's protocol over httptools, with the limits and checks that both lack.

It limits the head of a request (its request line and headers), the requests that a client sends
ahead, and the time of a client. `requests` makes requests of what the parser finds, `connections`
has what all connections share, and `gateway.web.request_body` limits bodies.
"""

from asyncio import BaseTransport
from functools import partial
from typing import Any

import httptools

from gateway.server.connections import Admission
from gateway.server.heads import (
    MAXIMUM_HEAD_BYTES,
    VERSION_ERRORS,
    framing_of,
    other_version,
    too_large,
)
from gateway.server.pipelining import END_OF_HEAD, MAXIMUM_PIPELINED, Flow, size_of_requests
from gateway.server.refusals import INVALID, OVERLOADED, Refusal, answer_to
from gateway.server.requests import RequestProtocol
from gateway.server.timers import Timer

HEAD_SECONDS = 30.0
UNREAD_SECONDS = 60.0


class HttpProtocol(RequestProtocol):
    """One connection.

    A head of more than `MAXIMUM_HEAD_BYTES` or `MAXIMUM_HEADERS` is answered with 431, as are
    trailers; a head that is incomplete `head_seconds` after its first byte with 408 (RFC 6585, 5;
    RFC 9110, 15.5.9). A connection without a request, new or idle, closes after
    `timeout_keep_alive`. One whose answer is not read for `unread_seconds` is aborted. At
    `MAXIMUM_PIPELINED` requests without an answer, no more is parsed, nor soon read.
    """

    __slots__ = ("_head_timer", "_idle_timer", "_is_refused", "_unparsed", "_unread_timer")

    flow: Flow
    head_seconds = HEAD_SECONDS
    unread_seconds = UNREAD_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_refused = False
        self._unparsed = b""
        late = Refusal(408, f"The headers did not arrive within {self.head_seconds:g} seconds.")
        self._head_timer = Timer(self.loop, self.head_seconds, partial(self._refuse, late))
        self._idle_timer = Timer(
            self.loop, self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def connection_made(self, transport: BaseTransport) -> None:
        """Accepts a connection, if there is room for it."""
        super().connection_made(transport)  # type: ignore[arg-type] # uvicorn narrows it
        self.flow = Flow(self.transport)
        self._unread_timer = Timer(self.loop, self.unread_seconds, self.transport.abort)
        admission = self.server_state.admit(self, self.client[0] if self.client else "")
        self._is_spare = admission is Admission.HEALTH_ONLY
        if admission is Admission.NOTHING:
            self._refuse(OVERLOADED)
        else:
            self._idle_timer.start()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the timers, and the requests that the client has sent ahead."""
        self.server_state.leave(self)
        self.pipeline.clear()
        if self._running is not None:  # uvicorn tells the last request alone
            self._running.disconnected = True
            self._running.message_event.set()
        for timer in (self._head_timer, self._idle_timer, self._unread_timer):
            timer.forget()
        super().connection_lost(exc)

    def drop(self) -> None:
        """Ends the connection to make room; a request that is incomplete gets 503."""
        if self.flow.write_paused:
            self.transport.abort()
            return
        if self.transport.get_write_buffer_size():  # the client may not have read its last answer
            self.loop.call_later(self.unread_seconds, self.transport.abort)
        if self._bytes_outside_body or self._unanswered:
            self._refuse(OVERLOADED)
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        """Starts the timer for the client to read its answer."""
        super().pause_writing()
        self._unread_timer.start()
        self._note_wait()

    def resume_writing(self) -> None:
        """Stops that timer."""
        super().resume_writing()
        self._unread_timer.stop()
        self._note_wait()

    def data_received(self, data: bytes) -> None:
        """Parses bytes, as far as there is room for requests."""
        self._idle_timer.stop()
        self._parse_on(self._unparsed + data if self._unparsed else data)

    def _parse_on(self, data: bytes) -> None:
        """Parses bytes, at most `MAXIMUM_HEAD_BYTES` in a row outside a body."""
        self._unparsed = b""
        while data and not self._is_refused and not self.transport.is_closing():
            free = MAXIMUM_PIPELINED - len(self._unanswered)
            if free <= 0:  # a head whose end came in two parts is one more
                self._unparsed = data
                self.flow.pause_reading()
                break
            room = MAXIMUM_HEAD_BYTES - self._bytes_outside_body
            if not room:
                self._refuse(too_large(is_in_body=self._is_in_body))
                break
            if len(data) <= room and data.count(END_OF_HEAD) <= free:
                data = self._parse(data)
            else:
                size = size_of_requests(data, free, room)
                data = self._parse(data[:size]) + data[size:]
        self.flow.has_unparsed = bool(self._unparsed)
        self._note_wait()
        if self._unanswered:
            self._head_timer.stop()
        elif not self.transport.is_closing():
            self._limit_wait()

    def on_response_complete(self) -> None:
        """Starts the next request; reads and parses on once no other request is queued."""
        self._unanswered.popleft()
        self.server_state.total_requests += 1
        if not self.transport.is_closing():
            if self.flow.read_paused:
                self.flow.resume_reading()
            if self.pipeline:
                self._start(self.pipeline.pop())
            elif not self._unparsed:
                self._idle_timer.start()
        if self.pipeline:
            self.flow.pause_reading()
        elif self._unparsed:
            self._parse_on(self._unparsed)
        self._note_wait()

    def _parse(self, data: bytes) -> bytes:
        """Parses bytes; returns those after a head with an upgrade."""
        rest = b""
        self._bytes_outside_body += len(data)
        size = self._bytes_outside_body
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade()
            rest = data[upgrade.args[0] :]
        except httptools.HttpParserError as error:
            cause = error.__context__  # what a callback raised
            if isinstance(cause, Refusal):
                self._refuse(cause)
            else:
                is_version = str(error) in VERSION_ERRORS
                self._refuse(other_version() if is_version else Refusal(400, INVALID))
        if self._unanswered and not self._bytes_outside_body:
            self._unanswered[-1] += size
        return rest

    def _ignore_upgrade(self) -> None:
        """Continues in HTTP/1.1 (RFC 9110, 7.8): Java's client asks for HTTP/2 with each request.

        After such a head, httptools reads the bytes as the other protocol. A new parser with the
        same framing reads them as the body.
        """
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        if framing := framing_of(self.headers):
            lines = b"".join(b"%b: %b\r\n" % header for header in framing)
            self._parse(b"POST / HTTP/1.1\r\n" + lines + b"\r\n")

    def _note_wait(self) -> None:
        """Lets the other connections know whether this one waits, and its bytes in waiting."""
        size = self._bytes_outside_body + len(self._unparsed) + sum(self._unanswered)
        if self.flow.write_paused:
            size += self.transport.get_write_buffer_size()
        is_waiting = self.flow.write_paused or len(self._unanswered) <= self._is_in_body
        self.server_state.note(self, is_waiting, size)

    def _limit_wait(self) -> None:
        """Runs a timer while the connection waits for the client."""
        if not self._is_in_body and not self._bytes_outside_body:
            self._head_timer.stop()
            self._idle_timer.start()
        elif not self._head_timer.is_running:
            self._head_timer.start()

    def _refuse(self, refusal: Refusal) -> None:
        """Closes the connection, after an error unless another answer has begun or is due."""
        self._is_refused = True
        self._unparsed = b""
        if self._unanswered and not self._is_in_body:
            self.cycle.keep_alive = False  # the answer to an earlier request is the last
            return
        is_unanswered = self._unanswered and not self.cycle.response_started and not self.pipeline
        if is_unanswered or not self._is_in_body:
            # RFC 9110, 9.3.2. The parser of a new connection has no method.
            has_content = self.parser.get_method() != b"HEAD"
            headers = self.server_state.default_headers
            self.transport.write(answer_to(refusal, headers, has_content=has_content))
        self.transport.close()
