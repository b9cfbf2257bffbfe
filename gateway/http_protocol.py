"""uvicorn's HTTP/1.1 over httptools, with what it leaves undone: upgrades, pipelines, hang-ups."""

from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

FRAMING = (b"content-length", b"transfer-encoding")


class HttpProtocol(HttpToolsProtocol):
    """One connection.

    A request to go on in another protocol is answered in HTTP/1.1, as RFC 9110, 7.8, allows: Java's
    client asks for HTTP/2 each time. httptools takes what follows such headers for that protocol,
    so a new parser that is given the same framing takes it for the body.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_repeating_head = False
        self._at_work: RequestResponseCycle | None = None

    @property
    def is_body_to_come(self) -> bool:
        """Whether the parser has ended a message before its body, because of an upgrade."""
        return self.parser.should_upgrade() and bool(self._framing())

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
