"""Makes requests of what the parser finds, and runs them one after the other."""

import logging
from collections import deque
from contextvars import copy_context
from functools import lru_cache
from typing import Any, cast
from urllib.parse import unquote

import httptools
from starlette.types import Scope
from uvicorn._types import HTTPScope
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.at_once import AnswerAtOnce, no_answer
from gateway.server.connections import ConnectionsState
from gateway.server.cycle import Cycle
from gateway.server.heads import (
    MAXIMUM_HEADERS,
    check_head,
    framing_of,
    read_target,
    too_many_headers,
)
from gateway.server.refusals import OVERLOADED

log = logging.getLogger(__name__)

HEALTH = b"/health/"
# A GET of a document has some hundred bytes.
SHORT_TARGET_BYTES = 2048


class RequestProtocol(HttpToolsProtocol):
    """A connection as far as its parser calls it.

    The callbacks raise `Refusal` for what is refused.
    """

    # Python reads attributes and methods faster while an object's dict has at most 30 names, as
    # uvicorn's has.
    __slots__ = (
        "_answer_at_once",
        "_bytes_outside_body",
        "_context",
        "_is_in_body",
        "_is_spare",
        "_running",
        "_unanswered",
    )

    server_state: ConnectionsState
    cycle: Cycle
    pipeline: deque[Cycle]  # type: ignore[assignment] # uvicorn's has the application too

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_spare = False
        self._is_in_body = False
        # Of an incomplete head, or of chunk extensions and trailers: since the last part of a body.
        self._bytes_outside_body = 0
        self._running: Cycle | None = None
        # Of the connection, before its first request.
        self._context = copy_context()
        self._answer_at_once: AnswerAtOnce = getattr(self.app, "answer_at_once", no_answer)
        # The bytes of each request without an answer, oldest first.
        self._unanswered: deque[int] = deque()

    def on_message_begin(self) -> None:
        """Begins a request."""
        if not self._is_in_body:
            self.url = b""
            self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Adds a header; drops trailers, which follow the body."""
        if self._is_in_body:
            return
        if len(self.headers) == MAXIMUM_HEADERS:
            raise too_many_headers()
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Checks the head, and starts the request."""
        self._bytes_outside_body = 0
        if self._is_in_body:
            return
        version = self.parser.get_http_version()
        expects_100 = check_head(version, self.headers)
        if not self.url.startswith(b"/"):
            self._read_other_target()
        if self._is_spare and not self.url.startswith(HEALTH):
            raise OVERLOADED
        self.expect_100_continue = expects_100 and bool(framing_of(self.headers))
        self.cycle = Cycle(
            scope_of(self, version),
            self.transport,
            self.flow,
            self.server_state.default_headers,
            self.expect_100_continue,
            version != "1.0" and self.parser.should_keep_alive(),
            self.on_response_complete,
        )
        if self._unanswered:
            self.flow.pause_reading()
            self.pipeline.appendleft(self.cycle)
        else:
            self._start(self.cycle)
        self._unanswered.append(0)
        # RFC 9110, 10.1.1: a client that gets an answer in place of 100 may leave its body out, and
        # what follows would be read as the body.
        if self.server_state.is_draining or self.expect_100_continue or self._is_spare:
            self.close_after_answer()
        self._is_in_body = True

    def on_body(self, body: bytes) -> None:
        """Adds a part of the body; after `Expect: 100-continue`, keeps the connection open."""
        self._bytes_outside_body = 0
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            if cycle.is_begun:
                cycle.message_event.set()
        if self.expect_100_continue:
            self.expect_100_continue = False
            is_last = self.server_state.is_draining or self._is_spare
            cycle.keep_alive = self.parser.should_keep_alive() and not is_last

    def on_message_complete(self) -> None:
        """Ends a request, unless the parser ended it at an upgrade, before its body."""
        if self.parser.should_upgrade() and framing_of(self.headers):
            return
        self.cycle.end_body()
        self._is_in_body = False
        self._bytes_outside_body = 0

    def _start(self, cycle: Cycle) -> None:
        """Has a request begin in a turn of its own: what came with its head is parsed by then.

        Its context is its own, too: the running one may be that of the request before.
        """
        self._running = cycle
        self.loop.call_soon(self._begin, cycle, context=self._context.copy())

    def _begin(self, cycle: Cycle) -> None:
        """Sends the answer that is there at once, else runs the application."""
        # While the client does not read, the answer waits in the application.
        if not (cycle.more_body or cycle.disconnected or self.flow.write_paused):
            scope = cast(Scope, cycle.scope)
            try:
                answer = self._answer_at_once(scope, bytes(cycle.body))
            except Exception:
                log.exception("an answer at once failed; the request goes to the application")
                answer = None
            if answer is not None:
                cycle.send_whole(answer)
                return
        cycle.start(self.app, self.loop, self.tasks)

    def close_after_answer(self) -> None:
        """Adds `Connection: close` to the answer to the last request, if it has not begun."""
        if self._unanswered and not self.cycle.response_started:
            self.cycle.keep_alive = False

    def _read_other_target(self) -> None:
        self.url, host = read_target(self.url, self.parser.get_method())
        if host is not None:
            # In place, since the scope has this list; the URL's host replaces the header's.
            self.headers[:] = [header for header in self.headers if header[0] != b"host"]
            self.headers.append((b"host", host))


def scope_of(connection: HttpToolsProtocol, version: str) -> HTTPScope:
    """Returns the scope of the request whose head has been read, with uvicorn's content."""
    path, raw_path, query_string = target_parts(connection.url)
    root_path = connection.root_path
    if root_path:
        raw_path = root_path.encode("ascii") + raw_path
        path = root_path + path
    return {
        "type": "http",
        "asgi": {"version": connection.asgi_version, "spec_version": "2.3"},
        "http_version": version,
        "server": connection.server,
        "client": connection.client,
        "scheme": connection.scheme or "http",
        "method": connection.parser.get_method().decode("ascii"),
        "root_path": root_path,
        "path": path,
        "raw_path": raw_path,
        "query_string": query_string,
        "headers": connection.headers,
        "state": connection.app_state.copy(),
    }


def target_parts(target: bytes) -> tuple[str, bytes, bytes]:
    """Returns the path of a target, the path as it was sent, and the query.

    Most requests have the same few targets, so the parts of short ones are remembered.
    """
    return remembered(target) if len(target) <= SHORT_TARGET_BYTES else _parse_target(target)


def _parse_target(target: bytes) -> tuple[str, bytes, bytes]:
    url = httptools.parse_url(target)
    path = url.path.decode("ascii")
    return unquote(path) if "%" in path else path, url.path, url.query or b""


remembered = lru_cache(64)(_parse_target)
