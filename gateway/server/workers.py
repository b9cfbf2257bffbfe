"""Several processes that serve the same socket, until Ctrl-C or SIGTERM."""

import logging
import multiprocessing.connection
import socket
import time

from gateway.lifecycle import Stage
from gateway.server.listening import address_of
from gateway.server.serving import Manners
from gateway.server.signals import SIGHUP, STOPPING, on_signals
from gateway.server.supervisor import Supervisor
from gateway.server.worker import Factory, Worker

TICK_SECONDS = 0.1

log = logging.getLogger(__name__)


def serve_with_workers(
    factory: Factory, listener: socket.socket, manners: Manners, *, workers: int
) -> bool:
    """Serves until Ctrl-C or SIGTERM; SIGHUP replaces the workers one by one.

    Each worker makes its application by `factory`, a function of a module. Returns whether one
    could start, and none cut off a request at the stop.
    """
    supervisor = Supervisor(lambda: Worker(factory, listener, manners), workers, manners)
    on_signals((*STOPPING, *SIGHUP), supervisor.signals.append)
    log.info("listening on %s; Ctrl-C stops", address_of(listener))
    try:
        while supervisor.go_on(time.monotonic()):
            multiprocessing.connection.wait(supervisor.ends(), TICK_SECONDS)
    except BaseException:
        # Python waits for its processes at its end: these would go on for ever.
        supervisor.stop(Stage.STOPPING, time.monotonic())
        raise
    return supervisor.is_clean
