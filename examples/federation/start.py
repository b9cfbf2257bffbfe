"""Starts the larger graph: the gateway on its emulator, both subgraphs and a router, until Ctrl-C.

Exit status: 0 after Ctrl-C, SIGTERM or a closed terminal, 1 if a part ended or did not answer, 2
if it could not be started.
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from urllib.request import Request, urlopen

HERE = Path(__file__).resolve().parent
HOST = "127.0.0.1"
ANSWERS_WITHIN_SECONDS = 60.0
STOPS_WITHIN_SECONDS = 10.0
SUPERGRAPH = HERE / "supergraph.graphql"
# The port of each subgraph, and what Python runs.
SUBGRAPHS = {
    "segments": (8000, ("-m", "gateway", "serve")),
    "promotions": (8101, ("promotions.py",)),
    "customers": (8102, ("customers.py",)),
}
# Of each router, what Node.js runs; the supergraph's path follows.
ROUTERS = {
    "hive": ["node_modules/@graphql-hive/gateway/dist/bin.js", "supergraph"],
    "apollo": ["server.mjs"],
}
# Left out of the environment: the other subgraphs name segments of the emulated store, and the
# router has no credentials.
STORE = {
    "GATEWAY_API_KEYS_FILE",
    "GATEWAY_JWT_JWKS_URL",
    "GATEWAY_JWT_ISSUER",
    "GATEWAY_JWT_AUDIENCE",
    "GATEWAY_JWT_ALGORITHMS",
    "GATEWAY_STORE_HASH",
    "GATEWAY_ACCESS_TOKEN",
    "GATEWAY_ACCESS_TOKEN_FILE",
    "GATEWAY_UPSTREAM_URL",
    "GATEWAY_UPSTREAM_PLAIN_HTTP_HOST",
}
# With these in the environment a router reports to its maker, or to a collector of traces.
REPORTING = ("APOLLO_", "HIVE_", "OTEL_", "OPENTELEMETRY")
OPTIONS = ("port", *(f"{name}_port" for name in SUBGRAPHS))
QUERY = "{ promotions(first: 1) { edges { node { name segments { name } } } } }"


class CannotStart(Exception):
    """The graph cannot be started; the message says why, and what to do."""


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
        """The URL of its GraphQL."""
        return f"http://{HOST}:{self.port}/graphql"

    def start(self) -> subprocess.Popen[bytes]:
        """Starts it in a session of its own: Ctrl-C reaches this process alone."""
        return subprocess.Popen(  # noqa: S603 - nothing of the command comes from outside
            self.command, env=self.environment, cwd=self.folder, start_new_session=True
        )

    def answers(self) -> bool:
        """Returns whether it answers a query."""
        headers = {"Content-Type": "application/json"}
        query = Request(f"{self.url}?query=%7B__typename%7D", headers=headers)  # noqa: S310 - http
        with suppress(OSError), urlopen(query, timeout=2):  # noqa: S310 - http
            return True
        return False


Running = list[tuple[Part, subprocess.Popen[bytes]]]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the graph until it is to stop; returns the exit status."""
    stopping = Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    try:
        *subgraphs, entrance = parts(_parser().parse_args(argv))
    except CannotStart as error:
        print(f"start.py: {error}", file=sys.stderr)
        return 2
    running: Running = []
    try:
        for group in (subgraphs, [entrance]):
            running += [(part, part.start()) for part in group]
            if not all(_comes_up(part, running, stopping) for part in group):
                return 0 if stopping.is_set() else 1
        print(_welcome(entrance), flush=True)
        while not stopping.wait(0.2):
            if _has_ended(running):
                return 1
        return 0
    finally:
        _stop(running)


def parts(arguments: argparse.Namespace) -> list[Part]:
    """Returns the three subgraphs, and the router last.

    Raises `CannotStart` where a port is taken, or what the router needs is not installed.
    """
    ports: dict[str, int] = {option: getattr(arguments, option) for option in OPTIONS}
    for option, port in ports.items():
        try:
            socket.create_server((HOST, port)).close()
        except (OSError, OverflowError) as error:
            raise CannotStart(
                f"port {port} cannot be used: stop the program that listens there, or choose "
                f"another port with --{option.replace('_', '-')} ({error})."
            ) from error
    subgraphs = [
        _subgraph(name, ports[f"{name}_port"], *program) for name, (_, program) in SUBGRAPHS.items()
    ]
    urls = {part.name: part.url for part in subgraphs}
    return [*subgraphs, router(arguments.router, ports["port"], urls)]


def router(name: str, port: int, urls: Mapping[str, str], supergraph: Path = SUPERGRAPH) -> Part:
    """Returns the router of that name in front of subgraphs at these URLs, or the supergraph's.

    Raises `CannotStart` where what it needs is not installed.
    """
    folder = HERE / "routers" / name
    node = shutil.which("node")
    if node is None:
        raise CannotStart("the routers need Node.js 20.19 or newer: install it.")
    if not (folder / "node_modules").is_dir():
        where = os.path.relpath(folder)
        raise CannotStart(f"the router is not installed: run `npm ci` in {where}.")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(REPORTING)}
    environment |= {f"{subgraph.upper()}_URL": url for subgraph, url in urls.items()}
    environment |= {"HOST": HOST, "PORT": str(port)}
    command = [node, *ROUTERS[name], str(supergraph)]
    return Part("the router", port, command, environment, folder)


def _subgraph(name: str, port: int, *program: str) -> Part:
    environment = {k: v for k, v in os.environ.items() if k not in STORE}
    # The router is gone before the gateway, which need not wait for it.
    environment.setdefault("GATEWAY_DRAIN_SECONDS", "0")
    command = [sys.executable, *program, "--host", HOST, "--port", str(port)]
    return Part(name, port, command, environment)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Starts the gateway on its emulator, two more subgraphs and a router.",
        epilog="Everything listens on 127.0.0.1.",
    )
    parser.add_argument("--router", choices=ROUTERS, default="hive")
    parser.add_argument("--port", type=int, default=4000, help="of the router")
    for name, (port, _) in SUBGRAPHS.items():
        parser.add_argument(f"--{name}-port", type=int, default=port)
    return parser


def _comes_up(part: Part, running: Running, stopping: Event) -> bool:
    """Waits until a part answers; returns False where one ended, or all are to stop."""
    until = time.monotonic() + ANSWERS_WITHIN_SECONDS
    while not part.answers():
        if _has_ended(running) or stopping.wait(0.1):
            return False
        if time.monotonic() > until:
            print(f"start.py: {part.name} did not answer at {part.url}.", file=sys.stderr)
            return False
    return True


def _has_ended(running: Running) -> bool:
    for part, process in running:
        if (status := process.poll()) is not None:
            text = f"{part.name} ended with status {status}; stopping the others."
            print(f"start.py: {text}", file=sys.stderr)
            return True
    return False


def _stop(running: Running) -> None:
    """Stops every part with its child processes, the router first; kills those that hang."""
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
