"""HTTP/1.1, clause by clause, over real connections: each row is a clause and the check of it.

Sources: RFC 9110 (semantics) and RFC 9112 (HTTP/1.1). What bounds a connection is in
tests/unit/server/test_protocol.py.
"""

import threading
from collections.abc import Callable, Iterator

import pytest
from clauses import Clause, Clauses
from raw_http import Connection, connections_to, get, refused

from gateway.app import create_app
from gateway.lifecycle import Stage
from gateway.server import ShutdownPolicy, listen
from gateway.server.serving import Server
from gateway.settings import load_settings

MAX_BODY_BYTES = 1024
LIVE = (200, False, {"status": "live"})
DATA = (200, False, {"data": {"__typename": "Query"}})
QUERY = b'{"query":"{ __typename }"}'
NO_TARGET = "The request's target is neither a path nor an http URL with a host."
NO_HOST = "`Host` is not a host with or without a port."

Connect = Callable[[], Connection]
Check = Callable[[Connect], None]


CLAUSES: Clauses[Check] = Clauses()


def head(line: str, *headers: str) -> bytes:
    return "\r\n".join([line, *headers, "", ""]).encode("latin-1")


def post(
    *headers: str, body: bytes = QUERY, size: int | None = None, path: str = "/graphql"
) -> bytes:
    length = len(body) if size is None else size
    json = "Content-Type: application/json"
    start = head(
        f"POST {path} HTTP/1.1", "Host: localhost", json, *headers, f"Content-Length: {length}"
    )
    return start + body


def asked(connect: Connect, request: bytes) -> tuple[int, bool, object]:
    client = connect()
    client.send(request)
    answer = client.answer()
    assert not answer[1] or client.is_at_its_end
    return answer


@CLAUSES.row(
    "RFC 9112, 3.2", "MUST", "HTTP/1.1 without Host, or any request with several, MUST be 400."
)
def _(connect: Connect) -> None:
    for line, hosts in (
        ("GET /health/live HTTP/1.1", ()),
        ("GET http://localhost/health/live HTTP/1.1", ()),
        ("GET /health/live HTTP/1.1", ("Host: a", "Host: a")),
        ("GET /health/live HTTP/1.0", ("Host: a", "Host: b")),
    ):
        said = f"The request has {len(hosts)} `Host` headers: send one."
        assert asked(connect, head(line, *hosts)) == refused(400, said)


@CLAUSES.row("RFC 9112, 3.2", "MUST", "HTTP/1.0 needs no Host.")
def _(connect: Connect) -> None:
    assert asked(connect, head("GET /health/live HTTP/1.0")) == (200, True, {"status": "live"})


@CLAUSES.row("RFC 9112, 3.2", "MUST", "An invalid Host MUST be 400.")
def _(connect: Connect) -> None:
    for host in ("a b", "a/b", "user@a", "a:x", "a%zz", "é", "http://a", "[::1", "::1"):
        request = head("GET /health/live HTTP/1.1", f"Host: {host}")
        assert asked(connect, request) == refused(400, NO_HOST)


@CLAUSES.row("RFC 6874, 4", "MUST", "A zone in Host, which a client MUST remove, makes it invalid.")
def _(connect: Connect) -> None:
    request = head("GET /health/live HTTP/1.1", "Host: [fe80::1%25eth0]")
    assert asked(connect, request) == refused(400, NO_HOST)


@CLAUSES.row(
    "RFC 9110, 7.2", "MAY", "Host is a name or an address, with or without a port; it may be empty."
)
def _(connect: Connect) -> None:
    for host in (
        "",
        "a",
        "a ",
        "a\t",
        "a:",
        "a:8000",
        "a_b.c-d",
        "%C3%A9",
        "127.0.0.1:80",
        "[::1]",
        "[::1]:80",
    ):
        assert asked(connect, head("GET /health/live HTTP/1.1", f"Host: {host}")) == LIVE


@CLAUSES.row(
    "RFC 9112, 3.2.1", "MUST", "A URL of an empty path asks for /, with or without a query."
)
def _(connect: Connect) -> None:
    front_door = asked(connect, get("/"))
    assert front_door[0] == 200
    for target in ("http://localhost", "http://localhost?x=1", "http://localhost/"):
        assert asked(connect, get(target)) == front_door


@CLAUSES.row("RFC 9112, 3.2.2", "MUST", "A server MUST accept the absolute form.")
def _(connect: Connect) -> None:
    for target in (
        "http://a/health/live",
        "HTTP://a:80/health/live?x",
        "https://[::1]/health/live",
    ):
        assert asked(connect, get(target)) == LIVE
    assert asked(connect, get("http://localhost/graphql?query={__typename}")) == DATA
    # Its host is the one that GATEWAY_ALLOWED_HOSTS has to name, whatever the header says.
    assert asked(connect, get("http://evil.example/graphql?query={__typename}"))[0] == 421


@CLAUSES.row(
    "RFC 9110, 4.2.1 and 4.2.4", "MUST", "A URL without a host, or with a user, is an error."
)
def _(connect: Connect) -> None:
    for target in (
        "http:///health/live",
        "http://:80/",
        "http://u:p@a/health/live",
        "ftp://a/",
        "a",
    ):
        assert asked(connect, get(target))[:2] == (400, True)
    assert asked(connect, get("http://u:p@a/")) == refused(400, NO_TARGET)


@CLAUSES.row(
    "RFC 9112, 3.2.4",
    "MUST",
    "* is a target of OPTIONS, of the server as a whole, and of no other.",
)
def _(connect: Connect) -> None:
    client = connect()
    client.send(head("OPTIONS * HTTP/1.1", "Host: localhost"))
    status, headers = client.head()
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert asked(connect, get("*")) == refused(400, NO_TARGET)


@CLAUSES.row(
    "RFC 9112, 6.3", "MUST", "A second Content-Length, or one with Transfer-Encoding, is an error."
)
def _(connect: Connect) -> None:
    for header in (f"Content-Length: {len(QUERY)}", "Transfer-Encoding: chunked"):
        answer = asked(connect, post(header))
        assert answer == refused(400, "This is not a valid HTTP/1.1 request.")


NO_VERSION = "This server speaks HTTP/1.1 and HTTP/1.0."


@CLAUSES.row("RFC 9110, 15.6.6", "SHOULD", "Another version is 505.")
def _(connect: Connect) -> None:
    for version in ("1.2", "1.9", "0.9", "2.0"):
        request = head(f"GET /health/live HTTP/{version}", "Host: gateway")
        assert asked(connect, request) == refused(505, NO_VERSION)
    assert asked(connect, b"GET /health/live\r\n\r\n") == refused(505, NO_VERSION)


@CLAUSES.row("RFC 9113, 3.4", "MUST", "The preface of HTTP/2, which is not spoken here, is 505.")
def _(connect: Connect) -> None:
    assert asked(connect, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == refused(505, NO_VERSION)


@CLAUSES.row("RFC 9112, 2.3", "MUST", "A version of another form is an error.")
def _(connect: Connect) -> None:
    for version in ("HTTP/3", "HTTP/10.1", "http/1.1", "HTTP/1.1 ", "HTTX/1.1"):
        answer = asked(connect, head(f"GET /health/live {version}", "Host: gateway"))
        assert answer == refused(400, "This is not a valid HTTP/1.1 request.")


def transferred(*codings: str, version: str = "1.1") -> bytes:
    lines = [f"Transfer-Encoding: {coding}" for coding in codings]
    return head(f"POST /graphql HTTP/{version}", "Host: gateway", *lines) + b"0\r\n\r\n"


@CLAUSES.row("RFC 9112, 6.1", "SHOULD", "A transfer coding that is not known is 501.")
def _(connect: Connect) -> None:
    for coding in ("gzip, chunked", "gzip , deflate,CHUNKED", "identity, chunked"):
        said = "The only transfer coding here is `chunked`."
        assert asked(connect, transferred(coding)) == refused(501, said)


@CLAUSES.row("RFC 9112, 6.3", "MUST", "If `chunked` is not the last coding, the request is 400.")
def _(connect: Connect) -> None:
    for codings in (
        ("gzip",),
        ("identity",),
        ("chunked, gzip",),
        ("chunked;x=y",),
        ("xchunked",),
        ("",),
        ("chunked", "chunked"),
        ("chunked", "identity"),
    ):
        answer = asked(connect, transferred(*codings))
        assert answer == refused(400, "This is not a valid HTTP/1.1 request.")


@CLAUSES.row("RFC 9112, 6.1", "MAY", "Transfer-Encoding in HTTP/1.0 is faulty framing, and is 400.")
def _(connect: Connect) -> None:
    said = "HTTP/1.0 has no `Transfer-Encoding`: send `Content-Length`."
    assert asked(connect, transferred("chunked", version="1.0")) == refused(400, said)


@CLAUSES.row("RFC 9110, 10.1.4", "MAY", "`TE`, which asks for trailers, is ignored.")
def _(connect: Connect) -> None:
    assert asked(connect, get("/health/live", "TE: trailers", "Connection: TE")) == LIVE


CONTINUE = "Expect: 100-continue"
TOO_LARGE = f"The body is larger than {MAX_BODY_BYTES} bytes (GATEWAY_MAX_BODY_BYTES)."


@CLAUSES.row("RFC 9110, 10.1.1", "MUST", "A body that fits is asked for by 100 (Continue).")
def _(connect: Connect) -> None:
    client = connect()
    for expect in (CONTINUE, "expect: 100-CONTINUE"):
        client.send(post(expect, body=b"", size=len(QUERY)))
        assert client.head()[0] == 100
        client.send(QUERY)
        assert client.answer() == DATA


@CLAUSES.row(
    "RFC 9110, 10.1.1",
    "MUST",
    "A body that is too large is refused unasked, and the connection closes.",
)
def _(connect: Connect) -> None:
    request = post(CONTINUE, body=b"", size=MAX_BODY_BYTES + 1)
    assert asked(connect, request) == refused(413, TOO_LARGE)
    client = connect()
    client.send(post(CONTINUE, body=b"", size=MAX_BODY_BYTES))
    assert client.head()[0] == 100


@CLAUSES.row(
    "RFC 9110, 10.1.1", "MUST", "Any other final answer in place of 100 closes the connection, too."
)
def _(connect: Connect) -> None:
    for path, header, expected in (
        ("/graphql", "Content-Encoding: gzip", 415),
        ("/graphql", "Accept: text/plain", 406),
        ("/nothing", "X: y", 404),
    ):
        request = post(CONTINUE, header, body=b"", size=5, path=path)
        status, is_last, _ = asked(connect, request)
        assert (status, is_last) == (expected, True)


@CLAUSES.row(
    "RFC 9110, 10.1.1",
    "MUST",
    "The expectation of HTTP/1.0, or of a request without a body, is ignored.",
)
def _(connect: Connect) -> None:
    old = post(CONTINUE).replace(b"HTTP/1.1", b"HTTP/1.0")
    assert asked(connect, old) == (200, True, DATA[2])
    assert asked(connect, get("/health/live", CONTINUE)) == LIVE


@CLAUSES.row(
    "RFC 9110, 10.1.1", "MAY", "417 is a MAY: an expectation that is not known is ignored."
)
def _(connect: Connect) -> None:
    assert asked(connect, post("Expect: 200-ok")) == DATA


@CLAUSES.row("RFC 9110, 8.4 and 5.6.1", "MUST", "A Content-Encoding without elements is none.")
def _(connect: Connect) -> None:
    for value in ("", ",", "identity", " identity , "):
        assert asked(connect, post(f"Content-Encoding: {value}")) == DATA
    several = post("Content-Encoding: identity", "Content-Encoding: gzip")
    assert asked(connect, several)[0] == 415


@CLAUSES.row("RFC 9110, 12.5.1", "MUST", "An empty Accept takes anything.")
def _(connect: Connect) -> None:
    assert asked(connect, post("Accept:")) == DATA


@CLAUSES.row("RFC 9110, 9.3.2", "MUST", "HEAD has no content, whatever it asks for.")
def _(connect: Connect) -> None:
    client = connect()
    for path in ("/", "/health/live", "/health/ready", "/graphql", "/graphql/", "/nothing"):
        client.send(get(path).replace(b"GET", b"HEAD"))
        client.head()
    client.send(get("/health/live"))
    assert client.answer() == LIVE
    client.send(head("HEAD / HTTP/1.1"))
    assert client.head()[0] == 400
    assert client.is_at_its_end


@pytest.fixture(scope="module")
def connect() -> Iterator[Connect]:
    app = create_app(load_settings({"GATEWAY_MAX_BODY_BYTES": str(MAX_BODY_BYTES)}))
    server = Server(app, ShutdownPolicy(grace_seconds=0))
    with listen("127.0.0.1", 0) as listener, connections_to(listener) as connect:
        thread = threading.Thread(target=server.run_until_stopped, args=(listener,))
        thread.start()
        try:
            yield connect
        finally:
            server.advance(Stage.STOPPING)
            thread.join()


@CLAUSES.each()
def test_clause_holds(clause: Clause[Check], connect: Connect) -> None:
    clause.check(connect)
