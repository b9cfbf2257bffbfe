"""Serves with workers that cannot start; its exit status is that of `gateway serve`."""

import sys

from starlette.applications import Starlette

from gateway.logs import configure_logging
from gateway.server import ShutdownPolicy, listen, serve_with_workers


def broken() -> Starlette:
    raise LookupError("nothing is there")


if __name__ == "__main__":
    configure_logging("info", "text")
    with listen("127.0.0.1", 0) as listener:
        sys.exit(0 if serve_with_workers(broken, listener, ShutdownPolicy(0), workers=2) else 1)
