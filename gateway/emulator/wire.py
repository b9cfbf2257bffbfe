"""Faults of the wire: a connection that breaks, closes early, or brings its bytes slowly.

In the process there is no connection: `ConnectionResetError` is raised instead.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Literal

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.emulator.faults import Fault, Rule

SILENT = (Fault.RESET, Fault.HANG)
PIECES = 20


async def send_answer(
    response: Response,
    rule: Rule | None,
    scope: Scope,
    receive: Receive,
    send: Send,
    sleep: Callable[[float], Awaitable[object]],
) -> None:
    """Sends an answer, spoilt on its way as the rule says.

    Raises `ConnectionResetError` for a connection that breaks where the server lends no means.
    """
    fault, seconds = (None, 0.0) if rule is None else (rule.fault, rule.seconds or 0.0)
    if fault is Fault.RESET:
        await _end_connection("reset", receive)
    elif fault is Fault.HANG:
        await _wait(sleep(seconds), receive)
        await _end_connection("close", receive)
    elif fault is Fault.CUT:
        await _send_start(response, send)
        half = response.body[: len(response.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await _end_connection("close", receive)
    elif fault is Fault.DRIP:
        await _send_start(response, send)
        pieces = _cut_in_pieces(bytes(response.body))
        for piece in pieces:
            await sleep(seconds / len(pieces))
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    else:
        await response(scope, receive, send)


def _cut_in_pieces(body: bytes) -> list[bytes]:
    size = max(1, -(-len(body) // PIECES))
    return [body[start : start + size] for start in range(0, len(body), size)]


async def _send_start(response: Response, send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
    )


async def _end_connection(how: Literal["reset", "close"], receive: Receive) -> None:
    # ASGI has no message for this; uvicorn's `receive` is a method of what holds the transport.
    cycle = getattr(receive, "__self__", None)
    transport: asyncio.Transport | None = getattr(cycle, "transport", None)
    if transport is None:
        raise ConnectionResetError("the emulator broke the connection")
    if how == "reset":
        # Without lingering the system sends a reset (RST) in place of an end (FIN).
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()
    # An application that returns before the server knows of the end has forgotten its answer.
    await _hang_up(receive)


async def _wait(sleeping: Awaitable[object], receive: Receive) -> None:
    """Waits, unless the client loses its patience before."""
    waits = [asyncio.ensure_future(sleeping), asyncio.ensure_future(_hang_up(receive))]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _hang_up(receive: Receive) -> None:
    """Waits for the end of the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
