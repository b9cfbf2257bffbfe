"""Serves with workers that cannot start while the file BROKEN exists; exits as `gateway serve`."""

import os
import sys
from pathlib import Path

from starlette.applications import Starlette

from gateway.logs import configure_logging
from gateway.server import ShutdownPolicy, listen, serve_with_workers


def start() -> Starlette:
    configure_logging("info", "text")
    if Path(os.environ["BROKEN"]).exists():
        raise LookupError("nothing is there")
    return Starlette()


if __name__ == "__main__":
    configure_logging("info", "text")
    with listen("127.0.0.1", 0) as listener:
        sys.exit(0 if serve_with_workers(start, listener, ShutdownPolicy(0), workers=2) else 1)
