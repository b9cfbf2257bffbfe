"""Commands that tests start, and that none of them leaves behind."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from running import Running


@pytest.fixture
def run() -> Iterator[Callable[..., Running]]:
    with ExitStack() as stack:

        def start(*argv: str, **environment: str) -> Running:
            running = Running(*argv, **environment)
            stack.callback(running.kill)
            return running

        yield start
