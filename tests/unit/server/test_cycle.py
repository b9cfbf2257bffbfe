"""The writes of an answer, its head, and what an application receives, without a connection."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gateway.at_once import WholeAnswer
from gateway.server.cycle import Cycle
from gateway.server.pipelining import Flow

DATE = b"Sat, 28 Nov 2026 07:18:52 GMT"
JSON = (b"content-type", b"application/json")
LENGTH_2 = (b"content-length", b"2")
FAILED = (
    b"HTTP/1.1 500 Internal Server Error\r\ndate: " + DATE + b"\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 21\r\nconnection: close\r\n\r\n"
    b"Internal Server Error"
)
Application = Callable[[Any, Any, Any], Awaitable[None]]


class Transport:
    """Keeps what is written, one item a call."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


def cycle_of(transport: Any, method: str = "GET", *, keep_alive: bool = True) -> Cycle:
    scope: Any = {"type": "http", "method": method}
    date = [(b"date", DATE)]
    return Cycle(scope, transport, Flow(transport), date, False, keep_alive, lambda: None)


def start(*headers: tuple[bytes, bytes], status: int = 200) -> Any:
    return {"type": "http.response.start", "status": status, "headers": headers}


def part(body: bytes = b"", *, more: bool = False) -> Any:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def sent(cycle: Cycle, *messages: Any) -> None:
    for message in messages:
        await cycle.send(message)


def head(*lines: bytes, status: bytes = b"200 OK") -> bytes:
    return b"\r\n".join([b"HTTP/1.1 " + status, b"date: " + DATE, *lines, b"", b""])


async def test_head_and_body_go_out_in_one_write() -> None:
    transport = Transport()
    cycle = cycle_of(transport)
    await cycle.send(start(JSON, LENGTH_2))
    assert transport.writes == []
    await cycle.send(part(b"{}"))
    lines = b"content-type: application/json", b"content-length: 2"
    assert transport.writes == [head(*lines) + b"{}"]
    assert cycle.response_complete
    assert not transport.is_closed


async def test_head_goes_out_with_the_first_of_many_parts() -> None:
    transport = Transport()
    await sent(cycle_of(transport), start(), part(b"ab", more=True), part(b"c", more=True), part())
    chunked = head(b"transfer-encoding: chunked")
    assert transport.writes == [chunked + b"2\r\nab\r\n", b"1\r\nc\r\n", b"0\r\n\r\n"]


async def test_empty_first_part_sends_the_head_at_once() -> None:
    transport = Transport()
    await sent(cycle_of(transport), start(LENGTH_2), part(more=True))
    assert transport.writes == [head(b"content-length: 2")]


@pytest.mark.parametrize(
    ("method", "status", "headers", "lines"),
    [
        ("HEAD", 200, [LENGTH_2], [b"content-length: 2"]),
        ("HEAD", 200, [], []),
        ("GET", 204, [], []),
        ("GET", 304, [(b"etag", b'"1"')], [b'etag: "1"']),
    ],
)
async def test_answers_without_content_are_a_head(
    method: str, status: int, headers: list[tuple[bytes, bytes]], lines: list[bytes]
) -> None:
    transport = Transport()
    cycle = cycle_of(transport, method)
    await sent(cycle, start(*headers, status=status), part(b"{}" if method == "HEAD" else b""))
    phrase = {200: b"200 OK", 204: b"204 No Content", 304: b"304 Not Modified"}[status]
    assert transport.writes == [head(*lines, status=phrase)]
    assert cycle.response_complete


@pytest.mark.parametrize("value", [b"close", b"Close", b"x, CLOSE"])
async def test_application_may_close_the_connection(value: bytes) -> None:
    transport = Transport()
    await sent(cycle_of(transport), start(LENGTH_2, (b"connection", value)), part(b"{}"))
    assert transport.writes == [head(b"content-length: 2", b"connection: " + value) + b"{}"]
    assert transport.is_closed


async def test_connection_that_ends_says_so() -> None:
    transport = Transport()
    await sent(cycle_of(transport, keep_alive=False), start(LENGTH_2), part(b"{}"))
    assert transport.writes == [head(b"content-length: 2", b"connection: close") + b"{}"]
    assert transport.is_closed


async def test_connection_may_be_closed_until_the_head_is_written() -> None:
    transport = Transport()
    cycle = cycle_of(transport)
    await cycle.send(start(LENGTH_2))
    cycle.keep_alive = False
    await cycle.send(part(b"{}"))
    assert transport.writes == [head(b"content-length: 2", b"connection: close") + b"{}"]


CONTROLS = [*range(9), *range(10, 32), 127]


@pytest.mark.parametrize("code", CONTROLS)
async def test_header_with_a_control_character_is_refused(code: int) -> None:
    """Response splitting: no name and no value begins another line."""
    control = bytes([code])
    for header in ((b"x", b"a" + control), (b"x" + control, b"a"), (control + b"x", control)):
        transport = Transport()
        with pytest.raises(RuntimeError, match="control character"):
            await cycle_of(transport).send(start(LENGTH_2, header, JSON))
        assert transport.writes == []


async def test_tab_and_other_bytes_are_valid_in_a_value() -> None:
    transport = Transport()
    await sent(cycle_of(transport), start((b"x", b"a\t\xff"), LENGTH_2), part(b"{}"))
    assert transport.writes == [head(b"x: a\t\xff", b"content-length: 2") + b"{}"]


@pytest.mark.parametrize(("body", "what"), [(b"{", "shorter"), (b"{} ", "longer")])
async def test_body_of_another_length_is_refused(body: bytes, what: str) -> None:
    transport = Transport()
    with pytest.raises(RuntimeError, match=what):
        await sent(cycle_of(transport), start(LENGTH_2), part(body))
    assert transport.writes == []


async def test_messages_out_of_order_are_refused() -> None:
    transport = Transport()
    with pytest.raises(RuntimeError, match=r"Expected 'http\.response\.start'"):
        await cycle_of(transport).send(part())
    with pytest.raises(RuntimeError, match=r"Expected 'http\.response\.body'"):
        await sent(cycle_of(transport), start(LENGTH_2), start(LENGTH_2))
    with pytest.raises(RuntimeError, match="after the end"):
        await sent(cycle_of(transport), start(LENGTH_2), part(b"{}"), part(b"{}"))


async def fails_before_the_body(_: Any, __: Any, send: Any) -> None:
    await send(start(LENGTH_2))
    raise ValueError


async def ends_before_the_body(_: Any, __: Any, send: Any) -> None:
    await send(start(LENGTH_2))


async def sends_a_short_body(_: Any, __: Any, send: Any) -> None:
    await sent(send.__self__, start(LENGTH_2), part(b"{"))


@pytest.mark.parametrize(
    "application", [fails_before_the_body, ends_before_the_body, sends_a_short_body]
)
async def test_application_that_fails_before_the_head_is_written_is_a_500(
    application: Application,
) -> None:
    transport = Transport()
    cycle, tasks = cycle_of(transport), set[asyncio.Task[None]]()
    cycle.start(application, asyncio.get_running_loop(), tasks)
    await asyncio.gather(*tasks)
    assert tasks == set()
    assert transport.writes == [FAILED]
    assert transport.is_closed


async def test_body_that_has_arrived_is_received_at_once() -> None:
    cycle = cycle_of(Transport(), "POST")
    cycle.body += b"{}"
    cycle.more_body = False
    with pytest.raises(StopIteration) as received:
        cycle.receive().send(None)
    assert received.value.value == {"type": "http.request", "body": b"{}", "more_body": False}


async def test_body_is_received_once_in_parts_as_they_arrive_and_then_the_end() -> None:
    cycle = cycle_of(Transport(), "POST")
    receiving = asyncio.ensure_future(cycle.receive())
    await asyncio.sleep(0)
    cycle.body += b"{"
    cycle.message_event.set()
    assert await receiving == {"type": "http.request", "body": b"{", "more_body": True}
    cycle.more_body = False
    cycle.message_event.set()
    assert await cycle.receive() == {"type": "http.request", "body": b"", "more_body": False}
    waiting = [asyncio.ensure_future(cycle.receive()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting)
    await sent(cycle, start(LENGTH_2), part(b"{}"))
    assert await asyncio.gather(*waiting) == [{"type": "http.disconnect"}] * 2


def whole(*parts: bytes, lines: bytes = b"age: 0\r\n", status: int = 200) -> WholeAnswer:
    return WholeAnswer(status, lines, parts)


def test_whole_answer_goes_out_in_one_write() -> None:
    transport = Transport()
    ended: list[bool] = []
    cycle = cycle_of(transport)
    cycle.on_response = lambda: ended.append(True)
    cycle.send_whole(whole(b"{", b"}", lines=b"content-length: 2\r\nage: 0\r\n"))
    assert transport.writes == [head(b"content-length: 2", b"age: 0") + b"{}"]
    assert (cycle.response_started, cycle.response_complete) == (True, True)
    assert (ended, transport.is_closed) == ([True], False)


def test_whole_answer_to_head_has_no_content() -> None:
    transport = Transport()
    cycle_of(transport, "HEAD").send_whole(whole(b"{}", lines=b"content-length: 2\r\n"))
    assert transport.writes == [head(b"content-length: 2")]


def test_whole_answer_on_a_connection_that_ends_says_so() -> None:
    transport = Transport()
    cycle_of(transport, keep_alive=False).send_whole(whole(status=304))
    assert transport.writes == [head(b"age: 0", b"connection: close", status=b"304 Not Modified")]
    assert transport.is_closed


def test_whole_answer_has_the_date_of_its_own_second() -> None:
    transport = Transport()
    for date in (b"first", b"second"):
        headers = [(b"date", date)]
        scope: Any = {"type": "http", "method": "GET"}
        cycle = Cycle(scope, transport, Flow(transport), headers, False, True, lambda: None)  # type: ignore[arg-type] # a part of one
        cycle.send_whole(whole(lines=b"", status=204))
    dates = [line for write in transport.writes for line in write.split(b"\r\n") if b"date" in line]
    assert dates == [b"date: first", b"date: second"]


@pytest.mark.parametrize("value", [b"chunked", b"Chunked"])
async def test_application_may_chunk_its_answer_itself_whatever_length_it_names(
    value: bytes,
) -> None:
    transport = Transport()
    coding = (b"transfer-encoding", value)
    await sent(cycle_of(transport), start(coding, LENGTH_2), part(b"abc"))
    lines = b"transfer-encoding: " + value, b"content-length: 2"
    assert transport.writes == [head(*lines) + b"3\r\nabc\r\n0\r\n\r\n"]


async def test_empty_part_writes_nothing_once_the_head_is_written() -> None:
    transport = Transport()
    await sent(cycle_of(transport), start(LENGTH_2), part(b"{", more=True), part(more=True))
    assert transport.writes == [head(b"content-length: 2") + b"{"]
