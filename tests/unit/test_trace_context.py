"""Which `traceparent` is taken over."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.trace_context import TraceParent, parse_traceparent, trace_headers
from gateway.web.request_id import RequestIds

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    "header", [f"00-{TRACE}-{PARENT}-01", f"01-{TRACE}-{PARENT}-01", f"01-{TRACE}-{PARENT}-01-more"]
)
def test_valid_parent_is_read(header: str) -> None:
    assert parse_traceparent(header.encode()) == TraceParent(TRACE, PARENT, 1)


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{PARENT}-01\n",
        f"01-{TRACE}-{PARENT}-01-{'x' * 300}",
    ],
)
def test_odd_parent_is_ignored(header: str) -> None:
    assert parse_traceparent(header.encode()) is None


PLACE = (b"traceparent", f"00-{TRACE}-{PARENT}-01".encode())


@pytest.mark.parametrize(
    ("headers", "place"),
    [
        ([], None),
        ([PLACE], (PLACE[1], b"")),
        ([PLACE, (b"tracestate", b"a=1"), (b"tracestate", b"b=2")], (PLACE[1], b"a=1,b=2")),
        ([PLACE, PLACE], None),
    ],
)
async def test_place_of_a_request_is_that_of_its_one_traceparent(
    headers: list[tuple[bytes, bytes]], place: tuple[bytes, bytes] | None
) -> None:
    places = []

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        places.append(trace_headers.get())

    async def receive() -> Message:
        return {}

    async def send(_: Message) -> None:
        """Takes what is sent."""

    trace_headers.set((b"of the request before", b""))
    await RequestIds(app)({"type": "http", "headers": headers}, receive, send)
    assert places == [place]
