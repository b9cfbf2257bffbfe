"""Several processes that serve the same socket: uvicorn's supervisor, with heartbeats and drains.

Supervisor and worker hold one end each of a pipe. The supervisor sends pings (None), which the
worker's event loop answers, and the stage to advance to. When the supervisor dies, even by SIGKILL,
the worker reads the end of the pipe and stops.
"""

import logging
import multiprocessing.connection
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
from uvicorn.supervisors.multiprocess import SIGNALS, Multiprocess, Process

from gateway.lifecycle import Stage
from gateway.server.listening import address_of
from gateway.server.serving import Server, ShutdownPolicy
from gateway.server.signals import SIGHUP, STOPPING, stage_after

# A worker whose event loop does not answer a ping within this time hangs.
HUNG_SECONDS = 10.0
START_SECONDS = 60.0
# A worker that ended is replaced no sooner than this after its start.
RESTART_SECONDS = 5.0
TICK_SECONDS = 0.5

log = logging.getLogger(__name__)

Factory = Callable[[], Starlette]


def serve_with_workers(
    factory: Factory, listener: socket.socket, policy: ShutdownPolicy, *, workers: int
) -> bool:
    """Serves until Ctrl-C or SIGTERM; returns whether it started and aborted no request.

    Each worker calls `factory`, a function of a module, for its application.
    """
    supervisor = Supervisor(lambda: Worker(factory, listener, policy), workers)
    log.info("listening on %s; Ctrl-C stops", address_of(listener))
    try:
        supervisor.run()
    except BaseException:
        supervisor.stop(Stage.STOPPING)  # at its exit, Python waits for child processes
        raise
    return supervisor.is_clean


class Worker(Process):
    """A worker: `target` and what it calls run in its own process, all else in the supervisor's."""

    def __init__(self, factory: Factory, listener: socket.socket, policy: ShutdownPolicy) -> None:
        super().__init__(uvicorn.Config("", log_config=None), [listener])
        self.has_served = False
        self.started_at = time.monotonic()
        self._factory = factory
        self._policy = policy
        self._is_leaving = False
        self._is_ping_pending = False
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

    def is_alive(self, timeout: float = HUNG_SECONDS) -> bool:
        """Whether it runs and answers pings within `timeout`; sends the next, without waiting."""
        with suppress(OSError, EOFError):  # it has just ended
            if self._is_ping_pending and self.parent_conn.poll():
                self.parent_conn.recv()
                self._is_ping_pending = False
                if not self.has_served:
                    log.info("worker %s serves", self.pid)
                self.has_served = True
                if not self._is_leaving:
                    self._kill_at = time.monotonic() + timeout
            if not self._is_ping_pending:
                self.parent_conn.send(None)
                self._is_ping_pending = True
        return self.process.is_alive() and time.monotonic() < self._kill_at

    def is_ready(self, timeout: float = 0) -> bool:
        """Whether it serves."""
        return self.is_alive() and self.has_served

    def advance(self, stage: Stage) -> None:
        """Makes it drain or stop, within the time of the policy."""
        seconds = 0.0 if stage is Stage.FORCED else self._policy.stop_seconds
        kill_at = time.monotonic() + seconds + HUNG_SECONDS
        # A second signal must not give more time to a worker that hangs.
        self._kill_at = min(self._kill_at, kill_at) if self._is_leaving else kill_at
        self._is_leaving = True
        with suppress(OSError):  # it has just ended
            self.parent_conn.send(stage)

    def end(self) -> int:
        """Kills it if it still runs; returns its exit status."""
        self.kill()
        self.process.join()
        return self.process.exitcode or 0

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves until the supervisor stops it; exits with 0 if it aborted no request, else 1."""
        self.parent_conn.close()  # this process's copy, which would keep the pipe open
        if sys.platform == "win32":
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        server = Server(self._factory(), self._policy, heartbeat=self._answer_ping)
        threading.Thread(target=self._follow, args=(server,), daemon=True).start()
        [listener] = sockets or []
        sys.exit(0 if server.run_until_stopped(listener) else 1)

    def _follow(self, server: Server) -> None:
        with suppress(OSError, EOFError):
            while True:
                stage = self.child_conn.recv()
                if stage is None:
                    self._is_ping_pending = True
                else:
                    server.advance(stage)
        log.warning("the supervisor is gone: worker %s stops", os.getpid())
        server.advance(Stage.STOPPING)
        time.sleep(self._policy.stop_seconds)
        os._exit(1)  # a hanging event loop would keep the process alive

    def _answer_ping(self) -> None:
        if self._is_ping_pending:
            self._is_ping_pending = False
            with suppress(OSError):  # the supervisor is gone
                self.child_conn.send(None)


class Supervisor(Multiprocess):
    """Keeps `count` workers running, and replaces all of them at SIGHUP, one by one."""

    def __init__(self, new_worker: Callable[[], Worker], count: int) -> None:
        super().__init__(uvicorn.Config("", workers=count, log_config=None), [])
        for number in {*SIGNALS} - {*STOPPING, *SIGHUP}:
            signal.signal(number, signal.SIG_DFL)
        self._new_worker = new_worker
        self._stage = Stage.RUNNING
        self._workers: list[Worker] = []
        self._leaving: list[Worker] = []
        # Those that a rolling restart has yet to replace, and the replacement that is starting.
        self._outdated: list[Worker] = []
        self._replacement: Worker | None = None

    @property
    def is_clean(self) -> bool:
        """After the end of all: whether each worker started and aborted no request."""
        return all(worker.exitcode == 0 for worker in [*self._workers, *self._leaving])

    def stop(self, stage: Stage) -> None:
        """Makes all workers drain or stop, and `run` return once they have."""
        self._stage = stage
        self.should_exit.set()
        if self._replacement is not None:
            self._replacement.end()
            self._replacement = None
        self.terminate_all()

    def init_processes(self) -> None:
        """Starts the workers."""
        for _ in range(self.processes_num):
            worker = self._new_worker()
            worker.start()
            self._workers.append(worker)

    def keep_subprocess_alive(self) -> None:
        """Replaces workers that died or hang, and goes on with a rolling restart."""
        for worker in self._workers:
            if not worker.is_alive() and not self.should_exit.is_set():
                self._replace_dead(worker)
        for worker in [worker for worker in self._leaving if not worker.is_alive()]:
            _end(worker)
            self._leaving.remove(worker)
            log.info("worker %s has left", worker.pid)
        if not self.should_exit.is_set():
            self._replace_outdated()

    def restart_all(self) -> None:
        """Begins to replace the workers one by one; an old one leaves once the new one serves.

        A start that fails ends it.
        """
        self._outdated = [*self._workers]

    def handle_signals(self) -> None:
        """Acts on the signals that have arrived."""
        while self.signal_queue:
            number = self.signal_queue.pop(0)
            if number not in SIGHUP:
                self.stop(stage_after(self._stage, number))
            elif not self.should_exit.is_set():
                self.restart_all()

    def terminate_all(self) -> None:
        """Passes the stage on to all workers."""
        for worker in [*self._workers, *self._leaving]:
            worker.advance(self._stage)

    def join_all(self) -> None:
        """Waits until all workers have ended; still handles signals."""
        everyone = [*self._workers, *self._leaving]
        while running := [worker for worker in everyone if worker.process.is_alive()]:
            sentinels = [worker.process.sentinel for worker in running]
            multiprocessing.connection.wait(sentinels, TICK_SECONDS)
            self.handle_signals()
            for worker in running:
                if not worker.is_alive():
                    _end(worker)

    def _start_worker(self) -> Worker | None:
        """Returns a worker that starts, None if the system cannot start one now."""
        try:
            worker = self._new_worker()
            worker.start()
        except OSError as error:
            log.error("no worker could be started: %s", error.strerror)
            return None
        return worker

    def _replace_dead(self, worker: Worker) -> None:
        if not any(other.has_served for other in self._workers):
            worker.end()
            log.error(
                "worker %s ended before any worker served, so the gateway stops; the lines above "
                "say why",
                worker.pid,
            )
            self.stop(Stage.STOPPING)
        elif time.monotonic() >= worker.started_at + RESTART_SECONDS:
            successor = self._start_worker()
            if successor is None:
                worker.started_at = time.monotonic()  # the next try is as long after this one
                return
            status = _end(worker)
            how = f"signal {-status}" if status < 0 else f"status {status}"
            log.warning("worker %s died (%s); another takes its place", worker.pid, how)
            self._workers[self._workers.index(worker)] = successor
            self._outdated = [other for other in self._outdated if other is not worker]

    def _replace_outdated(self) -> None:
        """Takes one step of a rolling restart, without waiting."""
        if self._replacement is None:
            if not self._outdated:
                return
            self._replacement = self._start_worker()
            if self._replacement is None:
                self._outdated = []
        elif self._replacement.is_ready():
            replacement, self._replacement = self._replacement, None
            # The last outdated worker may have died and been replaced in the meantime.
            if self._outdated:
                worker = self._outdated.pop(0)
                self._workers[self._workers.index(worker)] = replacement
            else:
                worker = replacement
            self._leaving.append(worker)
            worker.advance(Stage.CLOSING)
        elif not self._replacement.is_alive():
            _end(self._replacement)
            pid = self._replacement.pid
            log.error("worker %s could not start: the others are not replaced", pid)
            self._replacement, self._outdated = None, []


def _end(worker: Worker) -> int:
    """Ends a worker that is not alive; returns its exit status."""
    if worker.process.is_alive():
        log.warning("worker %s hangs, and is killed", worker.pid)
    return worker.end()
