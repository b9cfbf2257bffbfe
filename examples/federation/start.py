"""Starts the larger graph: the gateway on its emulator, both subgraphs and a router, until Ctrl-C.

Exit status: 0 after Ctrl-C, SIGTERM or a closed terminal, 1 if a part ended or did not answer, 2
if it could not be started.
"""

import argparse
import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event

HERE = Path(__file__).resolve().parent
HOST = "127.0.0.1"
ANSWERS_WITHIN_SECONDS = 60.0
STOPS_WITHIN_SECONDS = 10.0
SUPERGRAPH = HERE / "supergraph.graphql"
# Of each router, what Node.js runs; the supergraph's path follows.
ROUTERS = {
    "hive": ["node_modules/@graphql-hive/gateway/dist/bin.js", "supergraph"],
    "apollo": ["server.mjs"],
}
# The store that is asked is the emulated one, whose segments the other two subgraphs name.
STORE = {
    "GATEWAY_STORE_HASH",
    "GATEWAY_ACCESS_TOKEN",
    "GATEWAY_UPSTREAM_URL",
    "GATEWAY_UPSTREAM_PLAIN_HTTP_HOST",
}
# With these in the environment a router reports to its maker, or to a collector of traces.
REPORTING = ("APOLLO_", "HIVE_", "OTEL_", "OPENTELEMETRY")
QUERY = "{ promotions(first: 1) { edges { node { name segments { name } } } } }"


class CannotStart(Exception):
    """The graph cannot be started; the message says why, and what to do."""


class Arguments(argparse.Namespace):
    """The command line."""

    router: str
    port: int
    segments_port: int
    promotions_port: int
    customers_port: int


@dataclass(frozen=True)
class Part:
    """A process of the graph, which answers GraphQL on a port of its own."""

    name: str
    port: int
    command: Sequence[str]
    environment: dict[str, str]
    folder: Path = HERE

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}/graphql"

    def start(self) -> subprocess.Popen[bytes]:
        """Starts it in a session of its own: Ctrl-C reaches this process alone."""
        return subprocess.Popen(  # noqa: S603 - nothing of the command comes from outside
            self.command, env=self.environment, cwd=self.folder, start_new_session=True
        )

    def answers(self) -> bool:
        """Returns whether it answers a query."""
        connection = HTTPConnection(HOST, self.port, timeout=2)
        try:
            connection.request(
                "GET",
                "/graphql?query=%7B__typename%7D",
                headers={"Content-Type": "application/json"},
            )
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the graph until it is to stop; returns the exit status."""
    stopping = Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    try:
        *subgraphs, entrance = parts(_parser().parse_args(argv, namespace=Arguments()))
    except CannotStart as error:
        print(f"start.py: {error}", file=sys.stderr)
        return 2
    running: list[tuple[Part, subprocess.Popen[bytes]]] = []
    with ExitStack() as stack:
        stack.callback(_stop, running)
        for group in (subgraphs, [entrance]):
            for part in group:
                try:
                    running.append((part, part.start()))
                except OSError as error:
                    print(f"start.py: {part.name} cannot be started: {error}.", file=sys.stderr)
                    return 2
            for part in group:
                if not _comes_up(part, running, stopping):
                    return 0 if stopping.is_set() else 1
        print(_welcome(entrance), flush=True)
        while not stopping.wait(0.2):
            if _has_ended(running):
                return 1
    return 0


def parts(arguments: Arguments) -> list[Part]:
    """Returns the three subgraphs, and the router last; port 0 becomes a free one.

    Raises `CannotStart` where a port is taken, or what the router needs is not installed.
    """
    segments, promotions, customers, port = _ports(
        {
            "--segments-port": arguments.segments_port,
            "--promotions-port": arguments.promotions_port,
            "--customers-port": arguments.customers_port,
            "--port": arguments.port,
        }
    )
    subgraphs = [
        _subgraph("segments", segments, "-m", "gateway", "serve"),
        _subgraph("promotions", promotions, "promotions.py"),
        _subgraph("customers", customers, "customers.py"),
    ]
    urls = {part.name: part.url for part in subgraphs}
    return [*subgraphs, router(arguments.router, port, urls)]


def router(name: str, port: int, urls: Mapping[str, str], supergraph: Path = SUPERGRAPH) -> Part:
    """Returns the router of that name in front of subgraphs at these URLs, or the supergraph's.

    Raises `CannotStart` where what it needs is not installed.
    """
    folder = HERE / "routers" / name
    node = shutil.which("node")
    if node is None:
        raise CannotStart("the routers need Node.js 20.19 or newer: install it.")
    if not (folder / "node_modules").is_dir():
        raise CannotStart(
            f"the router is not installed: run `npm ci` in {os.path.relpath(folder)}."
        )
    environment = {k: v for k, v in os.environ.items() if not k.startswith(REPORTING)}
    environment |= {f"{subgraph.upper()}_URL": url for subgraph, url in urls.items()}
    environment |= {"HOST": HOST, "PORT": str(port)}
    command = [node, *ROUTERS[name], str(supergraph)]
    return Part("the router", port, command, environment, folder)


def _subgraph(name: str, port: int, *program: str) -> Part:
    environment = {k: v for k, v in os.environ.items() if k not in STORE}
    # Nobody has to notice that the gateway goes: the router has gone before it.
    environment.setdefault("GATEWAY_DRAIN_SECONDS", "0")
    command = [sys.executable, *program, "--host", HOST, "--port", str(port)]
    return Part(name, port, command, environment)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Starts the gateway on its emulator, two more subgraphs and a router.",
        epilog="Everything listens on 127.0.0.1. A port of 0 takes any free one.",
    )
    parser.add_argument("--router", choices=ROUTERS, default="hive")
    parser.add_argument("--port", type=int, default=4000, help="of the router")
    for name, port in (("segments", 8000), ("promotions", 8101), ("customers", 8102)):
        parser.add_argument(f"--{name}-port", type=int, default=port)
    return parser


def _ports(wanted: dict[str, int]) -> list[int]:
    """Returns the ports with free ones for 0: all are held at once, so that no two are the same."""
    with ExitStack() as stack:
        found = []
        for option, port in wanted.items():
            try:
                held = stack.enter_context(socket.create_server((HOST, port)))
            except (OSError, OverflowError) as error:
                if getattr(error, "errno", None) == errno.EADDRINUSE:
                    raise CannotStart(
                        f"port {port} is taken: stop what listens there, or choose another with "
                        f"{option}."
                    ) from error
                raise CannotStart(
                    f"port {port} cannot be had: choose another with {option}."
                ) from error
            found.append(held.getsockname()[1])
    return found


def _comes_up(
    part: Part, running: Sequence[tuple[Part, subprocess.Popen[bytes]]], stopping: Event
) -> bool:
    """Waits until a part answers; returns False where one ended, or all are to stop."""
    until = time.monotonic() + ANSWERS_WITHIN_SECONDS
    while not part.answers():
        if _has_ended(running):
            return False
        if time.monotonic() > until:
            print(f"start.py: {part.name} did not answer at {part.url}.", file=sys.stderr)
            return False
        if stopping.wait(0.1):
            return False
    return True


def _has_ended(running: Sequence[tuple[Part, subprocess.Popen[bytes]]]) -> bool:
    for part, process in running:
        status = process.poll()
        if status is not None:
            print(
                f"start.py: {part.name} ended with status {status}; stopping the others.",
                file=sys.stderr,
            )
            return True
    return False


def _stop(running: Sequence[tuple[Part, subprocess.Popen[bytes]]]) -> None:
    """Stops every part with all that it started, the router first; those that hang are killed."""
    for _, process in reversed(running):
        _signal(process, signal.SIGTERM)
    until = time.monotonic() + STOPS_WITHIN_SECONDS
    for _, process in reversed(running):
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, until - time.monotonic()))
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signals the group that the process leads, which may outlive it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _welcome(entrance: Part) -> str:
    return f"""
The larger graph answers at {entrance.url}; Ctrl-C stops it. Ask it, for example:

curl -s {entrance.url} -H 'Content-Type: application/json' \\
  -d '{{"query": "{QUERY}"}}'
"""


if __name__ == "__main__":
    sys.exit(main())
