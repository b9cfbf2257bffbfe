"""Faults of the wire: a connection that breaks, closes early, or brings its bytes slowly.

The server lends the means, in the ASGI scope's `extensions`: under `CONNECTION`, `reset` and
`close` end the connection. Without them, as in the process, `ConnectionResetError` says it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.emulator.faults import Fault, Rule

CONNECTION = "gateway.connection"
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
        await _end_connection("reset", scope, receive)
    elif fault is Fault.HANG:
        await _wait(sleep(seconds), receive)
        await _end_connection("close", scope, receive)
    elif fault is Fault.CUT:
        await _send_start(response, send)
        half = response.body[: len(response.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await _end_connection("close", scope, receive)
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


async def _end_connection(how: Literal["reset", "close"], scope: Scope, receive: Receive) -> None:
    means = scope.get("extensions", {}).get(CONNECTION)
    if means is None:
        raise ConnectionResetError("the emulator broke the connection")
    means[how]()
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
