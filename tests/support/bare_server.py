"""A server without the gateway, in a thread, for HTTP by the byte."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from raw_http import Connection, connections_to
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from gateway.server.connections import ConnectionsState
from gateway.server.protocol import HttpProtocol


class Store:
    """Answers with the path and the size of the body; /wait once /go is asked, /early unread.

    /hosts is answered with the values of `Host`, /large with 8 MiB.
    """

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.waits = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.url.path == "/go":
            self.go.set()
        if request.url.path.endswith("/wait"):
            self.waits.set()
            await self.go.wait()
        if request.url.path == "/hosts":
            await JSONResponse(request.headers.getlist("host"))(scope, receive, send)
            return
        if request.url.path == "/large":
            await Response(b"x" * 8 * 1024 * 1024)(scope, receive, send)
            return
        size = 0 if request.url.path == "/early" else len(await request.body())
        await JSONResponse([request.url.path, size])(scope, receive, send)


class Served:
    """A server, and how to connect to it."""

    def __init__(self, store: Store, connect: Callable[[], Connection]) -> None:
        self.store = store
        self.connect = connect


@contextmanager
def served(
    protocol: type[HttpProtocol] = HttpProtocol,
    idle_seconds: int = 75,
    state: ConnectionsState | None = None,
) -> Iterator[Served]:
    """Yields a server that runs until the end of the context."""
    store = Store()
    config = uvicorn.Config(
        store,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_keep_alive=idle_seconds,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    server.server_state = state or ConnectionsState()
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        with connections_to(listener) as connect:
            yield Served(store, connect)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
