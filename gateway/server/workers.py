"""Several processes that serve the same socket: uvicorn's supervisor, with heartbeats and drains.

A worker that hangs is replaced as in a rolling restart: it is killed once its replacement serves,
and drained if it responds by then. So the workers that are left are never fewer than before.
"""

import logging
import multiprocessing.connection
import signal
import socket
import time
from collections.abc import Callable

import uvicorn
from uvicorn.supervisors.multiprocess import SIGNALS, Multiprocess

from gateway.lifecycle import Stage
from gateway.server.listening import address_of
from gateway.server.serving import DRAINING, ShutdownPolicy
from gateway.server.signals import SIGHUP, STOPPING, stage_after
from gateway.server.worker import Factory, Worker

# A worker that ended is replaced no sooner than this after its start.
RESTART_SECONDS = 5.0
TICK_SECONDS = 0.5

log = logging.getLogger(__name__)


def serve_with_workers(
    factory: Factory,
    listener: socket.socket,
    policy: ShutdownPolicy,
    *,
    workers: int,
    ended: Callable[[int], None] | None = None,
) -> bool:
    """Serves until Ctrl-C or SIGTERM; returns whether it started and aborted no request.

    Each worker calls `factory`, a function of a module, for its application. `ended`, a
    function of a module too, is called with the process id of each one that has ended.
    """
    supervisor = Supervisor(lambda: Worker(factory, listener, policy, ended), workers)
    log.info("listening on %s; Ctrl-C stops", address_of(listener))
    try:
        supervisor.run()
    except BaseException:
        supervisor.stop(Stage.STOPPING)  # at its exit, Python waits for child processes
        raise
    return supervisor.is_clean


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
        self._starts_again_at = 0.0

    @property
    def is_clean(self) -> bool:
        """After the end of all: whether each worker started and aborted no request."""
        return all(worker.exitcode == 0 for worker in [*self._workers, *self._leaving])

    def stop(self, stage: Stage) -> None:
        """Makes all workers drain or stop, and `run` return once they have."""
        if stage is Stage.DRAINING and self._stage < stage:
            log.info(DRAINING)
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
            if worker.is_alive() or self.should_exit.is_set():
                continue
            if not (worker.has_served and worker.process.is_alive()):
                self._replace_dead(worker)
            elif worker not in self._outdated:
                log.warning("worker %s hangs, and is replaced", worker.pid)
                self._outdated.insert(0, worker)
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
            if not self._outdated or time.monotonic() < self._starts_again_at:
                return
            self._replacement = self._start_worker()
            if self._replacement is None:
                self._give_up()
        elif self._replacement.is_ready():
            replacement, self._replacement = self._replacement, None
            # The last outdated worker may have died and been replaced in the meantime.
            if self._outdated:
                worker = self._outdated.pop(0)
                self._workers[self._workers.index(worker)] = replacement
            else:
                worker = replacement
            if worker.is_alive():
                self._leaving.append(worker)
                worker.advance(Stage.CLOSING)
            else:
                _end(worker)
        elif not self._replacement.is_alive():
            _end(self._replacement)
            pid = self._replacement.pid
            log.error("worker %s could not start: the others are not replaced", pid)
            self._give_up()

    def _give_up(self) -> None:
        """Ends a rolling restart. A worker that hangs is tried again after a pause."""
        self._replacement, self._outdated = None, []
        self._starts_again_at = time.monotonic() + RESTART_SECONDS


def _end(worker: Worker) -> int:
    """Ends a worker that is not alive; returns its exit status."""
    if worker.process.is_alive():
        log.warning("worker %s hangs, and is killed", worker.pid)
    return worker.end()
