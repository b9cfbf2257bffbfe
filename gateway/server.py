"""Serves an ASGI application on a socket, until Ctrl-C or SIGTERM and a clean stop."""

import asyncio
import errno
import logging
import signal
import socket
from types import FrameType
from typing import Literal

import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from gateway.http_limits import BoundedHttpProtocol

# Longer than the idle time of common proxies (60 s), so that it is they who hang up: a request
# sent into a connection that the server is just closing is lost.
KEEP_ALIVE_SECONDS = 75
BACKLOG = 2048
# How long requests that were cut off may take to say so.
LAST_ANSWERS_SECONDS = 1.0

log = logging.getLogger(__name__)


class CannotListen(Exception):
    """The address cannot be had; the message says why, and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket that listens; port 0 takes any free one.

    Raises `CannotListen` where the address is in use, not this machine's, or not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        host.encode("idna")  # where create_server fails at that, it leaves its socket open
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except UnicodeError as error:
        raise CannotListen(f"cannot listen on {host!r}: it is no name of a host.") from error
    except OSError as error:
        # Python appends the address, which the sentence names already.
        reason = (error.strerror or str(error)).partition(" (while")[0].lower()
        advice = (
            "Stop what listens there, or choose another --host or --port."
            if error.errno == errno.EADDRINUSE
            else "--host has to be an address of this machine, --port one that its user may take: "
            "those below 1024 are often kept for the system."
        )
        raise CannotListen(f"cannot listen on {address(host, port)}: {reason}. {advice}") from error


def address(host: str, port: int) -> str:
    """Returns the URL of a host and port."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(
    app: Starlette | str, listener: socket.socket, *, grace_seconds: int, workers: int = 1
) -> bool:
    """Serves until Ctrl-C or SIGTERM; requests in flight have `grace_seconds` to finish.

    A second Ctrl-C ends their time at once. Returns whether none was cut off. `app` is a factory's
    import path where there are several workers, each a process of its own; of their requests only
    their logs tell.
    """
    is_factory = isinstance(app, str)
    config = uvicorn.Config(
        app,
        factory=is_factory,
        workers=workers,
        loop=_event_loop(),
        http=BoundedHttpProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=grace_seconds,
    )
    host, port = listener.getsockname()[:2]
    log.info("listening on %s; Ctrl-C stops", address(host, port))
    if workers > 1:
        _Workers(config, [listener]).run()
        return True
    server = _Server(config)

    # uvicorn sets handlers of its own while it runs, and raises what they caught again after its
    # stop: without these, the process would end in status 130 or 143.
    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    server.run([listener])
    return server.is_clean


class _Server(uvicorn.Server):
    """A server that cancels what is left at a forced stop too, and knows whether anything was."""

    is_clean = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops; uvicorn itself cancels requests after the grace alone."""
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
        self.is_clean = not any(request.cancelling() for request in requests)


class _Workers(Multiprocess):
    """A supervisor that warns of each worker that it replaces."""

    def keep_subprocess_alive(self) -> None:
        """Starts a new worker in the place of each that died or hung."""
        before = list(self.processes)
        super().keep_subprocess_alive()
        for old, new in zip(before, self.processes, strict=True):
            if new is not old:
                log.warning("worker %s died; worker %s takes its place", old.pid, new.pid)


def _event_loop() -> Literal["uvloop", "asyncio"]:
    try:
        import uvloop  # noqa: F401 - only whether it is there, which Windows says no to
    except ImportError:
        return "asyncio"
    return "uvloop"
