"""One process that serves: uvicorn, with a drain before its stop."""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import uvicorn
from starlette.applications import Starlette

from gateway.lifecycle import Lifecycle, Stage
from gateway.server.http_limits import BoundedHttpProtocol
from gateway.server.http_protocol import ConnectionsState
from gateway.server.listening import address_of
from gateway.server.signals import STOPPING, on_signals, stage_after

# How long connections that came at the very end of a drain have to send their request.
LAST_CONNECTIONS_SECONDS = 0.5
# How long requests that were cut off may take to say so.
LAST_ANSWERS_SECONDS = 1.0
# uvicorn looks ten times a second at what it has to do.
TICKS_OF_A_BEAT = 10

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Manners:
    """How a server ends: how long requests in flight have, and how long it drains before.

    An idle connection stays open for `keep_alive_seconds`.
    """

    grace_seconds: int
    drain_seconds: float = 0.0
    keep_alive_seconds: int = 75

    @property
    def stop_seconds(self) -> float:
        """How long a stop may take as a whole."""
        return (
            self.drain_seconds
            + LAST_CONNECTIONS_SECONDS
            + self.grace_seconds
            + 2 * LAST_ANSWERS_SECONDS
        )


def serve(app: Starlette, listener: socket.socket, manners: Manners) -> bool:
    """Serves until Ctrl-C or SIGTERM; returns whether it started, and no request was cut off."""
    server = Server(app, manners)
    on_signals(STOPPING, lambda number: server.advance(stage_after(server.stage, number)))
    log.info("listening on %s; Ctrl-C stops", address_of(listener))
    return server.run_until_stopped(listener)


class Server(uvicorn.Server):
    """A server whose end has stages, which it tells the application by `app.state.lifecycle`.

    It cancels what is left at a forced stop too, and knows whether anything was. `beat` is called
    about once a second while it serves.
    """

    server_state: ConnectionsState

    def __init__(
        self, app: Starlette, manners: Manners, beat: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop=_event_loop(),
                http=BoundedHttpProtocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=manners.keep_alive_seconds,
                timeout_graceful_shutdown=manners.grace_seconds,
            )
        )
        self.server_state = ConnectionsState()
        self._lifecycle: Lifecycle = getattr(app.state, "lifecycle", None) or Lifecycle()
        self._manners = manners
        self._beat = beat
        self._stage = self._stage_at_work = Stage.STARTING
        self._stage_ends_at = 0.0
        self._is_clean = True

    @property
    def stage(self) -> Stage:
        """The stage that it was told to go on to."""
        return self._stage

    def advance(self, stage: Stage) -> None:
        """Goes on to a stage, within a tenth of a second; may be called from any thread."""
        self._stage = max(self._stage, stage)
        self.should_exit = self._stage >= Stage.STOPPING
        self.force_exit = self._stage is Stage.FORCED

    def run_until_stopped(self, listener: socket.socket) -> bool:
        """Serves; returns whether it started, and no request was cut off."""
        try:
            self.run([listener])
        except SystemExit:  # uvicorn's way to say that the application did not start; it is logged
            return False
        return self._is_clean

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to whoever runs the server; uvicorn raises them again after its stop."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Does what is due; returns whether to stop."""
        if counter % TICKS_OF_A_BEAT == 0:
            self._beat()
        now = asyncio.get_running_loop().time()
        if self._stage is not self._stage_at_work:
            self._begin_stage(now)
        elif self._stage is Stage.PARTING and not self.server_state.connections:
            self.advance(Stage.STOPPING)
        if self._stage in (Stage.DRAINING, Stage.PARTING) and now >= self._stage_ends_at:
            self.advance(Stage(self._stage + 1))
        return await super().on_tick(counter)

    def _begin_stage(self, now: float) -> None:
        """Has readiness, answers and the listening socket change at one moment."""
        seconds = self._manners.drain_seconds
        if self._stage is Stage.PARTING:
            for server in self.servers:
                server.close()
            if self._stage_at_work is Stage.DRAINING:
                seconds = min(seconds, LAST_CONNECTIONS_SECONDS)
        self._lifecycle.advance(self._stage)
        self.server_state.leave()
        self._stage_at_work = self._stage
        self._stage_ends_at = now + seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops; uvicorn itself cancels requests after the grace alone."""
        self._lifecycle.advance(Stage.STOPPING)
        requests = set(self.server_state.tasks)
        await super().shutdown(sockets)
        requests |= self.server_state.tasks  # pipelined ones begin when those before them are done
        left = [request for request in requests if not request.done()]
        if self.force_exit:
            for request in left:
                request.cancel()
        if left:
            await asyncio.wait(left, timeout=LAST_ANSWERS_SECONDS)
        if self.force_exit:
            await self.lifespan.shutdown()
        self._is_clean = not any(request.cancelling() for request in requests)


def _event_loop() -> Literal["uvloop", "asyncio"]:
    try:
        import uvloop  # noqa: F401 - only whether it is there, which Windows says no to
    except ImportError:
        return "asyncio"
    return "uvloop"
