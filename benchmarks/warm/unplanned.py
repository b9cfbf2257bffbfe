"""A contender: the gateway, but each request is executed by graphql-core.

`python -m benchmarks.warm.unplanned PORT`, with the settings of the environment.
"""

import sys

from gateway.app import create_app
from gateway.logs import configure_logging
from gateway.server import ShutdownPolicy, listen, serve
from gateway.settings import load_settings


def main(port: int) -> None:
    """Serves until a signal."""
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    with listen("127.0.0.1", port) as listener:
        serve(create_app(settings, plans=False), listener, ShutdownPolicy(grace_seconds=1))


if __name__ == "__main__":
    main(int(sys.argv[1]))
