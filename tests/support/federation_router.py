"""A router of the example on a free port, in front of subgraphs that the test serves."""

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
import start
from npm_tools import needs

PATIENCE_SECONDS = 60


def needs_routers() -> list[pytest.MarkDecorator]:
    """Skips where Node.js or one of the routers is not installed."""
    return [mark for name in start.ROUTERS for mark in needs(start.HERE / "routers" / name)]


@contextmanager
def router_over(name: str, urls: Mapping[str, str]) -> Iterator[str]:
    """Yields the URL of a router's GraphQL; `urls` are those of the subgraphs, by name."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    part = start.router(name, port, urls)
    process = part.start()
    until = time.monotonic() + PATIENCE_SECONDS
    try:
        while not part.answers():
            assert process.poll() is None, f"{name} ended with status {process.returncode}"
            assert time.monotonic() < until, f"{name} does not answer"
            time.sleep(0.1)
        yield part.url
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
