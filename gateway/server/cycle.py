"""One request and its answer: uvicorn's cycle, with an answer that goes out in as few writes.

The head waits for the first part of the body, and both go out in one write. So until then, an
application that fails is answered with 500.
"""

import asyncio
import logging
from collections.abc import Callable

from uvicorn._types import (
    ASGI3Application,
    ASGIReceiveEvent,
    ASGISendEvent,
    HTTPResponseStartEvent,
    HTTPScope,
)
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from gateway.at_once import WholeAnswer
from gateway.server.heads import FRAMING, Headers

END_OF_LINE = b"\r\n"
TASK_NAME = "request"
CLOSE = b"connection: close\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# They end a line, or are refused by clients (RFC 9110, 5.5). A tab is valid.
CONTROLS = bytes(code for code in (*range(32), 127) if code != ord("\t"))
FRAMING_OF_ANSWERS = frozenset({*FRAMING, b"connection"})
WITHOUT_CONTENT = (204, 304)
# Of the cycles whose application does not wait. It is set all the time, without an effect.
UNAWAITED = asyncio.Event()

log = logging.getLogger("uvicorn.error")


class DefaultLines:
    """The lines of the headers that all answers have; uvicorn replaces their list each second."""

    def __init__(self) -> None:
        self._headers: Headers = []
        self._lines = b""

    def of(self, headers: Headers) -> bytes:
        """Returns the lines of a list that nothing changes."""
        if headers is not self._headers:
            self._lines = b"".join([b"%b: %b\r\n" % header for header in headers])
            self._headers = headers
        return self._lines


_default_lines = DefaultLines()


class Cycle(RequestResponseCycle):
    """One request and its answer.

    The names of headers are in lower case, as ASGI demands; they are not lowered again.
    `response_started` is whether the head has been written, not whether it is known.
    """

    logger = log
    message_event = UNAWAITED
    disconnected = False
    more_body = True
    response_started = False
    response_complete = False
    chunked_encoding: bool | None = None
    expected_content_length = 0
    is_begun = False
    _is_read = False
    _says_close = False
    _head: bytes | None = None

    def __init__(  # not uvicorn's: most requests need no event, and no log of access
        self,
        scope: HTTPScope,
        transport: asyncio.Transport,
        flow: FlowControl,
        default_headers: Headers,
        expect_100_continue: bool,
        keep_alive: bool,
        on_response: Callable[[], None],
    ) -> None:
        self.scope = scope
        self.transport = transport
        self.flow = flow
        self.default_headers = default_headers
        self.waiting_for_100_continue = expect_100_continue
        self.keep_alive = keep_alive
        self.on_response = on_response
        self.body = bytearray()

    def start(
        self, app: ASGI3Application, loop: asyncio.AbstractEventLoop, tasks: set[asyncio.Task[None]]
    ) -> None:
        """Runs the application in a task, which `tasks` has until it ends."""
        self._tasks = tasks
        # `create_task` would count the name, and look for a factory.
        self._task = asyncio.Task(self.run_asgi(app), loop=loop, name=TASK_NAME)
        tasks.add(self._task)

    async def run_asgi(self, app: ASGI3Application) -> None:
        """Runs the application; answers with 500, or closes, if it fails or ends too early."""
        try:
            await app(self.scope, self.receive, self.send)
            if not (self.response_complete or self.disconnected):
                raise RuntimeError("The application returned before the end of its answer.")
        except BaseException as error:
            self.logger.error("Exception in ASGI application\n", exc_info=error)
            if self.response_started:
                self.transport.close()
            else:
                await self.send_500_response()
        finally:
            self._tasks.discard(self._task)

    def end_body(self) -> None:
        """Notes that all of the body has come."""
        self.more_body = False
        if self.is_begun:
            self.message_event.set()

    async def receive(self) -> ASGIReceiveEvent:
        """Returns what has arrived of the body, or waits for more, or for the end."""
        self.is_begun = True
        if self.waiting_for_100_continue and not self.transport.is_closing():
            self.transport.write(CONTINUE)
            self.waiting_for_100_continue = False
        while not self.disconnected and not self.response_complete:
            if self.flow.read_paused:
                self.flow.resume_reading()
            more_body = self.more_body
            if self.body or not (more_body or self._is_read):
                body, self.body = bytes(self.body), bytearray()
                self._is_read = not more_body
                return {"type": "http.request", "body": body, "more_body": more_body}
            if self.message_event is UNAWAITED:
                self.message_event = asyncio.Event()
            self.message_event.clear()
            await self.message_event.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: ASGISendEvent) -> None:
        """Sends a part of the answer; keeps its head until the first part of the body."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if self.response_complete:
            raise RuntimeError(f"{message['type']!r} comes after the end of the answer.")
        if message["type"] == "http.response.body" and self._head is not None:
            self._send_body(message.get("body", b""), message.get("more_body", False))
        elif message["type"] == "http.response.start" and self._head is None:
            self.waiting_for_100_continue = False
            self._head = self._head_from(message)
        else:
            expected = "http.response.start" if self._head is None else "http.response.body"
            raise RuntimeError(f"Expected {expected!r}, but got {message['type']!r}.")

    def send_whole(self, answer: WholeAnswer) -> None:
        """Sends an answer in one write, in place of an application that has not started."""
        default = _default_lines.of(self.default_headers)
        end = END_OF_LINE if self.keep_alive else CLOSE + END_OF_LINE
        content = answer.parts if self.scope["method"] != "HEAD" else ()
        self.transport.write(
            b"".join((STATUS_LINE[answer.status], default, answer.lines, end, *content))
        )
        self.response_started = True
        self._complete()

    async def send_500_response(self) -> None:
        """Answers with 500, in place of a head that has not been written."""
        self._head = None
        await super().send_500_response()

    def _head_from(self, message: HTTPResponseStartEvent) -> bytes:
        """Returns the head without its end, and notes what it says of the body.

        Raises `RuntimeError` if a header has a control character, which could begin another line.
        """
        status = message["status"]
        headers = [*self.default_headers, *message.get("headers", ())]
        self.chunked_encoding = None
        self.expected_content_length = 0
        self._says_close = False
        for name, value in headers:
            if name not in FRAMING_OF_ANSWERS:
                continue
            if name == b"content-length":
                if self.chunked_encoding is None:
                    self.expected_content_length = int(value)
                    self.chunked_encoding = False
            elif name == b"transfer-encoding":
                if value.lower() == b"chunked":
                    self.expected_content_length = 0
                    self.chunked_encoding = True
            else:
                tokens = (token.strip().lower() for token in value.split(b","))
                self._says_close = self._says_close or b"close" in tokens
        has_content = self.scope["method"] != "HEAD" and status not in WITHOUT_CONTENT
        if self.chunked_encoding is None and has_content:
            self.chunked_encoding = True
            headers.append((b"transfer-encoding", b"chunked"))
        lines = END_OF_LINE.join(map(b": ".join, headers))
        line_ends = 2 * max(0, len(headers) - 1)
        if len(lines.translate(None, CONTROLS)) != len(lines) - line_ends:
            raise RuntimeError("A header of the answer has a control character.")
        return STATUS_LINE[status] + lines + (END_OF_LINE if headers else b"")

    def _send_body(self, body: bytes, more_body: bool) -> None:
        """Writes a part of the body, after the head if that has not been written."""
        content = self._content(body, more_body)
        if not self.response_started:
            self.response_started = True
            head = self._head or b""
            if self._says_close:
                self.keep_alive = False
            elif not self.keep_alive:
                head += CLOSE
            content = b"".join((head, END_OF_LINE, content))
        if content:
            self.transport.write(content)
        if not more_body:
            self._complete()

    def _complete(self) -> None:
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _content(self, body: bytes, more_body: bool) -> bytes:
        """Returns the bytes for a part of the body; raises `RuntimeError` if its size is wrong."""
        if self.scope["method"] == "HEAD":
            return b""
        if self.chunked_encoding:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            return chunk if more_body else chunk + b"0\r\n\r\n"
        self.expected_content_length -= len(body)
        if self.expected_content_length < 0:
            raise RuntimeError("The body of the answer is longer than its Content-Length.")
        if self.expected_content_length and not more_body:
            raise RuntimeError("The body of the answer is shorter than its Content-Length.")
        return body
