import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from gateway.web.request_body import DROPPED_BYTES, receive_body
from gateway.web.request_error import RequestError

JSON_HEADER = (b"content-type", b"application/json")
MIB = 1024 * 1024


def part(body: bytes, more_body: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more_body}


def request(
    *messages: Message, headers: tuple[tuple[bytes, bytes], ...] = (JSON_HEADER,)
) -> Request:
    left = iter(messages)

    async def receive() -> Message:
        message = next(left, None)
        if message is None:
            await asyncio.Event().wait()
            raise AssertionError
        return message

    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


async def test_body_in_parts_is_put_together() -> None:
    found = await receive_body(request(part(b"ab"), part(b""), part(b"c", False)), 3)
    assert found == b"abc"


@pytest.mark.parametrize(
    "parts",
    [(part(b"abcd", False),), (part(b"ab"), part(b"cd", False)), (part(b"abcd"), part(b"", False))],
)
async def test_body_over_the_maximum_is_refused_at_its_end(parts: tuple[Message, ...]) -> None:
    with pytest.raises(RequestError) as caught:
        await receive_body(request(*parts), 3)
    assert (caught.value.status, caught.value.headers) == (413, None)
    assert caught.value.message == "The body is larger than 3 bytes (GATEWAY_MAX_BODY_BYTES)."


async def test_endless_body_is_read_up_to_a_limit_and_then_cut_off() -> None:
    asked = 0

    async def endless() -> Message:
        nonlocal asked
        asked += 1
        return part(b"x" * MIB)

    scope = {"type": "http", "method": "POST", "headers": [JSON_HEADER]}
    with pytest.raises(RequestError) as caught:
        await receive_body(Request(scope, endless), MIB)
    assert (caught.value.status, caught.value.headers) == (413, {"Connection": "close"})
    assert asked == 1 + DROPPED_BYTES // MIB + 1


@pytest.mark.parametrize("parts", [(), (part(b"a"),)])
async def test_body_that_does_not_arrive_is_refused_in_time(parts: tuple[Message, ...]) -> None:
    with pytest.raises(RequestError) as caught:
        await receive_body(request(*parts), 3, 0)
    assert (caught.value.status, caught.value.message) == (
        408,
        "The body did not arrive within 0 seconds.",
    )


async def test_disconnect_within_the_body_ends_the_read() -> None:
    with pytest.raises(ClientDisconnect):
        await receive_body(request(part(b"a"), {"type": "http.disconnect"}), 3)


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/json",
        b"Application/JSON ; charset=UTF-8; version=1",
        b'application/json;charset="utf-8"',
        b"application/json; profile=x; charset=utf8",
        b"application/json;",
        b'application/json; charset="UTF-8" ;',
    ],
)
async def test_json_in_utf8_is_read(content_type: bytes) -> None:
    headers = ((b"content-type", content_type),)
    assert await receive_body(request(part(b"{}", False), headers=headers), 9) == b"{}"


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ((b"content-type", b"text/plain"),),
        ((b"content-type", b"application/x-www-form-urlencoded"),),
        ((b"content-type", b"multipart/form-data; boundary=x"),),
        ((b"content-type", b"application/jsonp"),),
        ((b"content-type", b"application/json; charset=latin-1"),),
        ((b"content-type", b"application/json; version=1; charset=utf-16"),),
        ((b"content-type", b""),),
        (JSON_HEADER, (b"content-encoding", b"gzip")),
        (JSON_HEADER, (b"content-encoding", b"identity, br")),
    ],
)
async def test_body_of_another_content_type_is_refused_unread(
    headers: tuple[tuple[bytes, bytes], ...],
) -> None:
    with pytest.raises(RequestError) as caught:
        await receive_body(request(headers=headers), 9)
    assert caught.value.status == 415
