"""The limit of open files (`ulimit -n`), and how many connections it allows."""

import logging
import sys

from gateway.server.connections import MAXIMUM_CONNECTIONS, SPARE_CONNECTIONS

# Connections to the store and to Redis, the listening socket, files that are read.
OTHER_FILES = 128
NEEDED = MAXIMUM_CONNECTIONS + SPARE_CONNECTIONS + OTHER_FILES

log = logging.getLogger(__name__)


def allowed_connections(open_files: int) -> int:
    """Returns the number of connections for a process that may open this number of files."""
    return max(2, min(open_files, NEEDED) - SPARE_CONNECTIONS - OTHER_FILES)


def raise_open_files() -> int:
    """Raises this process's limit of open files as far as it needs and may; returns the limit.

    Systems often begin with 1024, to which a process may add.
    """
    if sys.platform == "win32":
        return NEEDED
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= NEEDED:
        return NEEDED
    limit = NEEDED if hard == resource.RLIM_INFINITY else min(NEEDED, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    if limit < NEEDED:
        log.warning(
            "a process may open %d files here: it accepts %d connections. For %d raise the limit "
            "(ulimit -n) to %d",
            limit,
            allowed_connections(limit),
            MAXIMUM_CONNECTIONS,
            NEEDED,
        )
    return limit
