"""A timer that is started and stopped often, on a clock that does not run by itself."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from gateway.server.timers import Timer


class Loop:
    """The time and the delayed calls of an event loop."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[tuple[float, Callable[[], object]]] = []
        self.count = 0

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Callable[[], object]) -> Any:
        self.count += 1
        due = (self.now + seconds, call)
        self.calls.append(due)
        return SimpleNamespace(cancel=lambda: self.calls.remove(due))

    def advance(self, seconds: float) -> None:
        self.now += seconds
        while due := [call for call in self.calls if call[0] <= self.now]:
            self.calls.remove(due[0])
            due[0][1]()


def timer_of(loop: Any, seconds: float = 10) -> tuple[Timer, list[float]]:
    called_at: list[float] = []
    return Timer(loop, seconds, lambda: called_at.append(loop.now)), called_at


def test_timer_calls_once_after_its_last_start() -> None:
    loop = Loop()
    timer, called_at = timer_of(loop)
    timer.start()
    loop.advance(6)
    timer.stop()
    timer.start()
    loop.advance(9)
    assert (called_at, timer.is_running) == ([], True)
    loop.advance(1)
    assert (called_at, timer.is_running) == ([16], False)
    loop.advance(100)
    assert called_at == [16]


def test_stopped_timer_does_not_call() -> None:
    loop = Loop()
    timer, called_at = timer_of(loop)
    timer.start()
    timer.stop()
    loop.advance(100)
    assert called_at == []
    assert not loop.calls
    timer.start()
    loop.advance(10)
    assert called_at == [110]


def test_thousand_starts_are_one_call_of_the_event_loop() -> None:
    loop = Loop()
    timer, _ = timer_of(loop)
    for _ in range(1000):
        timer.start()
        timer.stop()
    assert loop.count == 1


def test_forgotten_timer_leaves_nothing_in_the_event_loop() -> None:
    loop = Loop()
    timer, called_at = timer_of(loop)
    timer.start()
    timer.stop()
    timer.forget()
    assert not loop.calls
    timer.forget()
    loop.advance(100)
    assert called_at == []


async def test_timer_runs_on_a_real_event_loop() -> None:
    called = asyncio.Event()
    Timer(asyncio.get_running_loop(), 0, called.set).start()
    await asyncio.wait_for(called.wait(), 5)
