"""Timers that cost little to start and to stop, as each request does."""

from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable


class Timer:
    """Calls once `seconds` after its last start, unless it is stopped before.

    To start or stop it only notes the time. What the event loop calls late then waits for the rest.
    """

    def __init__(self, loop: AbstractEventLoop, seconds: float, call: Callable[[], object]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._call = call
        self._started_at: float | None = None
        self._handle: TimerHandle | None = None

    @property
    def is_running(self) -> bool:
        """Whether it has started, and will call."""
        return self._started_at is not None

    def start(self) -> None:
        """Starts it, anew if it runs."""
        self._started_at = self._loop.time()
        if self._handle is None:
            self._handle = self._loop.call_later(self._seconds, self._check)

    def stop(self) -> None:
        """Stops it; the event loop keeps it until its time."""
        self._started_at = None

    def forget(self) -> None:
        """Stops it for good, also in the event loop."""
        self._started_at = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _check(self) -> None:
        self._handle = None
        if self._started_at is None:
            return
        left = self._started_at + self._seconds - self._loop.time()
        if left > 0:
            self._handle = self._loop.call_later(left, self._check)
        else:
            self._started_at = None
            self._call()
