"""`gateway` commands as processes on real ports, and a store whose answers a test holds."""

import asyncio
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from processes import serving

from benchmarks.command import PATIENCE_SECONDS as PATIENCE_SECONDS
from benchmarks.command import Command
from gateway.emulator import create_emulator, seeded_store

TOKEN = "s3cr3t-t0k3n"


class Running(Command):
    """A `gateway` command that listens on a free port; `lines` are its standard error so far."""

    def __init__(self, *argv: str, **environment: str) -> None:
        command = (sys.executable, "-m", "gateway", *argv, "--port", "0")
        super().__init__(*command, environment={"GATEWAY_DRAIN_SECONDS": "0", **environment})
        self.start()
        self.url = self.errors.wait_for("listening on").split("listening on ")[1].split(";")[0]
        self.port = int(self.url.rpartition(":")[2])

    @property
    def lines(self) -> list[str]:
        """The lines of standard error so far."""
        return self.errors.lines

    def wait_for_line(self, part: str) -> str:
        """Returns the next line of standard error that holds `part`."""
        return self.errors.wait_for(part)


class Gate:
    """A `sleep` for the emulator that lasts until `open` is set."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.open = threading.Event()

    async def sleep(self, _seconds: float) -> None:
        self.arrived.set()
        await asyncio.to_thread(self.open.wait, PATIENCE_SECONDS)


@contextmanager
def gated_store(gate: Gate) -> Iterator[str]:
    """A store on a port of this process, behind a gate."""
    app = create_emulator(seeded_store(3), token=TOKEN, latency_seconds=1, sleep=gate.sleep)
    with serving(app) as url:
        try:
            yield url
        finally:
            gate.open.set()


def store_at(url: str) -> dict[str, str]:
    return {
        "GATEWAY_STORE_HASH": "emulator",
        "GATEWAY_ACCESS_TOKEN": TOKEN,
        "GATEWAY_UPSTREAM_URL": url,
    }


def wait_until_refused(host: str, port: int) -> None:
    deadline = monotonic() + PATIENCE_SECONDS
    while monotonic() < deadline:
        try:
            socket.create_connection((host, port), PATIENCE_SECONDS).close()
        except ConnectionError:
            return
    raise AssertionError("the gateway still takes connections")
