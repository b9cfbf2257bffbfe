"""SIGTERM drains before the stop: one process, with real signals."""

import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPResponse

import httpx
import pytest
from running import PATIENCE_SECONDS, Gate, Running, gated_store, store_at, wait_until_refused

Connect = Callable[[Running], HTTPConnection]
LONG_DRAIN = {"GATEWAY_DRAIN_SECONDS": "600"}


@pytest.fixture
def connected() -> Iterator[Connect]:
    with ExitStack() as stack:

        def connect(gateway: Running) -> HTTPConnection:
            connection = HTTPConnection("127.0.0.1", gateway.port, timeout=PATIENCE_SECONDS)
            stack.callback(connection.close)
            connection.connect()
            return connection

        yield connect


def ask(connection: HTTPConnection, path: str = "/health/live") -> tuple[int, str | None]:
    """Returns the status, and the answer's `Connection`."""
    connection.request("GET", path)
    answer: HTTPResponse = connection.getresponse()
    answer.read()
    return answer.status, answer.getheader("Connection")


def wait_until_draining(gateway: Running) -> httpx.Response:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        answer = httpx.get(f"{gateway.url}/health/ready")
        if answer.headers.get("Connection") == "close":
            return answer
    raise AssertionError("the gateway does not drain")


def test_every_answer_after_sigterm_has_connection_close(
    run: Callable[..., Running], connected: Connect
) -> None:
    gateway = run("serve", **LONG_DRAIN)
    used, unused = connected(gateway), connected(gateway)
    assert ask(used) == (200, None)
    gateway.process.send_signal(signal.SIGTERM)
    answer = wait_until_draining(gateway)
    assert (answer.status_code, answer.json()["status"]) == (503, "draining")
    for connection in (used, unused, connected(gateway)):
        assert ask(connection, "/graphql?query=%7B__typename%7D") == (200, "close")
        assert connection.sock is None  # http.client closes it after `Connection: close`
    assert gateway.stop(signal.SIGTERM)[0] == 0  # the second signal ends the drain


def test_idle_connections_stay_open_during_a_drain(
    run: Callable[..., Running], connected: Connect
) -> None:
    gateway = run("serve", **LONG_DRAIN)
    idle = connected(gateway)
    assert ask(idle) == (200, None)
    gateway.process.send_signal(signal.SIGTERM)
    wait_until_draining(gateway)
    idle.sock.setblocking(False)
    with pytest.raises(BlockingIOError):  # recv would return b"" if it were closed
        idle.sock.recv(1)
    gateway.process.send_signal(signal.SIGINT)
    idle.sock.settimeout(PATIENCE_SECONDS)
    assert idle.sock.recv(1) == b""
    assert gateway.end()[0] == 0


def test_request_in_flight_at_sigterm_is_the_last_of_its_connection(
    run: Callable[..., Running], connected: Connect
) -> None:
    gate = Gate()
    with gated_store(gate) as url, ThreadPoolExecutor() as pool:
        gateway = run("serve", **LONG_DRAIN, **store_at(url))
        path = "/graphql?query=%7Bsegments%7BtotalCount%7D%7D"
        asked = pool.submit(ask, connected(gateway), path)
        assert gate.arrived.wait(PATIENCE_SECONDS)
        gateway.process.send_signal(signal.SIGTERM)
        wait_until_draining(gateway)
        gate.open.set()
        assert asked.result(PATIENCE_SECONDS) == (200, "close")
        assert gateway.stop(signal.SIGINT)[0] == 0


def test_drain_ends_after_its_time(run: Callable[..., Running]) -> None:
    gateway = run("serve", GATEWAY_DRAIN_SECONDS="0.3")
    gateway.process.send_signal(signal.SIGTERM)
    wait_until_refused("127.0.0.1", gateway.port)
    assert gateway.end()[0] == 0


def test_ctrl_c_does_not_drain(run: Callable[..., Running], connected: Connect) -> None:
    gateway = run("serve", **LONG_DRAIN)
    assert ask(connected(gateway)) == (200, None)
    assert gateway.stop(signal.SIGINT)[0] == 0


def test_request_before_the_application_is_up_is_answered_by_it(
    run: Callable[..., Running],
) -> None:
    gateway = run("serve")  # it listens but is not up yet
    with socket.create_connection(("127.0.0.1", gateway.port), PATIENCE_SECONDS) as early:
        early.sendall(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert early.recv(12) == b"HTTP/1.1 200"
    assert gateway.stop()[0] == 0


def test_readiness_and_drain_are_said_once(run: Callable[..., Running]) -> None:
    gateway = run("serve", **LONG_DRAIN)
    for _ in range(3):
        assert httpx.get(f"{gateway.url}/health/ready").status_code == 200
    gateway.process.send_signal(signal.SIGTERM)
    for _ in range(3):
        assert wait_until_draining(gateway).status_code == 503
    gateway.stop()
    said = [line.split(": ", 1)[1].rstrip() for line in gateway.lines]
    assert said[1:3] == [
        f"the last hour of this gateway: {gateway.url}/status",
        f"listening on {gateway.url}; Ctrl-C stops",
    ]
    assert said[3:] == [
        "ready",
        "draining: requests are answered, and readiness is 503",
        "stopped after 0 upstream requests",
    ]
