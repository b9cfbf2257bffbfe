"""Limits and upgrades of HTTP/1.1, over real connections to a server in a thread."""

import socket
from itertools import pairwise

import pytest
from bare_server import served
from raw_http import PATIENCE_SECONDS, get, refused
from starlette.requests import ClientDisconnect

from gateway.server.heads import MAXIMUM_HEAD_BYTES
from gateway.server.protocol import HttpProtocol

KIB = 1024
CHUNKED = b"POST /chunked HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n"
UPGRADE = (
    "Connection: Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAAQAAP__",
)
TOO_LARGE = "The request line and headers are larger than 65536 bytes."


class Hasty(HttpProtocol):
    head_seconds = 0.05


def post(path: str, size: int, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: gateway\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + body


def test_one_connection_takes_one_request_after_another() -> None:
    with served() as server:
        client = server.connect()
        for path in ("/a", "/b"):
            client.send(get(path))
            assert client.answer() == (200, False, [path, 0])


def test_pipelined_requests_are_answered_in_order() -> None:
    with served() as server:
        client = server.connect()
        client.send(get("/a") + post("/b", 3, b"xyz") + get("/c") + get("/d")[:20])
        assert client.answer() == (200, False, ["/a", 0])
        assert client.answer() == (200, False, ["/b", 3])
        assert client.answer() == (200, False, ["/c", 0])
        client.send(get("/d")[20:])
        assert client.answer() == (200, False, ["/d", 0])


def test_headers_in_single_bytes_are_put_together() -> None:
    with served() as server:
        client = server.connect()
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in get("/a"):
            client.send(bytes([byte]))
        assert client.answer() == (200, False, ["/a", 0])


def test_headers_may_be_as_large_as_the_bound() -> None:
    with served() as server:
        client = server.connect()
        name = "X-Large: "
        for size in (MAXIMUM_HEAD_BYTES - 1, MAXIMUM_HEAD_BYTES):
            padding = size - len(get("/", name))
            client.send(get("/", name + "x" * padding))
            assert client.answer() == (200, False, ["/", 0])


TOO_LARGE_HEADS = {
    "a header": get("/", "X-Large: " + "x" * 70 * KIB),
    "headers": get("/", *["X-Large: " + "x" * 1000] * 70),
    "the path": get("/" + "x" * 70 * KIB),
    "without an end": b"GET /endless HTTP/1.1\r\nX-Endless: " + b"x" * 70 * KIB,
    "empty lines": b"\r\n" * 40 * KIB,
}


def test_headers_beyond_the_bound_are_refused() -> None:
    with served() as server:
        for what, head in TOO_LARGE_HEADS.items():
            client = server.connect()
            client.send(head)
            assert client.answer() == refused(431, TOO_LARGE), what
            assert client.is_at_its_end, what


def test_headers_beyond_the_bound_are_refused_on_a_used_connection_too() -> None:
    with served() as server:
        client = server.connect()
        client.send(post("/a", 3, b"xyz"))
        assert client.answer() == (200, False, ["/a", 3])
        client.send(get("/", "X-Large: " + "x" * 70 * KIB))
        assert client.answer() == refused(431, TOO_LARGE)


def test_a_large_body_does_not_count_as_headers() -> None:
    size = 4 * KIB * KIB
    with served() as server:
        client = server.connect()
        client.send(post("/a", size, b"x" * size) + get("/b"))
        assert client.answer() == (200, False, ["/a", size])
        assert client.answer() == (200, False, ["/b", 0])
        client.send(post("/c", size, b""))
        client.send(b"x" * size)
        assert client.answer() == (200, False, ["/c", size])


def test_headers_that_do_not_arrive_in_time_are_answered_with_408() -> None:
    late = refused(408, "The headers did not arrive within 0.05 seconds.")
    with served(Hasty) as server:
        for start in (get("/")[:10], get("/")[:-2], b"\r\n"):
            client = server.connect()
            client.send(start)
            assert client.answer() == late
            assert client.is_at_its_end
            client = server.connect()
            client.send(get("/a"))
            assert client.answer() == (200, False, ["/a", 0])
            client.send(start)
            assert client.answer() == late
            assert client.is_at_its_end


def test_the_time_for_headers_does_not_count_for_the_answer() -> None:
    with served(Hasty) as server:
        client, other = server.connect(), server.connect()
        client.send(get("/wait"))
        assert server.store.waits.wait(PATIENCE_SECONDS)
        other.send(b"\r\n")  # late, and so the first one would be, if its time ran on
        assert other.answer()[0] == 408
        server.connect().send(get("/go"))
        assert client.answer() == (200, False, ["/wait", 0])


@pytest.mark.parametrize(
    "behind",
    [b"GET / HTTP/1.1\r\nX-Endless: " + b"x" * 300 * KIB, b"no HTTP\r\n\r\n"],
    ids=["too large", "no HTTP"],
)
def test_request_before_a_refused_one_is_answered_last(behind: bytes) -> None:
    with served() as server:
        client = server.connect()
        client.send(get("/wait"))
        assert server.store.waits.wait(PATIENCE_SECONDS)
        client.send(behind)
        other = server.connect()
        other.send(b"no HTTP\r\n\r\n")
        assert other.answer()[0] == 400  # so the server has read what came before
        server.connect().send(get("/go"))
        assert client.answer() == (200, True, ["/wait", 0])
        assert client.is_at_its_end


NO_HTTP = {
    "no HTTP": b"\x16\x03\x01 hello\r\n\r\n",
    "no path": get("no-path"),
    "a body that is not chunked": CHUNKED + b"no!",
    "an unknown coding": CHUNKED.replace(b"chunked\r", b"gzip\r"),
    "an unknown coding behind an upgrade": get("/a", *UPGRADE, "Transfer-Encoding: gzip"),
    "two lengths behind an upgrade": post("/a", 3, b"").replace(
        b"Host", "\r\n".join([*UPGRADE, "Content-Length: 4", "Host"]).encode()
    ),
}


def test_bytes_that_are_no_http_are_refused_in_json() -> None:
    with served() as server:
        for what, data in NO_HTTP.items():
            client = server.connect()
            client.send(data)
            assert client.answer() == refused(400, "This is not a valid HTTP/1.1 request."), what
            assert client.is_at_its_end, what


def test_host_of_an_absolute_target_takes_the_place_of_the_header() -> None:
    """RFC 9112, 3.2.2."""
    with served() as server:
        client = server.connect()
        client.send(get("http://other:80/hosts?x") + get("/hosts"))
        assert client.answer() == (200, False, ["other:80"])
        assert client.answer() == (200, False, ["localhost"])


def test_answer_before_a_refused_head_is_sent() -> None:
    with served() as server:
        client = server.connect()
        client.send(get("/a") + b"GET /b HTTP/1.1\r\n\r\n")
        assert client.answer() == (200, True, ["/a", 0])
        assert client.is_at_its_end


def test_invalid_rest_of_an_unread_body_ends_the_connection() -> None:
    body = post("/early", 0, b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    with served() as server:
        client = server.connect()
        client.send(body)
        assert client.answer() == (200, False, ["/early", 0])
        client.send(b"no!")
        assert client.is_at_its_end


def test_a_connection_that_sends_nothing_is_closed() -> None:
    with served(idle_seconds=0) as server:
        assert server.connect().is_at_its_end


def test_rest_of_an_unread_body_has_a_time_limit() -> None:
    with served(Hasty) as server:
        client = server.connect()
        client.send(post("/early", 1000, b"x"))
        assert client.answer() == (200, False, ["/early", 0])
        client.send(b"x")
        assert client.is_at_its_end


def test_connection_stays_open_after_the_rest_of_an_unread_body() -> None:
    with served() as server:
        client = server.connect()
        client.send(post("/early", 1000, b"x"))
        assert client.answer() == (200, False, ["/early", 0])
        client.send(b"x" * 999 + get("/a"))
        assert client.answer() == (200, False, ["/a", 0])


def test_request_to_upgrade_without_a_body_is_answered_in_http_1_1() -> None:
    with served() as server:
        client = server.connect()
        client.send(get("/a", "Connection: Upgrade", "Upgrade: h2c"))
        assert client.answer() == (200, False, ["/a", 0])


def in_pieces(data: bytes, cuts: tuple[int, ...]) -> list[bytes]:
    """Cuts bytes at these places, those below 0 from the end."""
    bounds = [0, *(len(data) + cut if cut < 0 else cut for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(bounds)]


BODIES = {
    "Transfer-Encoding: chunked": b"5\r\nabcde\r\n0\r\n\r\n",
    "Content-Length: 5": b"abcde",
}


@pytest.mark.parametrize("framing", BODIES)
def test_request_to_upgrade_with_a_body_is_answered_in_http_1_1(framing: str) -> None:
    """Java's client sends such headers each time (RFC 9110, 7.8)."""
    head = "\r\n".join(["POST /body HTTP/1.1", "Host: gateway", *UPGRADE, framing, "", ""])
    request = head.encode() + BODIES[framing]
    with served() as server:
        client = server.connect()
        for cuts in ((), (40,), (-5,), (-30, -5), (-5, -3)):
            for piece in in_pieces(request, cuts):
                client.send(piece)
            assert client.answer() == (200, False, ["/body", 5]), cuts
        client.send(get("/a", *UPGRADE) + get("/b"))
        assert client.answer() == (200, False, ["/a", 0])
        assert client.answer() == (200, False, ["/b", 0])


def test_body_of_a_request_to_upgrade_is_not_read_as_a_request() -> None:
    inner = get("/inner")
    head = "\r\n".join(
        ["POST /outer HTTP/1.1", "Host: gateway", *UPGRADE, f"Content-Length: {len(inner)}", "", ""]
    )
    with served() as server:
        client = server.connect()
        client.send(head.encode())
        client.send(inner)
        client.send(get("/next"))
        assert client.answer() == (200, False, ["/outer", len(inner)])
        assert client.answer() == (200, False, ["/next", 0])


def test_trailers_are_dropped() -> None:
    with served() as server:
        client = server.connect()
        client.send(CHUNKED + b"3;x=y\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n" + get("/next"))
        assert client.answer() == (200, False, ["/chunked", 3])
        assert client.answer() == (200, False, ["/next", 0])


@pytest.mark.parametrize("start", [b"0\r\nX: x", b"3\r\nabc\r\n0\r\nX: x", b"1;x=x", b"0"])
def test_trailers_and_chunk_extensions_beyond_the_bound_are_refused(start: bytes) -> None:
    message = "The chunk extensions or trailers are larger than 65536 bytes."
    with served() as server:
        client = server.connect()
        client.send(CHUNKED + start + start[-1:] * 140 * KIB)
        assert client.answer() == refused(431, message)
        assert client.is_at_its_end


def test_trailers_may_be_as_large_as_the_bound() -> None:
    end = b"0\r\nX-Trailer: "
    trailers = end + b"x" * (MAXIMUM_HEAD_BYTES - len(end) - 4) + b"\r\n\r\n"
    with served() as server:
        client = server.connect()
        for _ in range(2):
            client.send(CHUNKED)
            client.send(trailers)
            assert client.answer() == (200, False, ["/chunked", 0])


def test_body_in_chunks_of_one_byte_does_not_count_as_trailers() -> None:
    size = MAXIMUM_HEAD_BYTES // 2  # five bytes around each byte
    with served() as server:
        client = server.connect()
        client.send(CHUNKED)
        for _ in range(16):
            client.send(b"1\r\nx\r\n" * (size // 16))
        client.send(b"0\r\n\r\n")
        assert client.answer() == (200, False, ["/chunked", size])


def test_large_body_arrives_in_small_chunks() -> None:
    with served() as server:
        client = server.connect()
        client.send(CHUNKED)
        for _ in range(40):
            client.send((b"100\r\n" + b"x" * 256 + b"\r\n") * 20)
        client.send(b"0\r\n\r\n")
        assert client.answer() == (200, False, ["/chunked", 40 * 20 * 256])


class Impatient(HttpProtocol):
    unread_seconds = 0.05


def test_connection_whose_answers_are_not_read_is_aborted() -> None:
    with served(Impatient) as server:
        client = server.connect()
        with pytest.raises(ConnectionError):
            client.send(get("/" + "x" * 8000) * 10_000)


def test_100_headers_are_answered_and_101_refused() -> None:
    """RFC 6585, 5. One of them is `Host`."""
    with served() as server:
        client = server.connect()
        client.send(get("/a", *["X: x"] * 99))
        assert client.answer() == (200, False, ["/a", 0])
        client.send(get("/a", *["X: x"] * 100))
        assert client.answer() == refused(431, "The request has more than 100 headers.")
        assert client.is_at_its_end


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_requests_are_parsed_on_where_the_end_of_a_head_came_in_two_parts(parts: int) -> None:
    with served() as server:
        client = server.connect()
        client.send(get("/wait") + get("/first")[:-parts])
        assert server.store.waits.wait(PATIENCE_SECONDS)
        client.send(get("/first")[-parts:] + b"".join(get(f"/{at}") for at in range(25)))
        server.connect().send(get("/go"))
        paths = [client.answer()[2] for _ in range(27)]
    assert paths == [["/wait", 0], ["/first", 0], *([f"/{at}", 0] for at in range(25))]


def test_body_that_cannot_be_parsed_is_a_hang_up_for_the_application(
    caplog: pytest.LogCaptureFixture,
) -> None:
    head = (
        b"POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with served() as server:
        client = server.connect()
        client.send(head)
        assert client.head()[0] == 100
        client.send(b"ZZ\r\n")
        assert client.answer()[:2] == (400, True)
    # This application does not catch the hang-up.
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info is not None
    assert record.exc_info[0] is ClientDisconnect
