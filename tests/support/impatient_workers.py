"""Serves with two workers that count as hanging early: after these seconds, from the environment.

HUNG: without an answer to a ping. COMPUTING: without a turn of the event loop.
GET /pid is answered with the id of the process; /compute and /block hold its event loop for the
seconds of the query, with and without use of the processor.
"""

import asyncio
import os
import sys
import time

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway.logs import configure_logging
from gateway.server import ShutdownPolicy, listen
from gateway.server.listening import address_of
from gateway.server.worker import Worker
from gateway.server.workers import Supervisor


class Impatient(Worker):
    hung_seconds = float(os.environ["HUNG"])
    computing_seconds = float(os.environ["COMPUTING"])


async def pid(_: Request) -> JSONResponse:
    return JSONResponse(os.getpid())


async def compute(request: Request) -> JSONResponse:
    until = time.monotonic() + float(request.url.query)
    while time.monotonic() < until:
        pass
    return JSONResponse(os.getpid())


async def block(request: Request) -> JSONResponse:
    await asyncio.sleep(0)
    time.sleep(float(request.url.query))  # noqa: ASYNC251 # which is what a bug does
    return JSONResponse(os.getpid())


def start() -> Starlette:
    configure_logging("info", "text")
    routes = {"/pid": pid, "/compute": compute, "/block": block}
    return Starlette(routes=[Route(path, endpoint) for path, endpoint in routes.items()])


if __name__ == "__main__":
    configure_logging("info", "text")
    with listen("127.0.0.1", 0) as listener:
        supervisor = Supervisor(lambda: Impatient(start, listener, ShutdownPolicy(1)), 2)
        print(f"listening on {address_of(listener)}", file=sys.stderr, flush=True)
        supervisor.run()
