"""Receives the body of a POST: JSON in UTF-8, bounded in size and time."""

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from gateway.web.negotiation import JSON
from gateway.web.request_error import RequestError

BODY_TIMEOUT_SECONDS = 30.0
# This much of a body beyond its limit is read and dropped: a client that is still sending when the
# connection closes often loses the response.
DROPPED_BYTES = 16 * 1024 * 1024


async def receive_body(
    request: Request, maximum_bytes: int, timeout_seconds: float = BODY_TIMEOUT_SECONDS
) -> bytes:
    """Returns the body, at most `maximum_bytes` of it.

    Raises `RequestError` with status 413, 408 or 415, and `ClientDisconnect`.
    """
    _check_headers(request)
    if request.headers.get("expect", "").lower() == "100-continue":
        # RFC 9110, 10.1.1: the client sends its body only after the first read.
        _check_size(int(request.headers.get("content-length", 0)), maximum_bytes)
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _gather(request.receive, maximum_bytes)
    except TimeoutError as error:
        raise RequestError(
            408,
            f"The body did not arrive within {timeout_seconds:g} seconds.",
            headers={"Connection": "close"},
        ) from error


async def _gather(receive: Receive, maximum_bytes: int) -> bytes:
    body = bytearray()
    received = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        received += len(chunk)
        if received <= maximum_bytes:
            body += chunk
        if not message.get("more_body", False):
            _check_size(received, maximum_bytes)
            return bytes(body)
        if received > maximum_bytes + DROPPED_BYTES:
            _check_size(received, maximum_bytes, is_endless=True)


def _check_size(received: int, maximum_bytes: int, *, is_endless: bool = False) -> None:
    if received > maximum_bytes:
        raise RequestError(
            413,
            f"The body is larger than {maximum_bytes} bytes (GATEWAY_MAX_BODY_BYTES).",
            headers={"Connection": "close"} if is_endless else None,
        )


def _check_headers(request: Request) -> None:
    content_type = request.headers.get("content-type", "").lower()
    if content_type != JSON and not _is_json_in_utf8(content_type):
        raise RequestError(415, f"Send the body as JSON in UTF-8, with `Content-Type: {JSON}`.")
    codings = ",".join(request.headers.getlist("content-encoding")).lower().split(",")
    if {coding.strip() for coding in codings} - {"", "identity"}:  # RFC 9110, 5.6.1 and 8.4
        raise RequestError(
            415,
            "Send the body uncompressed, without `Content-Encoding`.",
            headers={"Accept-Encoding": "identity"},
        )


def _is_json_in_utf8(content_type: str) -> bool:
    media_type, *parameters = content_type.split(";")
    pairs = [parameter.partition("=") for parameter in parameters]
    charsets = {value.strip(' "') for name, _, value in pairs if name.strip() == "charset"}
    return media_type.strip() == JSON and charsets <= {"utf-8", "utf8"}
