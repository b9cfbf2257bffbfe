"""A router of the example on a free port, in front of subgraphs that the test serves."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import start
from npm_tools import needs
from processes import running

from benchmarks.command import Command, free_port


def needs_routers() -> list[pytest.MarkDecorator]:
    """Skips where Node.js or one of the routers is not installed."""
    return [mark for name in start.ROUTERS for mark in needs(start.HERE / "routers" / name)]


@contextmanager
def router_over(
    name: str, urls: Mapping[str, str], supergraph: Path = start.SUPERGRAPH
) -> Iterator[str]:
    """Yields the URL of a router's GraphQL; `urls` are those of the subgraphs, by name."""
    part = start.router(name, free_port(), urls, supergraph)
    command = Command(*part.command, environment=part.environment, folder=part.folder)
    with running(command) as router:
        router.output.wait_for("istening on http://")
        yield part.url
