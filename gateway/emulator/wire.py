"""Faults of the connection: it is reset, closed early, or slow.

Inside the process there is no connection: `ConnectionResetError` is raised instead.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Literal

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.emulator.faults import SILENT_FAULTS, Fault, Rule

PIECES = 20


async def send_answer(
    response: Response,
    rule: Rule | None,
    scope: Scope,
    receive: Receive,
    send: Send,
    sleep: Callable[[float], Awaitable[object]],
) -> None:
    """Sends an answer with the rule's fault of the wire.

    Raises `ConnectionResetError` if there is no connection to break.
    """
    fault = None if rule is None else rule.fault
    if fault in SILENT_FAULTS:
        await _end_connection("reset", receive)
    elif fault is Fault.CUT:
        await _send_start(response, send)
        half = response.body[: len(response.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await _end_connection("close", receive)
    elif rule is not None and rule.seconds is not None:
        await _send_start(response, send)
        size = max(1, -(-len(response.body) // PIECES))
        starts = range(0, len(response.body), size)
        for start in starts:
            await sleep(rule.seconds / len(starts))
            piece = response.body[start : start + size]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    else:
        await response(scope, receive, send)


async def _send_start(response: Response, send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
    )


async def _end_connection(how: Literal["reset", "close"], receive: Receive) -> None:
    # ASGI has no message for this; uvicorn's `receive` belongs to the object with the transport.
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
    # If the application returned before the disconnect, the server would report a missing answer.
    while (await receive())["type"] != "http.disconnect":
        pass
