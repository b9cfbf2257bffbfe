"""A gateway in a process of its own, over an emulator on a real port.

The emulator runs in a thread of the test, or in a process of its own with its control routes.
"""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from benchmarks.command import PATIENCE_SECONDS as PATIENCE_SECONDS
from benchmarks.command import Command
from gateway.emulator import CONTROL_PATH, Emulator, create_emulator, seeded_store
from gateway.server.connections import ConnectionsState
from gateway.server.protocol import HttpProtocol

TOKEN = "s3cr3t-t0k3n"
EMULATOR_TOKEN = "emulator-token"  # of `gateway emulator`


@contextmanager
def emulator_on_a_port(
    segments: int,
    *,
    latency_seconds: float = 0.0,
    max_limit: int = 250,
    over_limit: Literal["clamp", "refuse"] = "clamp",
    rate_limit_quota: int = 1_000_000,
    control: bool = False,
) -> Iterator[tuple[str, Emulator]]:
    """Yields the URL and the state of an emulator that a thread of the test serves."""
    app = create_emulator(
        seeded_store(segments),
        token=TOKEN,
        latency_seconds=latency_seconds,
        max_limit=max_limit,
        over_limit=over_limit,
        rate_limit_quota=rate_limit_quota,
        control=control,
    )
    with serving(app) as url:
        yield url, app.state.emulator


@contextmanager
def controlled_emulator(*options: str) -> Iterator[str]:
    """Yields the URL of `gateway emulator --control` in a process of its own.

    `options` are those of the command line; its token is `EMULATOR_TOKEN`.
    """
    command = (sys.executable, "-m", "gateway", "emulator", "--control", "--port", "0", *options)
    with running(Command(*command)) as emulator:
        yield emulator.output.wait_for(CONTROL_PATH).split()[-1].removesuffix(CONTROL_PATH)


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Yields the URL of an application that a thread of the test serves as `serve` would."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=HttpProtocol, log_config=None))
    server.server_state = ConnectionsState()
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextmanager
def gateway_over(upstream_url: str, **settings: str) -> Iterator[str]:
    """Yields the URL of `gateway serve` in a process of its own.

    `settings` are variables without their prefix.
    """
    own = {
        "STORE_HASH": "emulator",
        "ACCESS_TOKEN": TOKEN,
        "UPSTREAM_URL": upstream_url,
        "DRAIN_SECONDS": "0",
        **settings,
    }
    environment = {f"GATEWAY_{name}": value for name, value in own.items()}
    command = (sys.executable, "-m", "gateway", "serve", "--port", "0")
    with running(Command(*command, environment=environment)) as gateway:
        yield gateway.errors.wait_for("listening on").split("listening on ")[1].split(";")[0]


@contextmanager
def running(command: Command) -> Iterator[Command]:
    """Starts a command; stops it at the end."""
    command.start()
    try:
        yield command
        command.stop()
    finally:
        command.kill()
