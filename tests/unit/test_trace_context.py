"""Which `traceparent` is taken over."""

import pytest

from gateway.trace_context import TraceParent, parse_traceparent

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
