"""The one clock of the tests: it stands still until a test advances it."""

import asyncio
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Seconds since the epoch; tasks that `sleep` on it wake when `advance` passes their time.

    `slept` holds the seconds of each sleep, in order.
    """

    now: float = 1_800_000_000.0
    slept: list[float] = field(default_factory=list)
    _sleepers: "list[tuple[float, asyncio.Event]]" = field(default_factory=list)

    def __call__(self) -> float:
        """Returns the time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Lets seconds pass, and wakes the tasks whose sleep has ended."""
        self.now += seconds
        for wakes_at, woken in self._sleepers:
            if wakes_at <= self.now:
                woken.set()
        self._sleepers = [(at, woken) for at, woken in self._sleepers if not woken.is_set()]

    async def sleep(self, seconds: float) -> None:
        """Returns once the clock has been advanced by these seconds."""
        self.slept.append(seconds)
        woken = asyncio.Event()
        self._sleepers.append((self.now + seconds, woken))
        await woken.wait()


async def settle(turns: int = 50) -> None:
    """Lets the tasks that are ready run, for at most these turns of the event loop."""
    for _ in range(turns):
        await asyncio.sleep(0)
