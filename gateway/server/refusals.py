"""Requests and connections that the server refuses itself, before the application sees them."""

from collections.abc import Iterable
from http import HTTPStatus

import msgspec

from gateway.errors import ErrorCode

RETRY_AFTER_SECONDS = 1
INVALID = "This is not a valid HTTP/1.1 request."


class Refusal(Exception):
    """A request that the server refuses with a status; the message is for the client."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


OVERLOADED = Refusal(
    503,
    "The gateway has too many connections or incomplete requests. "
    f"Try again in {RETRY_AFTER_SECONDS} s.",
)


def answer_to(
    refusal: Refusal, default_headers: Iterable[tuple[bytes, bytes]], *, has_content: bool
) -> bytes:
    """Returns the bytes of the response, after which the connection closes.

    A response to HEAD has no content (RFC 9110, 9.3.2). With 503 there is a `Retry-After`.
    """
    is_overload = refusal.status == HTTPStatus.SERVICE_UNAVAILABLE
    code = ErrorCode.OVERLOADED if is_overload else ErrorCode.BAD_REQUEST
    error = {"message": refusal.message, "extensions": {"code": code}}
    body = msgspec.json.encode({"errors": [error]})
    headers = [
        *default_headers,
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    if is_overload:
        headers.append((b"retry-after", str(RETRY_AFTER_SECONDS).encode()))
    status = HTTPStatus(refusal.status)
    start = f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()
    lines = b"".join(b"%b: %b\r\n" % header for header in headers)
    return start + lines + b"\r\n" + (body if has_content else b"")
