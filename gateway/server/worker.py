"""A worker: a process that serves, and the supervisor's view of it.

Both hold one end of a pipe. The supervisor sends the stage to advance to, and pings (None); a
thread of the worker answers with the time since the last beat of its event loop. When the
supervisor dies, even by SIGKILL, the worker reads the end of the pipe and stops.
"""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import resource_tracker

import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors.multiprocess import Process

from gateway.lifecycle import Stage
from gateway.server.serving import Server, ShutdownPolicy
from gateway.server.signals import SIGHUP, STOPPING

# A worker hangs if it answers no ping for this time, as a stopped process does,
HUNG_SECONDS = 10.0
# or if its event loop has not run for this time. Until then it computes.
COMPUTING_SECONDS = 60.0
START_SECONDS = 60.0

log = logging.getLogger(__name__)

Factory = Callable[[], Starlette]


class Worker(Process):
    """A worker: `target` and what it calls run in its own process, all else in the supervisor's."""

    hung_seconds = HUNG_SECONDS
    computing_seconds = COMPUTING_SECONDS

    def __init__(
        self,
        factory: Factory,
        listener: socket.socket,
        policy: ShutdownPolicy,
        ended: Callable[[int], None] | None = None,
    ) -> None:
        super().__init__(uvicorn.Config("", log_config=None), [listener])
        self.has_served = False
        self.started_at = time.monotonic()
        self._factory = factory
        self._policy = policy
        self._ended = ended
        self._is_leaving = False
        self._is_ping_pending = False
        self._beat_at: float | None = None
        self._kill_at = self.started_at + START_SECONDS

    def start(self) -> None:
        """Starts the process, with the supervisor's signals blocked in it.

        A terminal and systemd send them to every process; only the supervisor acts on them.
        """
        if sys.platform == "win32":
            super().start()
            return
        resource_tracker.ensure_running()  # a later start would unblock the signals
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {*STOPPING, *SIGHUP})
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def is_alive(self, timeout: float = 0) -> bool:
        """Whether it runs and does not hang; sends the next ping, without waiting."""
        with suppress(OSError, EOFError):  # it has just ended
            if self._is_ping_pending and self.parent_conn.poll():
                self._is_ping_pending = False
                self._note_answer(self.parent_conn.recv())
            if not self._is_ping_pending:
                self.parent_conn.send(None)
                self._is_ping_pending = True
        return self.process.is_alive() and time.monotonic() < self._kill_at

    def _note_answer(self, since_beat: float | None) -> None:
        """`since_beat` is in seconds, None before the first beat."""
        if since_beat is None:
            return
        if not self.has_served:
            log.info("worker %s serves", self.pid)
        self.has_served = True
        if not self._is_leaving and since_beat < self.computing_seconds:
            self._kill_at = time.monotonic() + self.hung_seconds

    def is_ready(self, timeout: float = 0) -> bool:
        """Whether it serves."""
        return self.is_alive() and self.has_served

    def advance(self, stage: Stage) -> None:
        """Makes it drain or stop, within the time of the policy."""
        seconds = 0.0 if stage is Stage.FORCED else self._policy.stop_seconds
        kill_at = time.monotonic() + seconds + self.hung_seconds
        # A second signal must not give more time to a worker that hangs.
        self._kill_at = min(self._kill_at, kill_at) if self._is_leaving else kill_at
        self._is_leaving = True
        with suppress(OSError):  # it has just ended
            self.parent_conn.send(stage)

    def end(self) -> int:
        """Kills it if it still runs; returns its exit status."""
        self.kill()
        self.process.join()
        if self._ended is not None and self.pid is not None:
            self._ended(self.pid)
        return self.process.exitcode or 0

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves until the supervisor stops it; exits with 0 if it aborted no request, else 1."""
        self.parent_conn.close()  # this process's copy, which would keep the pipe open
        if sys.platform == "win32":
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        server = Server(self._factory(), self._policy, heartbeat=self._beat)
        threading.Thread(target=self._follow, args=(server,), daemon=True).start()
        [listener] = sockets or []
        sys.exit(0 if server.run_until_stopped(listener) else 1)

    def _follow(self, server: Server) -> None:
        with suppress(OSError, EOFError):
            while True:
                stage = self.child_conn.recv()
                if stage is None:
                    beat_at = self._beat_at
                    self.child_conn.send(None if beat_at is None else time.monotonic() - beat_at)
                else:
                    server.advance(stage)
        log.warning("the supervisor is gone: worker %s stops", os.getpid())
        server.advance(Stage.STOPPING)
        time.sleep(self._policy.stop_seconds)
        os._exit(1)  # a hanging event loop would keep the process alive

    def _beat(self) -> None:
        self._beat_at = time.monotonic()
