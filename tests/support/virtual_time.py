"""An event loop whose time is not waited for: where every task sleeps, it goes on to the next."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Value = TypeVar("Value")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Tells seconds that pass only where nothing is left to do; no socket may be waited for."""

    def __init__(self) -> None:
        self._seconds = 0.0
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self._seconds

    def pass_by(self, seconds: float) -> None:
        self._seconds += seconds


class _Selector(selectors.SelectSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "every task waits for another one"
            self._loop.pass_by(max(0.0, timeout))
        return ready


def run_in_virtual_time(main: Coroutine[Any, Any, Value]) -> Value:
    """Returns what the coroutine returns, however long its sleeps, in no time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
