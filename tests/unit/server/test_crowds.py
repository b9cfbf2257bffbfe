"""Too many connections, or too many bytes in waiting, over real connections."""

from typing import Any

import pytest
import uvicorn
from bare_server import served
from clock import settle
from raw_http import PATIENCE_SECONDS, Connection, get

from gateway.server.connections import ConnectionsState
from gateway.server.protocol import HttpProtocol

KIB = 1024
MESSAGE = "The gateway has too many connections or incomplete requests. Try again in 1 s."
OVERLOADED = {"errors": [{"message": MESSAGE, "extensions": {"code": "OVERLOADED"}}]}


def post(path: str, size: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: gateway", f"Content-Length: {size}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answered(client: Connection, path: str) -> bool:
    client.send(get(path))
    return client.answer() == (200, False, [path, 0])


def test_idle_connection_that_waits_longest_is_closed_for_a_new_one() -> None:
    with served(state=ConnectionsState(4)) as server:  # two of one address
        first, second = server.connect(), server.connect()
        assert answered(first, "/a")
        assert answered(second, "/b")
        assert answered(first, "/c")
        third = server.connect()
        assert answered(third, "/d")
        assert second.is_at_its_end
        assert answered(first, "/e")


@pytest.mark.parametrize("start", [get("/a")[:-2], post("/a", 9), post("/a", 9, b"x")])
def test_incomplete_request_is_answered_with_503_to_make_room(start: bytes) -> None:
    with served(state=ConnectionsState(2)) as server:
        slow = server.connect()
        slow.send(start)
        other = server.connect()
        status, headers = slow.head()
        assert (status, headers["Retry-After"], headers["Connection"]) == (503, "1", "close")
        assert answered(other, "/b")


def test_busy_connections_leave_room_for_health_checks_alone() -> None:
    with served(state=ConnectionsState(2)) as server:
        at_work = server.connect()
        at_work.send(get("/wait"))
        assert server.store.waits.wait(PATIENCE_SECONDS)
        health = server.connect()
        health.send(get("/health/live"))
        assert health.answer() == (200, True, ["/health/live", 0])
        assert health.is_at_its_end
        other = server.connect()
        other.send(get("/b"))
        assert other.answer() == (503, True, OVERLOADED)
        assert other.is_at_its_end
        body = server.connect()
        body.send(post("/health/x", 3, b"", "Expect: 100-continue"))
        assert body.head()[0] == 100
        body.send(b"abc")
        assert body.answer() == (200, True, ["/health/x", 3])


def test_spare_connections_that_are_busy_too_leave_no_room() -> None:
    with served(state=ConnectionsState(2, spare=1)) as server:
        server.connect().send(get("/wait"))
        assert server.store.waits.wait(PATIENCE_SECONDS)
        server.store.waits.clear()
        server.connect().send(get("/health/wait"))
        assert server.store.waits.wait(PATIENCE_SECONDS)
        assert server.connect().answer() == (503, True, OVERLOADED)


def test_slow_bodies_beyond_the_limit_of_bytes_are_dropped_and_small_requests_answered() -> None:
    with served(state=ConnectionsState(maximum_bytes=256 * KIB)) as server:
        slow = [server.connect() for _ in range(5)]
        for n, client in enumerate(slow):
            client.send(post("/slow", 60 * KIB, b"x" * (50 + n) * KIB))
            assert answered(server.connect(), "/a")  # so that the server has read it
        assert slow[-1].answer() == (503, True, OVERLOADED)
        small = server.connect()
        small.send(post("/b", 5, b"abcde"))
        assert small.answer() == (200, False, ["/b", 5])
        slow[0].send(b"x" * 10 * KIB)
        assert slow[0].answer() == (200, False, ["/slow", 60 * KIB])


def test_incomplete_heads_count_as_bytes_in_waiting() -> None:
    with served(state=ConnectionsState(maximum_bytes=64 * KIB)) as server:
        heads = [server.connect() for _ in range(2)]
        for n, client in enumerate(heads):
            client.send(get("/", "X: " + "x" * (40 + n) * KIB)[:-2])
            assert answered(server.connect(), "/a")
        assert heads[1].answer() == (503, True, OVERLOADED)
        heads[0].send(b"\r\n")
        assert heads[0].answer() == (200, False, ["/", 0])


def test_answer_that_is_not_read_counts_as_bytes_in_waiting() -> None:
    with served(state=ConnectionsState(maximum_bytes=256 * KIB)) as server:
        client = server.connect()
        client.send(get("/large"))
        assert answered(server.connect(), "/a")
        assert client.head()[0] == 200
        assert len(client.stream.read()) < 8 * KIB * KIB


def test_answer_that_is_read_late_is_whole_and_counted_no_more() -> None:
    with served(state=ConnectionsState(maximum_bytes=12 * KIB * KIB)) as server:
        client = server.connect()
        for _ in range(4):
            client.send(get("/large"))
            assert answered(server.connect(), "/a")
            assert client.head()[0] == 200
            assert len(client.stream.read(8 * KIB * KIB)) == 8 * KIB * KIB
        assert answered(client, "/b")


def test_bytes_of_answered_requests_are_counted_no_more() -> None:
    with served(state=ConnectionsState(maximum_bytes=256 * KIB)) as server:
        client = server.connect()
        for _ in range(10):
            client.send(post("/a", 100 * KIB, b"x" * 100 * KIB))
            assert client.answer() == (200, False, ["/a", 100 * KIB])
            client.send(post("/early", 100 * KIB, b"x"))
            assert client.answer() == (200, False, ["/early", 0])
            client.send(b"x" * (100 * KIB - 1))


class FullTransport:
    """A transport whose client reads nothing, with the calls of `close` and `abort`."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def get_extra_info(self, _: str) -> Any:
        return None

    def get_write_buffer_size(self) -> int:
        return 1

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")


async def test_idle_connection_with_an_unread_answer_is_aborted_some_time_after_its_drop() -> None:
    class Impatient(HttpProtocol):
        unread_seconds = 0

    config = uvicorn.Config(lambda: None, http=Impatient, log_config=None)
    config.load()
    transport: Any = FullTransport()
    connection = Impatient(config, ConnectionsState(), {})
    connection.connection_made(transport)
    connection.drop()
    assert transport.calls == ["close"]
    await settle()
    assert transport.calls == ["close", "abort"]
    connection.connection_lost(None)
