"""Answers that need no task, over real connections to a server in a thread."""

import asyncio
import random
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from bare_server import Served, served
from raw_http import PATIENCE_SECONDS, Connection, get, refused
from starlette.types import Scope

from gateway.at_once import WholeAnswer
from gateway.server.connections import ConnectionsState
from gateway.server.pipelining import MAXIMUM_PIPELINED
from gateway.server.protocol import HttpProtocol

BAR = "x" * 16 * 1024 * 1024  # more than the sockets' buffers
UPGRADE = (
    "Connection: Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAAQAAP__",
)
INVALID = refused(400, "This is not a valid HTTP/1.1 request.")

path_in_context: ContextVar[str] = ContextVar("path_in_context", default="")


class Ready:
    """Answers /ready… at once, with its path and the size of the body; notes what it is asked for.

    `inherited` are the paths of other requests that the contexts of requests have.
    `most_in_a_turn` is how many answers it gave in one turn of the event loop.
    """

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.inherited: set[str] = set()
        self.most_in_a_turn = 0
        self._in_this_turn = 0

    def answer_at_once(self, scope: Scope, body: bytes) -> WholeAnswer | None:
        path = scope["path"]
        self.paths.append(path)
        self.inherited.add(path_in_context.get())
        path_in_context.set(path)
        if path == "/broken":
            raise LookupError("broken")
        if "/ready" not in path:
            return None
        if not self._in_this_turn:
            asyncio.get_running_loop().call_soon(self._end_turn)
        self._in_this_turn += 1
        self.most_in_a_turn = max(self.most_in_a_turn, self._in_this_turn)
        content = BAR if path == "/ready/large" else len(body)
        parts = (b'["at once",', msgspec.json.encode([path, content])[1:])
        return WholeAnswer(200, b"content-length: %d\r\n" % sum(map(len, parts)), parts)

    def _end_turn(self) -> None:
        self._in_this_turn = 0


@contextmanager
def ready_server(
    state: ConnectionsState | None = None, idle_seconds: float = 75, **seconds: float
) -> Iterator[tuple[Served, Ready]]:
    """Yields a server whose application answers at once; `seconds` are limits of the protocol."""
    ready = Ready()

    class Protocol(HttpProtocol):
        def __init__(self, config: Any, *args: Any, **kwargs: Any) -> None:
            config.loaded_app.answer_at_once = ready.answer_at_once
            config.timeout_keep_alive = idle_seconds
            super().__init__(config, *args, **kwargs)

    for name, value in seconds.items():
        setattr(Protocol, name, value)
    with served(Protocol, state=state) as server:
        yield server, ready


def post(path: str, body: bytes, *headers: str) -> bytes:
    head = [f"POST {path} HTTP/1.1", "Host: gateway", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


def chunked(path: str, *headers: str) -> bytes:
    """Returns a request with a body of 5 bytes."""
    head = [f"POST {path} HTTP/1.1", "Host: gateway", "Transfer-Encoding: chunked", *headers]
    return "\r\n".join([*head, "", "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"]).encode()


def at_once(path: str, size: int = 0, *, is_last: bool = False) -> tuple[int, bool, object]:
    return 200, is_last, ["at once", path, size]


def in_a_task(path: str, size: int = 0, *, is_last: bool = False) -> tuple[int, bool, object]:
    return 200, is_last, [path, size]


def send_behind_a_wait(server: Served, client: Connection, data: bytes) -> None:
    """Has the server read `data` while /wait runs, then ends /wait, and reads its answer."""
    client.send(get("/wait") + data)
    assert server.store.waits.wait(PATIENCE_SECONDS)
    server.connect().send(get("/go"))
    assert client.answer() == in_a_task("/wait")


def is_served(server: Served) -> bool:
    """Returns after what other connections have sent before has been read."""
    other = server.connect()
    other.send(get("/ready/other"))
    return other.answer() == at_once("/ready/other")


def receives_nothing(client: Connection, seconds: float) -> bool:
    """Returns whether neither bytes nor the end of the connection come in this time."""
    return not select.select([client.socket], [], [], seconds)[0]


def test_what_is_ready_is_answered_without_the_application() -> None:
    with ready_server() as (server, ready):
        client = server.connect()
        for path in ("/ready/a", "/ready/b"):
            client.send(get(path))
            assert client.answer() == at_once(path)
        client.send(get("/c"))
        assert client.answer() == in_a_task("/c")
        assert ready.paths == ["/ready/a", "/ready/b", "/c"]


def test_no_request_inherits_the_context_of_another() -> None:
    with ready_server() as (server, ready):
        client = server.connect()
        paths = ["/ready/a", "/b", "/ready/c", "/d"]
        client.send(b"".join(map(get, paths)))  # pipelined
        for _ in paths:
            client.answer()
        for path in paths:
            client.send(get(path))
            client.answer()
        assert ready.paths == [*paths, *paths]
        assert ready.inherited == {""}


def requests(chance: random.Random) -> tuple[bytes, list[list[object]]]:
    """Returns requests of many kinds, and the path and the size of the body of each."""
    makers: list[Callable[[str], tuple[bytes, int]]] = [
        lambda path: (get(path), 0),
        lambda path: (get(path, *UPGRADE), 0),
        lambda path: (post(path, b"GET / HTTP/1.1\r\n\r\n"), 18),
        lambda path: (post(path, b"abc", *UPGRADE), 3),
        lambda path: (post(path, b"x" * 70_000), 70_000),
        lambda path: (chunked(path), 5),
    ]
    data, asked = b"", list[list[object]]()
    for number in range(35):
        path = chance.choice(["/ready/", "/"]) + str(number)
        request, size = chance.choice(makers)(path)
        data += request
        asked.append([path, size])
    return data, asked


def test_failure_is_logged_and_the_application_answers(caplog: pytest.LogCaptureFixture) -> None:
    with ready_server() as (server, _):
        client = server.connect()
        client.send(get("/broken") + get("/ready"))
        assert client.answer() == in_a_task("/broken")
        assert client.answer() == at_once("/ready")
    assert caplog.messages == ["an answer at once failed; the request goes to the application"]
    assert caplog.records[0].exc_info is not None


def test_pipelined_requests_are_answered_in_order_however_they_are_cut() -> None:
    with ready_server() as (server, ready):
        for seed in range(20):
            chance = random.Random(seed)
            data, asked = requests(chance)
            places = sorted(chance.choices(range(len(data)), k=chance.choice([0, 3, 60])))
            client = server.connect()
            for start, end in pairwise([0, *places, len(data)]):
                client.send(data[start:end])
            for path, size in asked:
                answer = client.answer()
                assert answer in ((200, False, [path, size]), (200, False, ["at once", path, size]))
            client.send(get("/ready/next"))
            assert client.answer() == at_once("/ready/next")
        assert ready.most_in_a_turn > 0


def test_body_that_came_with_its_head_is_part_of_the_question() -> None:
    with ready_server() as (server, _):
        client = server.connect()
        client.send(post("/ready/a", b"abc") + chunked("/ready/b") + post("/ready/c", b""))
        assert client.answer() == at_once("/ready/a", 3)
        assert client.answer() == at_once("/ready/b", 5)
        assert client.answer() == at_once("/ready/c", 0)


@pytest.mark.parametrize("request_", [post("/ready/a", b"abcde"), chunked("/ready/a")])
def test_request_whose_body_comes_later_is_the_applications(request_: bytes) -> None:
    with ready_server() as (server, ready):
        client = server.connect()
        client.send(request_[:-4])
        assert is_served(server)
        client.send(request_[-4:] + get("/ready/b"))
        assert client.answer() == in_a_task("/ready/a", 5)
        assert client.answer() == at_once("/ready/b")
        assert ready.paths == ["/ready/other", "/ready/b"]


def test_expected_100_is_left_out_once_the_body_is_there() -> None:
    with ready_server() as (server, _):
        client = server.connect()
        client.send(post("/ready/a", b"abc", "Expect: 100-continue"))
        assert client.answer() == at_once("/ready/a", 3)
        client.send(post("/ready/b", b"abc", "Expect: 100-continue")[:-3])
        assert client.head()[0] == 100
        client.send(b"abc")
        assert client.answer() == in_a_task("/ready/b", 3)
        client.send(get("/ready/c"))
        assert client.answer() == at_once("/ready/c")


@pytest.mark.parametrize(
    ("request_", "size"),
    [
        (get("/ready/a", *UPGRADE), 0),
        (post("/ready/a", b"abc", *UPGRADE), 3),
        (chunked("/ready/a", *UPGRADE), 5),
    ],
    ids=["no body", "a length", "chunks"],
)
def test_request_to_upgrade_is_answered_at_once(request_: bytes, size: int) -> None:
    """Java's client sends such headers each time (RFC 9110, 7.8)."""
    with ready_server() as (server, _):
        client = server.connect()
        client.send(request_ + get("/ready/b"))
        assert client.answer() == at_once("/ready/a", size)
        assert client.answer() == at_once("/ready/b")


def test_answer_to_head_has_no_content() -> None:
    with ready_server() as (server, _):
        client = server.connect()
        client.send(get("/ready/a").replace(b"GET", b"HEAD") + get("/ready/b"))
        status, headers = client.head()
        assert (status, headers["Content-Length"]) == (200, "24")
        assert client.answer() == at_once("/ready/b")


@pytest.mark.parametrize("path", ["/ready/b", "/b"])
def test_nothing_behind_the_last_request_is_answered(path: str) -> None:
    with ready_server() as (server, ready):
        client = server.connect()
        client.send(get("/ready/a", "Connection: close") + get(path) * 12)
        assert client.answer() == at_once("/ready/a", is_last=True)
        assert client.is_at_its_end
        assert ready.paths == ["/ready/a"]


def test_http_1_0_gets_one_answer() -> None:
    with ready_server() as (server, _):
        client = server.connect()
        client.send(get("/ready/a").replace(b"/1.1", b"/1.0") + get("/ready/b"))
        assert client.answer() == at_once("/ready/a", is_last=True)
        assert client.is_at_its_end


@pytest.mark.parametrize("bad", [b"no HTTP\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"])
def test_answer_before_a_refused_request_is_the_last(bad: bytes) -> None:
    with ready_server() as (server, ready):
        client = server.connect()
        client.send(get("/ready/a") + get("/ready/b") + bad + get("/ready/c"))
        assert client.answer() == at_once("/ready/a")
        assert client.answer() == at_once("/ready/b", is_last=True)
        assert client.is_at_its_end
        assert ready.paths == ["/ready/a", "/ready/b"]


def test_request_with_a_broken_body_is_refused_and_not_asked_for() -> None:
    with ready_server() as (server, ready):
        for data in (b"no HTTP\r\n\r\n", chunked("/ready/a").replace(b"2\r\n", b"zz\r\n")):
            client = server.connect()
            client.send(data + get("/ready/b"))
            assert client.answer() == INVALID
            assert client.is_at_its_end
        assert ready.paths == []


@pytest.mark.parametrize("header", ["X: x", "Expect: 100-continue"])
def test_answer_of_a_server_that_drains_is_the_last(header: str) -> None:
    state = ConnectionsState()
    with ready_server(state) as (server, ready):
        client = server.connect()
        client.send(get("/ready/a"))
        assert client.answer() == at_once("/ready/a")
        state.is_draining = True
        client.send(post("/ready/b", b"abc", header) + get("/ready/c"))
        assert client.answer() == at_once("/ready/b", 3, is_last=True)
        assert client.is_at_its_end
        assert ready.paths == ["/ready/a", "/ready/b"]


def test_spare_connection_asks_for_health_alone_and_once() -> None:
    with ready_server(ConnectionsState(maximum=0, spare=1)) as (server, ready):
        for path in ("/ready/a", "/health/ready"):
            client = server.connect()
            client.send(get(path) * 2)
            status, is_last, _ = client.answer()
            assert (status, is_last) == (200 if path == "/health/ready" else 503, True)
            assert client.is_at_its_end
        assert ready.paths == ["/health/ready"]


def test_further_answers_wait_in_the_application_while_the_client_does_not_read() -> None:
    with ready_server() as (server, ready):
        client = server.connect()
        client.send(get("/ready/large") + get("/ready/a") + get("/ready/b"))
        assert is_served(server)
        assert ready.paths == ["/ready/large", "/ready/other"]
        assert client.answer() == (200, False, ["at once", "/ready/large", BAR])
        assert client.answer() == in_a_task("/ready/a")
        assert client.answer()[2] in (["/ready/b", 0], ["at once", "/ready/b", 0])
        client.send(get("/ready/c"))
        assert client.answer() == at_once("/ready/c")


def test_connection_whose_answers_at_once_are_not_read_is_aborted() -> None:
    with ready_server(unread_seconds=0.05) as (server, _):
        client = server.connect()
        with pytest.raises(ConnectionError):
            client.send(get("/ready/large?" + "x" * 8000) * 10_000)


def test_connection_is_idle_after_an_answer_at_once() -> None:
    with ready_server(idle_seconds=0.2) as (server, _):
        client = server.connect()
        client.send(get("/ready/a"))
        assert client.answer() == at_once("/ready/a")
        assert client.is_at_its_end


def test_connection_is_not_idle_while_a_request_behind_answers_at_once_runs() -> None:
    """The parser gets the request once there is room for it."""
    ready_ones = b"".join(get(f"/ready/{number}") for number in range(MAXIMUM_PIPELINED - 1))
    with ready_server(idle_seconds=0.2) as (server, _):
        client = server.connect()
        send_behind_a_wait(server, client, ready_ones + post("/a", b"abc")[:-3])
        for number in range(MAXIMUM_PIPELINED - 1):
            assert client.answer() == at_once(f"/ready/{number}")
        assert receives_nothing(client, 0.5)
        client.send(b"abc")
        assert client.answer() == in_a_task("/a", 3)


def test_head_behind_an_answer_at_once_has_a_time_limit() -> None:
    with ready_server(head_seconds=0.05) as (server, _):
        client = server.connect()
        client.send(get("/ready/a"))
        assert client.answer() == at_once("/ready/a")
        client.send(get("/ready/b")[:10])
        assert client.answer()[0] == 408
        assert client.is_at_its_end


def test_each_head_has_a_time_of_its_own() -> None:
    """After an upgrade, what follows in the packet is parsed by itself."""
    request = get("/ready/a", *UPGRADE)
    with ready_server(head_seconds=0.3) as (server, _):
        client = server.connect()
        client.send(request[:20])
        for _ in range(6):
            assert receives_nothing(client, 0.08)
            client.send(request[20:] + request[:20])
            assert client.answer() == at_once("/ready/a")


@pytest.mark.parametrize("count", [1, MAXIMUM_PIPELINED - 1, MAXIMUM_PIPELINED, 25])
def test_connection_reads_on_after_answers_at_once_behind_another(count: int) -> None:
    with ready_server() as (server, _):
        client = server.connect()
        behind = b"".join(get(f"/ready/{number}") for number in range(count))
        send_behind_a_wait(server, client, behind)
        for number in range(count):
            assert client.answer() == at_once(f"/ready/{number}")
        client.socket.settimeout(2)
        client.send(get("/ready/next"))
        assert client.answer() == at_once("/ready/next")


def test_answered_requests_do_not_count_as_bytes_in_waiting() -> None:
    state = ConnectionsState(maximum_bytes=100_000)
    with ready_server(state) as (server, _):
        client = server.connect()
        for _ in range(4):
            client.send(post("/ready/a", b"x" * 20_000) * 2)
            for _ in range(2):
                assert client.answer()[2] in (["at once", "/ready/a", 20_000], ["/ready/a", 20_000])
        assert state.total_requests == 8


def test_connection_that_was_answered_last_is_not_the_one_dropped_for_a_new_one() -> None:
    with ready_server(ConnectionsState(maximum=4)) as (server, _):  # two for one address
        first, second = server.connect(), server.connect()
        for client in (first, second, first):
            client.send(get("/ready/a"))
            assert client.answer() == at_once("/ready/a")
        third = server.connect()
        third.send(get("/ready/a"))
        assert third.answer() == at_once("/ready/a")
        second.socket.settimeout(2)
        assert second.is_at_its_end
        first.send(get("/ready/a"))
        assert first.answer() == at_once("/ready/a")


def test_other_connections_have_their_turn_between_pipelined_requests() -> None:
    count = 3000
    with ready_server() as (server, ready):
        client = server.connect()
        client.send(get("/ready/a") * count)
        for _ in range(count):
            assert client.answer() in (at_once("/ready/a"), in_a_task("/ready/a"))
        assert ready.most_in_a_turn <= 10 * MAXIMUM_PIPELINED
