"""What a signal means at each stage."""

import signal
from collections.abc import Callable
from types import FrameType

from gateway.lifecycle import Stage

# SIGBREAK is what Windows has in the place of SIGTERM for processes without a window.
STOPPING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)
SIGHUP = (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()  # Windows has none


def stage_after(stage: Stage, number: int) -> Stage:
    """Returns the stage that a process goes to when a signal comes.

    SIGTERM drains, and ends a drain; SIGINT (Ctrl-C) stops without one, the second time at once.
    """
    if number == signal.SIGTERM:
        if stage < Stage.DRAINING:
            return Stage.DRAINING
        return max(stage, Stage.STOPPING)
    return Stage.STOPPING if stage < Stage.STOPPING else Stage.FORCED


def on_signals(numbers: tuple[int, ...], act: Callable[[int], None]) -> None:
    """Has `act` called with the number of each of these signals that comes, from now on."""

    def called(number: int, _frame: FrameType | None) -> None:
        act(number)

    for number in numbers:
        signal.signal(number, called)
