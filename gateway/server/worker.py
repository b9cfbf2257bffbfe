"""One of several processes that serve the same socket, seen from both sides.

Supervisor and worker hold an end each of a pair of sockets, and write stages, a byte each. The
worker writes that it is running about once a second and from its event loop, so that one that hangs
falls silent. The supervisor writes what the worker shall go on to; when it is gone, even by
SIGKILL, the worker reads an end.
"""

import logging
import multiprocessing
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker

from starlette.applications import Starlette

from gateway.lifecycle import Stage
from gateway.server.serving import Manners, Server
from gateway.server.signals import SIGHUP, on_signals

BLOCKED = {signal.SIGINT, signal.SIGTERM, *SIGHUP}

log = logging.getLogger(__name__)

Factory = Callable[[], Starlette]


class Worker:
    """A worker as the supervisor sees it."""

    def __init__(self, factory: Factory, listener: socket.socket, manners: Manners) -> None:
        self._channel, theirs = socket.socketpair()
        self._channel.setblocking(False)
        # A new interpreter: a copy of this one would share its locks and its random numbers.
        self._process = multiprocessing.get_context("spawn").Process(
            target=run_worker, args=(factory, listener, theirs, manners)
        )
        with theirs, _signals_blocked():
            self._process.start()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid or 0

    @property
    def ends(self) -> int:
        """What becomes readable when the process ends, for `multiprocessing.connection.wait`."""
        return self._process.sentinel

    @property
    def exit_status(self) -> int | None:
        """How the process ended, as `subprocess` tells it; None while it runs."""
        return self._process.exitcode

    def beat(self) -> Stage | None:
        """Returns what it wrote last, None if it wrote nothing since this was asked.

        RUNNING: it serves; DRAINING: it asks to be replaced.
        """
        try:
            written = self._channel.recv(4096)
        except (BlockingIOError, ConnectionError):
            return None
        return Stage(max(written)) if written else None

    def tell(self, stage: Stage) -> None:
        """Has it go on to a stage."""
        with suppress(OSError):  # it has ended, or does not listen: the supervisor will see
            self._channel.send(bytes([stage]))

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()

    def close(self) -> None:
        """Forgets one that has ended."""
        self._process.join()
        self._process.close()
        self._channel.close()


def run_worker(
    factory: Factory, listener: socket.socket, channel: socket.socket, manners: Manners
) -> None:
    """Serves in this process until the supervisor says otherwise, or is gone.

    At SIGTERM it asks the supervisor to be replaced. Ends with status 0 if the stop was clean,
    else 1.
    """
    channel.setblocking(False)

    def say(stage: Stage) -> None:
        with suppress(OSError):  # nobody reads: the thread below knows whether for ever
            channel.send(bytes([stage]))

    server = Server(factory(), manners, beat=lambda: say(Stage.RUNNING))
    on_signals((signal.SIGTERM,), lambda _: say(Stage.DRAINING))
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    else:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_obey, args=(server, channel, manners), daemon=True).start()
    sys.exit(0 if server.run_until_stopped(listener) else 1)


def _obey(server: Server, channel: socket.socket, manners: Manners) -> None:
    """Passes on what the supervisor tells; stops the worker when there is none any more."""
    while stages := _read(channel):
        server.advance(Stage(max(stages)))
    log.warning("the supervisor is gone: worker %s stops", os.getpid())
    server.advance(Stage.STOPPING)
    time.sleep(manners.stop_seconds)
    os._exit(1)  # an event loop that hangs would live on


def _read(channel: socket.socket) -> bytes:
    select.select([channel], [], [])
    try:
        return channel.recv(4096)
    except ConnectionError:
        return b""


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Has a process that begins within get none of `BLOCKED`, until it asks for them.

    The terminal and systemd send them to all processes: what they mean, the supervisor tells.
    """
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    resource_tracker.ensure_running()  # where the first start does this, it lifts the block
    before = signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
