"""The servers, each a process with a port of its own, all on one core."""

import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import httpx
import msgspec

from benchmarks.command import PATIENCE_SECONDS, Command, free_port
from benchmarks.warm.static import FixedAnswer
from benchmarks.warm.wrk import on_core

SEGMENTS = 1000
# Longer than any run: what is warm stays warm.
TTL_SECONDS = 3600
STORE_HASH, TOKEN = "emulator", "emulator-token"
STATIC, GATEWAY, UNCACHED, UNPLANNED, STRAWBERRY = (
    "static",
    "gateway",
    "without the response cache",
    "without plans",
    "Strawberry",
)


@dataclass(frozen=True, slots=True)
class Contender:
    """A server that is running, and the URL that each kind of request goes to.

    `pid` is None for a server that was running before.
    """

    name: str
    url: str
    pid: int | None = None
    has_url_for_each_work: bool = False

    def url_of(self, work: str) -> str:
        """Returns the URL for a kind of request."""
        return f"{self.url}/{work}" if self.has_url_for_each_work else self.url


@dataclass(frozen=True, slots=True)
class CountingStore:
    """An emulated store in a process of its own, which counts requests."""

    url: str

    def requests(self) -> int:
        """Returns the number of requests since its start."""
        counts = httpx.get(f"{self.url}/_emulator/requests").raise_for_status().json()
        return int(counts["total"])

    def settings(self) -> dict[str, str]:
        """Returns the environment of a gateway that reads it."""
        return {
            "GATEWAY_STORE_HASH": STORE_HASH,
            "GATEWAY_ACCESS_TOKEN": TOKEN,
            "GATEWAY_UPSTREAM_URL": self.url,
            "GATEWAY_CACHE_TTL_SECONDS": str(TTL_SECONDS),
            "GATEWAY_ALLOW_GET_DOCUMENTS": "true",
        }


class Processes:
    """Starts processes on a core, and kills them all at the end."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def start(
        self,
        port: int,
        *arguments: str,
        core: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Command:
        """Starts `python -m` with these arguments, and waits until it listens on the port."""
        command = (sys.executable, "-m", *arguments)
        return self.start_command(port, *command, core=core, environment=environment)

    def start_command(
        self,
        port: int,
        *arguments: str,
        core: int | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Command:
        """Starts a command, in a folder or in this one, and waits until it listens on the port."""
        command = Command(*arguments, environment=environment, folder=folder)
        self._stack.callback(command.kill)
        with on_core(core):
            command.start()
        deadline = monotonic() + PATIENCE_SECONDS
        while not _listens(port):
            if not command.is_running or monotonic() > deadline:
                command.kill()
                raise RuntimeError(f"{arguments} did not start: {command.errors.text()}")
            sleep(0.02)
        return command


def cpu_seconds(pid: int | None) -> float | None:
    """Returns the CPU time that a process has used; None where /proc does not say it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def gateway_url(port: int) -> str:
    """Returns the URL of GraphQL on a port."""
    return f"http://127.0.0.1:{port}/graphql"


def start_store(processes: Processes, core: int | None) -> CountingStore:
    """Starts an emulator whose quota does not run out."""
    port = free_port()
    options = ("--segments", str(SEGMENTS), "--control", "--quota", "1000000")
    processes.start(port, "gateway", "emulator", "--port", str(port), *options, core=core)
    return CountingStore(f"http://127.0.0.1:{port}")


def start_gateway(
    processes: Processes, environment: Mapping[str, str], core: int | None, name: str = GATEWAY
) -> Contender:
    """Starts `gateway serve`."""
    port = free_port()
    arguments = ("gateway", "serve", "--port", str(port))
    command = processes.start(port, *arguments, core=core, environment=environment)
    return Contender(name, gateway_url(port), command.process.pid)


@contextmanager
def running_dynamic(
    server_core: int | None, load_core: int | None
) -> Iterator[tuple[Processes, CountingStore, list[Contender]]]:
    """Runs a store and all contenders but `static`, which needs their answers first."""
    with ExitStack() as stack:
        processes = Processes(stack)
        store = start_store(processes, load_core)
        settings = store.settings()
        contenders = [start_gateway(processes, settings, server_core)]
        uncached = {**settings, "GATEWAY_RESPONSE_CACHE_MAX_BYTES": "0"}
        contenders.append(start_gateway(processes, uncached, server_core, UNCACHED))
        modules: Sequence[tuple[str, str, Sequence[str]]] = (
            (UNPLANNED, "benchmarks.warm.unplanned", ()),
            (
                STRAWBERRY,
                "benchmarks.warm.strawberry_app",
                (f"{store.url}/stores/{STORE_HASH}/v3/", TOKEN, str(TTL_SECONDS)),
            ),
        )
        for name, module, arguments in modules:
            port = free_port()
            command = processes.start(
                port, module, str(port), *arguments, core=server_core, environment=uncached
            )
            contenders.append(Contender(name, gateway_url(port), command.process.pid))
        yield processes, store, contenders


def start_static(
    processes: Processes, answers: Mapping[str, FixedAnswer], folder: Path, core: int | None
) -> Contender:
    """Starts the server of these bytes, by the name of the kind of request."""
    port, path = free_port(), folder / "answers.json"
    path.write_bytes(msgspec.json.encode({f"/{name}": answers[name] for name in answers}))
    command = processes.start(port, "benchmarks.warm.static", str(port), str(path), core=core)
    url = f"http://127.0.0.1:{port}"
    return Contender(STATIC, url, command.process.pid, has_url_for_each_work=True)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
