"""The stage that each signal leads to."""

import signal
from collections.abc import Callable
from types import FrameType

from gateway.lifecycle import Stage

# On Windows, SIGBREAK replaces SIGTERM for processes without a window.
STOPPING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)
SIGHUP = (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()  # Windows has none


def stage_after(stage: Stage, number: int) -> Stage:
    """Returns the stage after a signal.

    SIGTERM drains, a second one ends the drain. SIGINT (Ctrl-C) stops without a drain, a second one
    aborts requests.
    """
    if number == signal.SIGTERM:
        if stage < Stage.DRAINING:
            return Stage.DRAINING
        return max(stage, Stage.STOPPING)
    return Stage.STOPPING if stage < Stage.STOPPING else Stage.FORCED


def on_signals(numbers: tuple[int, ...], act: Callable[[int], None]) -> None:
    """Calls `act` with the number of each of these signals, from now on."""

    def handler(number: int, _frame: FrameType | None) -> None:
        act(number)

    for number in numbers:
        signal.signal(number, handler)
