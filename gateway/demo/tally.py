"""What a side has answered so far, and what that cost the store."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Side(StrEnum):
    """One of the two ways to do a task."""

    REST = "REST"
    GATEWAY = "gateway"


@dataclass(eq=False)
class Tally:
    """What clients got: rows or answers, in the unit of the task.

    `names` counts the names of segments that they saw, `stale` the answers marked as stale,
    `waiting` the clients that wait for the next window of the quota.
    """

    answered: int = 0
    stale: int = 0
    waiting: int = 0
    names: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Figures:
    """One side of one task, at one moment or at its end.

    The emulator counts `requests`, those of them that it `refused` with 429, and the lowest
    `quota_left` of a window.
    """

    requests: int
    refused: int
    quota_left: int
    seconds: float
    answered: int
    stale: int
    waiting: int
