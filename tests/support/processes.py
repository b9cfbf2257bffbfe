"""A gateway in a process of its own, over an emulator on a real port that the test can count.

The emulator runs in a thread of the test, which holds its state, or in a process of its own, which
its control routes change.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from gateway.emulator import CONTROL_PATH, Emulator, create_emulator, seeded_store
from gateway.server.protocol import ConnectionsState, HttpProtocol

PATIENCE_SECONDS = 30
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
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "emulator", "--control", "--port", "0", *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        # What it prints last, when it listens.
        printed = [next(process.stdout, "") for _ in range(5)]
        assert printed[-1], "the emulator ended without listening"
        yield printed[-1].split()[-1].removesuffix(CONTROL_PATH)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_SECONDS)


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
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
    own = {
        "STORE_HASH": "emulator",
        "ACCESS_TOKEN": TOKEN,
        "UPSTREAM_URL": upstream_url,
        "DRAIN_SECONDS": "0",
        **settings,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "serve", "--port", "0"],
        env={**environment, **{f"GATEWAY_{name}": value for name, value in own.items()}},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "listening on http://" in line:
                yield line.split("listening on ")[1].split(";")[0]
                break
        else:
            raise AssertionError("the gateway ended without listening")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_SECONDS)
