"""One server in a thread, which advances through its stages without a signal."""

import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.client import HTTPConnection

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway.lifecycle import Lifecycle, Stage
from gateway.server import ShutdownPolicy, listen, serve_in_loop
from gateway.server.listening import address_of
from gateway.server.serving import Server

PATIENCE_SECONDS = 20


class Application:
    """Answers with its stage."""

    def __init__(self) -> None:
        self.lifecycle = Lifecycle()
        self.web = Starlette(routes=[Route("/", self.answer)])
        self.web.state.lifecycle = self.lifecycle

    async def answer(self, _: Request) -> JSONResponse:
        return JSONResponse(self.lifecycle.stage.name)


class Served:
    """A server, its connections, and the result of its run."""

    def __init__(self, drain_seconds: float, keep_alive_seconds: int) -> None:
        self.listener = listen("127.0.0.1", 0)
        self.port = self.listener.getsockname()[1]
        self.heartbeats = threading.Semaphore(0)
        policy = ShutdownPolicy(1, drain_seconds, keep_alive_seconds)
        self.server = Server(Application().web, policy, heartbeat=self.heartbeats.release)
        self.result: list[bool] = []
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self.result.append(self.server.run_until_stopped(self.listener))

    def ends(self) -> bool:
        self.thread.join(PATIENCE_SECONDS)
        return self.result == [True]


@contextmanager
def served(drain_seconds: float, keep_alive_seconds: int = 75) -> Iterator[Served]:
    running = Served(drain_seconds, keep_alive_seconds)
    with running.listener:
        running.thread.start()
        try:
            yield running
        finally:
            running.server.advance(Stage.STOPPING)
            running.thread.join()


def connect(running: Served) -> HTTPConnection:
    connection = HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE_SECONDS)
    connection.connect()
    return connection


def ask(connection: HTTPConnection) -> tuple[str, str | None]:
    """Returns the application's stage, and the answer's `Connection`."""
    connection.request("GET", "/")
    with connection.getresponse() as answer:
        return answer.read().decode().strip('"'), answer.getheader("Connection")


def last_answer(connection: HTTPConnection) -> tuple[str, str | None]:
    """Asks until the server has entered the next stage."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := ask(connection)) == ("STARTING", None) and time.monotonic() < deadline:
        pass
    return answer


def test_heartbeat_is_called_while_the_server_runs() -> None:
    with served(drain_seconds=0) as running:
        assert running.heartbeats.acquire(timeout=PATIENCE_SECONDS)
        assert running.heartbeats.acquire(timeout=PATIENCE_SECONDS)


def test_idle_connection_is_closed_after_the_keep_alive_time() -> None:
    with (
        served(drain_seconds=0, keep_alive_seconds=0) as running,
        connect_and_close(running) as connection,
    ):
        assert connection.sock.recv(1) == b""


def test_closing_server_answers_open_connections_and_accepts_no_new_ones() -> None:
    with served(drain_seconds=600) as running:
        first, second = connect(running), connect(running)
        assert [ask(first), ask(second)] == [("STARTING", None)] * 2
        running.server.advance(Stage.CLOSING)
        assert last_answer(first) == ("CLOSING", "close")
        with pytest.raises(ConnectionError):
            connect(running)
        assert running.thread.is_alive()
        assert ask(second) == ("CLOSING", "close")
        assert running.ends()  # before the drain does: no connection is left


def test_drain_of_zero_seconds_ends_at_once() -> None:
    with served(drain_seconds=0) as running, connect_and_close(running) as connection:
        assert ask(connection) == ("STARTING", None)
        running.server.advance(Stage.DRAINING)
        assert running.ends()


@contextmanager
def connect_and_close(running: Served) -> Iterator[HTTPConnection]:
    connection = connect(running)
    try:
        yield connection
    finally:
        connection.close()


async def connect_to_nothing() -> None:
    raise LookupError("nothing is there")


@asynccontextmanager
async def broken(_: Starlette) -> AsyncIterator[None]:
    await connect_to_nothing()
    yield


def test_run_of_an_application_that_does_not_start_is_not_clean(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with listen("127.0.0.1", 0) as listener:
        assert not Server(Starlette(lifespan=broken), ShutdownPolicy(0)).run_until_stopped(listener)
    assert "Application startup failed. Exiting." in caplog.messages


async def test_server_in_the_running_loop_serves_while_its_block_runs() -> None:
    with listen("127.0.0.1", 0) as listener:
        url = address_of(listener)
        async with (
            httpx.AsyncClient() as http,
            serve_in_loop(Application().web, listener, ShutdownPolicy(0)),
        ):
            assert (await http.get(url)).json() == "STARTING"
        async with httpx.AsyncClient() as http:
            with pytest.raises(httpx.ConnectError):
                await http.get(url)


async def test_server_in_the_running_loop_needs_an_application_that_starts() -> None:
    with (
        listen("127.0.0.1", 0) as listener,
        pytest.raises(RuntimeError, match="the application did not start; the log says why"),
    ):
        async with serve_in_loop(Starlette(lifespan=broken), listener, ShutdownPolicy(0)):
            pass
