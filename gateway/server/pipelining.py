"""Requests that a client sends ahead of the answers to earlier ones (RFC 9112, 9.3.2)."""

from uvicorn.protocols.http.flow_control import FlowControl

# Requests of a connection without an answer, the one that is being answered included.
MAXIMUM_PIPELINED = 10
END_OF_HEAD = b"\r\n\r\n"


class Flow(FlowControl):
    """Flow control that reads nothing more while bytes of the connection are unparsed."""

    has_unparsed = False

    def resume_reading(self) -> None:
        """Reads on, unless bytes are unparsed."""
        if not self.has_unparsed:
            super().resume_reading()


def size_of_requests(received: bytes, count: int, maximum: int) -> int:
    """Returns the size of a first part of at most `maximum` bytes, with the ends of `count` heads.

    The parser cannot pause: it gets no more requests than there is room for.
    """
    end = 0
    for _ in range(count):
        found = received.find(END_OF_HEAD, end, maximum)
        if found < 0:
            return maximum
        end = found + len(END_OF_HEAD)
    return end
