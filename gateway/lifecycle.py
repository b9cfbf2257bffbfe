"""The stages of a process between its start and its end."""

from enum import IntEnum


class Stage(IntEnum):
    """The stages of a process, in order; a process never returns to an earlier one."""

    STARTING = 0
    RUNNING = 1
    DRAINING = 2
    """Every request is answered, with `Connection: close`; readiness is 503."""
    CLOSING = 3
    """Open connections are served as in DRAINING; new ones are not accepted."""
    STOPPING = 4
    """Requests in flight are finished."""
    FORCED = 5
    """Requests in flight are cancelled."""


class Lifecycle:
    """The stage of one process: the server sets it, the application reads it."""

    def __init__(self) -> None:
        self.stage = Stage.STARTING

    def advance(self, stage: Stage) -> None:
        """Advances to a stage, unless a later one has been reached."""
        self.stage = max(self.stage, stage)

    @property
    def is_ending(self) -> bool:
        """Whether the process drains or stops."""
        return self.stage >= Stage.DRAINING
