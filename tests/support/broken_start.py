"""Serves with workers that do not start while the file BROKEN exists; exits as `gateway serve`.

They fail; if the file holds "hang", they log that they hang, and do.
"""

import os
import sys
import threading
from pathlib import Path

from starlette.applications import Starlette

from gateway.logs import configure_logging
from gateway.server import ShutdownPolicy, listen, serve_with_workers


def start() -> Starlette:
    configure_logging("info", "text")
    broken = Path(os.environ["BROKEN"])
    if broken.is_file() and broken.read_text(encoding="ascii") == "hang":
        print("hanging", file=sys.stderr, flush=True)
        threading.Event().wait()
    if broken.exists():
        raise LookupError("nothing is there")
    return Starlette()


if __name__ == "__main__":
    configure_logging("info", "text")
    with listen("127.0.0.1", 0) as listener:
        sys.exit(0 if serve_with_workers(start, listener, ShutdownPolicy(0), workers=2) else 1)
