"""HTTP/1.1 by the byte: messages that are changed, cut, joined and sent in pieces."""

from fuzz_target import Target, fuzz
from hypothesis import given
from hypothesis import strategies as st

QUERY = b'{"query":"{ segments(first: 1) { nodes { name } } }"}'
GET = b"GET /graphql?query=%7B__typename%7D HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = (
    b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 53\r\n\r\n" + QUERY
)
assert len(QUERY) == 53
MESSAGES = [
    GET,
    POST,
    POST.replace(b"Content-Length: 53\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n35\r\n")
    + b"\r\n0\r\nX-Trailer: 1\r\n\r\n",
    POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n", 1),
    POST.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n", 1),
    POST.replace(b"application/json", b"multipart/form-data; boundary=x"),
    GET.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
    GET.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n"),
    GET.replace(b"GET /", b"GET http://localhost/"),
    GET.replace(b"GET", b"HEAD"),
    GET.replace(b"HTTP/1.1", b"HTTP/1.0"),
    b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"OPTIONS /graphql HTTP/1.1\r\nHost: localhost\r\nOrigin: https://a.example\r\n"
    b"Access-Control-Request-Method: POST\r\n\r\n",
    b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n",
    b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
]  # fmt: skip
PIECES = [
    *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\x00", b"\xff", b" ", b"\t", b":", b",", b";"),
    *(b"/" * 3000, b"../../", b"//", b"?", b"#", b"\\", b"%", b"%00", b"GET ", b"TRACE "),
    *(b"HTTP/1.1", b"HTTP/9.9", b"HTTP/2", b" folded\r\n", b"0\r\n\r\n", b"f" * 17 + b"\r\n"),
    *(b"5;x=\"\r\n", b"-5\r\n", b"X: " + b"a" * 9000 + b"\r\n", b"X: y\r\n" * 150),
]  # fmt: skip
HEADERS = [
    *("Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "TE: trailers"),
    *("Content-Length: 0", "Content-Length: -1", "Content-Length: 53, 53"),
    *("Content-Length: " + "9" * 20, "Host: a", "Host:", "Connection: close", "Upgrade: x"),
    *("X-Request-Id: \xff", "Accept: " + "*/*," * 500, "Accept: */*;q=x", "Expect: x"),
    *("Content-Type: application/json; charset=", "Range: bytes=0-", "If-None-Match: *"),
    *('Forwarded: for="', "Origin: null", "Sec-Fetch-Site: cross-site", "Authorization: Bearer"),
]
ADDED = [*PIECES, *(f"{header}\r\n".encode("latin-1") for header in HEADERS)]


@st.composite
def messages(draw: st.DrawFn) -> list[bytes]:
    """Bytes of one connection, in the pieces in which they are sent."""
    whole = bytearray().join(draw(st.lists(st.sampled_from(MESSAGES), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(whole)))
        until = at + draw(st.sampled_from([0, 0, 1, 2, 10, 60]))
        copied = st.just(bytes(whole[at:until]) * 2)
        whole[at:until] = draw(st.sampled_from(ADDED) | st.binary(max_size=6) | copied)
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=2)))
    ends = [*cuts, len(whole)]
    return [bytes(whole[at:until]) for at, until in zip([0, *cuts], ends, strict=True)]


END = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@fuzz(0.4)
@given(pieces=messages())
def test_bytes_are_answered_or_refused(target: Target, pieces: list[bytes]) -> None:
    target.throw(*pieces, END)
    target.ask(b"GET /health/live HTTP/1.1\r\n")
