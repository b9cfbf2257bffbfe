"""What the server checks in the head of a request before the application sees it (RFC 9112)."""

import re
from functools import lru_cache

from gateway.server.refusals import INVALID, Refusal

MAXIMUM_HEAD_BYTES = 64 * 1024
MAXIMUM_HEADERS = 100

CONTINUE = b"100-continue"
FRAMING = (b"content-length", b"transfer-encoding")
CHECKED = frozenset({b"host", b"transfer-encoding", b"expect"})
# RFC 3986, 3.2.2 and 3.2.3: a name, which may be empty, or an address in brackets, and a port.
AUTHORITY = re.compile(
    rb"(?:\[[\w.~:!$&'()*+,;=-]+\]|(?:[\w.~!$&'()*+,;=-]++|%[0-9A-Fa-f]{2})*+)(?::[0-9]*)?"
)
ABSOLUTE_FORM = re.compile(
    rb"https?://(?P<authority>[^:/?#][^/?#]*)(?P<rest>.*)", re.DOTALL | re.IGNORECASE
)
# What the parser says of `HTTP/1.2`, and of the preface of HTTP/2 (RFC 9113, 3.4).
VERSION_ERRORS = ("Invalid HTTP version", "Pause on PRI/Upgrade")

Headers = list[tuple[bytes, bytes]]


def other_version() -> Refusal:
    """Returns the refusal of a version that is not served (RFC 9110, 15.6.6)."""
    return Refusal(505, "This server speaks HTTP/1.1 and HTTP/1.0.")


def too_many_headers() -> Refusal:
    """Returns the refusal of a head with too many headers (RFC 6585, 5)."""
    return Refusal(431, f"The request has more than {MAXIMUM_HEADERS} headers.")


def too_large(*, is_in_body: bool) -> Refusal:
    """Returns the refusal of a head, or of what frames a body, that is too large (RFC 6585, 5)."""
    what = "chunk extensions or trailers" if is_in_body else "request line and headers"
    return Refusal(431, f"The {what} are larger than {MAXIMUM_HEAD_BYTES} bytes.")


def framing_of(headers: Headers) -> Headers:
    """Returns the headers that say how long the body is; without any, there is none."""
    return [header for header in headers if header[0] in FRAMING]


def check_head(version: str, headers: Headers) -> bool:
    """Checks the version, `Host` and the transfer coding; returns whether 100 is expected.

    Raises `Refusal` with status 400, 501 or 505.
    """
    if version not in ("1.1", "1.0"):
        raise other_version()
    hosts = []
    expects_100 = False
    for name, value in headers:
        if name not in CHECKED:
            continue
        if name == b"host":
            hosts.append(value)
        elif name == b"transfer-encoding":
            _check_transfer_coding(version, value)
        elif value.lower() == CONTINUE and version != "1.0":  # RFC 9110, 10.1.1
            expects_100 = True
    # RFC 9112, 3.2: one valid `Host`, which HTTP/1.0 may leave out. An empty one is valid.
    if len(hosts) != 1 and (hosts or version != "1.0"):
        raise Refusal(400, f"The request has {len(hosts)} `Host` headers: send one.")
    # RFC 9112, 5.1: white space around a value is not part of it.
    if hosts and not _is_authority(hosts[0]):
        raise Refusal(400, "`Host` is not a host with or without a port.")
    return expects_100


@lru_cache(64)
def _is_authority(host: bytes) -> bool:
    return AUTHORITY.fullmatch(host.strip(b" \t")) is not None


def _check_transfer_coding(version: str, value: bytes) -> None:
    """RFC 9112, 6.1 and 6.3: `chunked`, in HTTP/1.1. The parser refuses a second header."""
    if version == "1.0":
        raise Refusal(400, "HTTP/1.0 has no `Transfer-Encoding`: send `Content-Length`.")
    *others, last = (coding.strip(b" \t").lower() for coding in value.split(b","))
    if last != b"chunked":
        raise Refusal(400, INVALID)
    if others:
        raise Refusal(501, "The only transfer coding here is `chunked`.")


def read_target(target: bytes, method: bytes) -> tuple[bytes, bytes | None]:
    """Returns the path of a target that is no path, and the host that replaces `Host`.

    It is an absolute URL, or `*` (RFC 9112, 3.2.2 and 3.2.4). Raises `Refusal` with status 400.
    """
    if target == b"*" and method == b"OPTIONS":
        return b"/", None
    parts = ABSOLUTE_FORM.fullmatch(target)
    # RFC 9110, 4.2.4: a user in a URL is an error; AUTHORITY has none.
    if parts is None or not AUTHORITY.fullmatch(parts["authority"]):
        raise Refusal(400, "The request's target is neither a path nor an http URL with a host.")
    rest: bytes = parts["rest"]
    return rest if rest.startswith(b"/") else b"/" + rest, parts["authority"]
