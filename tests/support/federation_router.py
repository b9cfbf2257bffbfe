"""A router of the example on a free port, in front of subgraphs that the test serves."""

import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import start
from npm_tools import needs
from processes import PATIENCE_SECONDS

LISTENING = re.compile(r"listening on http://", re.IGNORECASE)


def needs_routers() -> list[pytest.MarkDecorator]:
    """Skips where Node.js or one of the routers is not installed."""
    return [mark for name in start.ROUTERS for mark in needs(start.HERE / "routers" / name)]


@contextmanager
def router_over(
    name: str, urls: Mapping[str, str], supergraph: Path = start.SUPERGRAPH
) -> Iterator[str]:
    """Yields the URL of a router's GraphQL; `urls` are those of the subgraphs, by name."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    part = start.router(name, port, urls, supergraph)
    process = subprocess.Popen(
        part.command,
        env=part.environment,
        cwd=part.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if LISTENING.search(line):
                yield part.url
                break
        else:
            raise AssertionError("".join(said))
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)
