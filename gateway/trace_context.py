"""The place of the request in progress in a trace, as its client or router sent it.

Source: W3C Trace Context. The headers are kept as they came, and read where they are needed.
"""

import re
from contextvars import ContextVar
from typing import Final, NamedTuple

# Version, trace id, parent id, flags; a later version may go on (3.2.2, 4.3).
_TRACEPARENT: Final = re.compile(
    rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
LONGEST_TRACEPARENT: Final = 256
# What each participant has to hand on (3.3.1.5); a longer one is not handed on.
LONGEST_TRACESTATE: Final = 512


class TraceParent(NamedTuple):
    """What a valid `traceparent` says, in hex digits."""

    trace_id: str
    span_id: str
    flags: int


# `traceparent` and `tracestate`, as they came; None without the first.
trace_headers: ContextVar[tuple[bytes, bytes] | None] = ContextVar("trace_headers", default=None)


def parse_traceparent(header: bytes) -> TraceParent | None:
    """Returns what a `traceparent` says; None if it is not valid, and so is ignored."""
    found = None if len(header) > LONGEST_TRACEPARENT else _TRACEPARENT.fullmatch(header)
    if found is None or (found[1] == b"00" and found[5] is not None):
        return None
    return TraceParent(found[2].decode(), found[3].decode(), int(found[4], 16))


def trace_id_in_progress() -> str | None:
    """Returns the trace id of the request in progress, None if it is in no trace."""
    headers = trace_headers.get()
    parent = None if headers is None else parse_traceparent(headers[0])
    return None if parent is None else parent.trace_id
