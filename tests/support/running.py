"""Commands as processes of their own on real ports, and a store whose answers a test holds."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from processes import serving

from gateway.emulator import create_emulator, seeded_store

TOKEN = "s3cr3t-t0k3n"
PATIENCE_SECONDS = 30


class Running:
    """A command that listens; `lines` are what it wrote to standard error so far."""

    def __init__(self, *argv: str, **environment: str) -> None:
        bare = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway", *argv, "--port", "0"],
            env={**bare, "GATEWAY_DRAIN_SECONDS": "0", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if "listening on http://" in line:
                break
        else:
            raise AssertionError(f"it ended without listening: {self.lines}")
        self.url = self.lines[-1].split("listening on ")[1].split(";")[0]
        self.port = int(self.url.rpartition(":")[2])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Returns exit status, standard output and standard error."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.end()

    def end(self) -> tuple[int, str, str]:
        """Waits for its end; returns exit status, standard output and standard error."""
        out, rest = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, out, "".join(self.lines) + rest

    def wait_for_line(self, part: str) -> str:
        """Returns the next line of standard error that holds this."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if part in line:
                return line
        raise AssertionError(f"it ended without {part!r}: {self.lines}")

    def kill(self) -> None:
        """Ends what a failed test left, workers included."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)


class Gate:
    """Holds the emulator's answers: a `sleep` that lasts until `open` is set."""

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
