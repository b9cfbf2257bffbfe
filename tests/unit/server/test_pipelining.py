"""Requests that a client sends ahead: how many are parsed, and what becomes of the rest."""

import threading

import pytest
from bare_server import served
from raw_http import PATIENCE_SECONDS, get

from gateway.server.connections import ConnectionsState
from gateway.server.pipelining import MAXIMUM_PIPELINED, size_of_requests
from gateway.server.protocol import HttpProtocol

KIB = 1024


class Watched(HttpProtocol):
    most_unanswered = 0
    most_unparsed = 0

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        kind = type(self)
        kind.most_unanswered = max(kind.most_unanswered, len(self._unanswered))

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        kind = type(self)
        kind.most_unparsed = max(kind.most_unparsed, len(self._unparsed))


@pytest.mark.parametrize("path", ["/", "/" + "x" * 8000], ids=["small", "large"])
def test_pipelined_requests_do_not_pile_up_and_are_all_answered(path: str) -> None:
    class Fresh(Watched):
        pass

    count = 2000
    with served(Fresh) as server:
        client = server.connect()
        sender = threading.Thread(target=client.send, args=(get(path) * count,))
        sender.start()
        for _ in range(count):
            assert client.answer() == (200, False, [path, 0])
        sender.join()
    # A head whose last bytes come in two packets is not counted.
    assert Fresh.most_unanswered in (MAXIMUM_PIPELINED, MAXIMUM_PIPELINED + 1)
    assert 0 < Fresh.most_unparsed <= 256 * KIB  # one read


def test_pipelined_bodies_are_answered_in_order() -> None:
    """A body that looks like the ends of heads is one, in each framing."""
    body = b"\r\n\r\n" * 5000
    length = b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    chunked = b"POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%b\r\n" % (len(body), body)
    requests = (length + chunked + chunk * 2 + b"0\r\n\r\n" + get("/get")) * 20
    with served() as server:
        client = server.connect()
        sender = threading.Thread(target=client.send, args=(requests,))
        sender.start()
        for _ in range(20):
            assert client.answer() == (200, False, ["/length", len(body)])
            assert client.answer() == (200, False, ["/chunked", 2 * len(body)])
            assert client.answer() == (200, False, ["/get", 0])
        sender.join()


def test_pipelined_requests_do_not_hold_other_clients_up() -> None:
    with served() as server:
        client = server.connect()
        client.send(get("/wait") + get("/a") * 100)
        assert server.store.waits.wait(PATIENCE_SECONDS)
        other = server.connect()
        other.send(get("/go"))
        assert other.answer() == (200, False, ["/go", 0])
        assert client.answer() == (200, False, ["/wait", 0])
        for _ in range(100):
            assert client.answer() == (200, False, ["/a", 0])
        client.send(get("/b"))
        assert client.answer() == (200, False, ["/b", 0])


def test_many_requests_before_an_invalid_one_are_answered() -> None:
    with served() as server:
        client = server.connect()
        client.send(get("/a") * 25 + b"no HTTP\r\n\r\n" + get("/never"))
        for _ in range(24):
            assert client.answer() == (200, False, ["/a", 0])
        assert client.answer() == (200, True, ["/a", 0])
        assert client.is_at_its_end


def test_unparsed_requests_beyond_the_limit_of_bytes_are_dropped_after_the_answers_due() -> None:
    with served(state=ConnectionsState(maximum_bytes=8 * KIB)) as server:
        client = server.connect()
        client.send(get("/wait") + get("/a") * 1000)
        assert server.store.waits.wait(PATIENCE_SECONDS)
        server.connect().send(get("/go"))
        answers = [client.answer()]
        while not answers[-1][1]:
            answers.append(client.answer())
        assert client.is_at_its_end
        assert len(answers) == MAXIMUM_PIPELINED


@pytest.mark.parametrize(
    ("received", "count", "maximum", "size"),
    [
        (b"abc", 1, 10, 10),
        (b"a\r\n\r\nb\r\n\r\nc", 1, 99, 5),
        (b"a\r\n\r\nb\r\n\r\nc", 2, 99, 10),
        (b"a\r\n\r\nb\r\n\r\nc", 3, 99, 99),
        (b"a\r\n\r\nb\r\n\r\nc", 2, 7, 7),
        (b"\r\n\r\n\r\n\r\n", 1, 99, 4),
    ],
)
def test_part_ends_with_the_last_head_that_has_room(
    received: bytes, count: int, maximum: int, size: int
) -> None:
    assert size_of_requests(received, count, maximum) == size
