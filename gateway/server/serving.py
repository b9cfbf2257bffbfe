"""One process that serves: uvicorn, with a drain before its stop."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette

from gateway.lifecycle import Lifecycle, Stage
from gateway.server.connections import ConnectionsState
from gateway.server.listening import address_of
from gateway.server.open_files import allowed_connections, raise_open_files
from gateway.server.protocol import HttpProtocol
from gateway.server.signals import STOPPING, on_signals, stage_after

# Connections accepted at the very end of a drain have this long to send their request.
LAST_CONNECTIONS_SECONDS = 0.5
# Aborted requests have this long to send their 503.
LAST_ANSWERS_SECONDS = 1.0
START_POLL_SECONDS = 0.01

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ShutdownPolicy:
    """The times of a stop, and of idle connections.

    At a stop the server drains for `drain_seconds`, then gives requests in flight `grace_seconds`.
    An idle connection ends after `keep_alive_seconds`.
    """

    grace_seconds: int
    drain_seconds: float = 0.0
    keep_alive_seconds: int = 75

    @property
    def stop_seconds(self) -> float:
        """The longest time that a whole stop takes."""
        return (
            self.drain_seconds
            + LAST_CONNECTIONS_SECONDS
            + self.grace_seconds
            + 2 * LAST_ANSWERS_SECONDS
        )


def serve(app: Starlette, listener: socket.socket, policy: ShutdownPolicy) -> bool:
    """Serves until Ctrl-C or SIGTERM; returns whether it started and aborted no request."""
    server = Server(app, policy)
    on_signals(STOPPING, lambda number: server.advance(stage_after(server.stage, number)))
    log.info("listening on %s; Ctrl-C stops", address_of(listener))
    return server.run_until_stopped(listener)


@asynccontextmanager
async def serve_in_loop(
    app: Starlette, listener: socket.socket, policy: ShutdownPolicy
) -> AsyncIterator[None]:
    """Serves inside the running event loop, from a complete start to the end of the block.

    Signals are left to the caller. Raises `RuntimeError` if the application does not start.
    """
    server = Server(app, policy)

    async def run() -> None:
        try:
            await server.serve([listener])
        except SystemExit:  # of a task, it would end the loop
            raise RuntimeError("the application did not start; the log says why") from None

    running = asyncio.create_task(run())
    try:
        while not server.started and not running.done():  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(START_POLL_SECONDS)
        if running.done():
            await running
        yield
    finally:
        server.advance(Stage.STOPPING)
        await running


class Server(uvicorn.Server):
    """A server that ends in stages, each of which it writes to `app.state.lifecycle`.

    `heartbeat` is called by the event loop ten times a second while the server runs.
    """

    server_state: ConnectionsState

    def __init__(
        self, app: Starlette, policy: ShutdownPolicy, heartbeat: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=HttpProtocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=policy.keep_alive_seconds,
                timeout_graceful_shutdown=policy.grace_seconds,
            )
        )
        self.server_state = ConnectionsState(allowed_connections(raise_open_files()))
        self._lifecycle: Lifecycle = getattr(app.state, "lifecycle", None) or Lifecycle()
        self._policy = policy
        self._heartbeat = heartbeat
        self._stage = self._entered_stage = Stage.STARTING
        self._stage_ends_at = 0.0
        self._is_clean = True

    @property
    def stage(self) -> Stage:
        """The last stage that `advance` was called with."""
        return self._stage

    def advance(self, stage: Stage) -> None:
        """Advances to a stage within a tenth of a second; may be called from any thread."""
        self._stage = max(self._stage, stage)
        self.should_exit = self._stage >= Stage.STOPPING
        self.force_exit = self._stage is Stage.FORCED

    def run_until_stopped(self, listener: socket.socket) -> bool:
        """Serves; returns whether it started and aborted no request."""
        try:
            self.run([listener])
        except SystemExit:  # uvicorn: the application did not start, which is in the log
            return False
        return self._is_clean

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to the caller; uvicorn would raise them again after its stop."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Ends and enters stages when due; returns whether to stop."""
        self._heartbeat()
        now = asyncio.get_running_loop().time()
        if self._stage is not self._entered_stage:
            self._enter_stage(now)
        elif self._stage is Stage.CLOSING and not self.server_state.connections:
            self.advance(Stage.STOPPING)
        if self._stage in (Stage.DRAINING, Stage.CLOSING) and now >= self._stage_ends_at:
            self.advance(Stage(self._stage + 1))
        return await super().on_tick(counter)

    def _enter_stage(self, now: float) -> None:
        """Changes readiness, keep-alive and the listening socket at the same time."""
        seconds = self._policy.drain_seconds
        if self._stage is Stage.CLOSING:
            for server in self.servers:
                server.close()
            if self._entered_stage is Stage.DRAINING:
                seconds = min(seconds, LAST_CONNECTIONS_SECONDS)
        self._lifecycle.advance(self._stage)
        self.server_state.drain()
        self._entered_stage = self._stage
        self._stage_ends_at = now + seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops. uvicorn cancels requests after the grace period, a forced stop at once."""
        self._lifecycle.advance(Stage.STOPPING)
        requests = set(self.server_state.tasks)
        await super().shutdown(sockets)
        requests |= self.server_state.tasks  # pipelined requests start after the ones before them
        left = [request for request in requests if not request.done()]
        if self.force_exit:
            for request in left:
                request.cancel()
        if left:
            await asyncio.wait(left, timeout=LAST_ANSWERS_SECONDS)
        if self.force_exit:
            await self.lifespan.shutdown()
        self._is_clean = not any(request.cancelling() for request in requests)
