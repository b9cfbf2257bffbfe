"""Where a process stands between its start and its end."""

from enum import IntEnum


class Stage(IntEnum):
    """The stages of a process, in their order; none comes back."""

    STARTING = 0
    RUNNING = 1
    DRAINING = 2
    """All is answered, and whoever asks is told to go elsewhere."""
    PARTING = 3
    """The same, for the connections that are open; no more are taken."""
    STOPPING = 4
    """What is in flight is finished."""
    FORCED = 5
    """What is in flight is cut off."""


class Lifecycle:
    """The stage of one process, which the server and the application share."""

    def __init__(self) -> None:
        self.stage = Stage.STARTING

    def advance(self, stage: Stage) -> None:
        """Goes on to a stage, unless a later one has been reached."""
        self.stage = max(self.stage, stage)

    @property
    def is_leaving(self) -> bool:
        """Whether the end has begun."""
        return self.stage >= Stage.DRAINING
