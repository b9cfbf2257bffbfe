"""Clients that ask without a pause, and what became of their requests."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

PATIENCE_SECONDS = 30

Send = Callable[[httpx.Client], httpx.Response]


class Load:
    """What became of the requests: how many were answered, and in words those that were not."""

    def __init__(self) -> None:
        self.answered = 0
        self.lost: list[str] = []
        self.ends = threading.Event()
        self._changed = threading.Condition()

    def ask(self, send: Send, is_answer: Callable[[httpx.Response], bool]) -> None:
        """Asks over a connection that is kept, until the end."""
        with httpx.Client(timeout=PATIENCE_SECONDS) as http:
            while not self.ends.is_set():
                try:
                    answer = send(http)
                except httpx.HTTPError as error:
                    self._note(repr(error))
                else:
                    lost = f"{answer.status_code} {answer.text}"
                    self._note(None if is_answer(answer) else lost)

    def wait_for(self, more: int) -> None:
        """Waits until `more` further requests are answered, or one is lost."""
        with self._changed:
            goal = self.answered + more
            self._changed.wait_for(lambda: self.answered >= goal or self.lost, PATIENCE_SECONDS)

    def _note(self, lost: str | None) -> None:
        with self._changed:
            if lost is None:
                self.answered += 1
            else:
                self.lost.append(lost)
            self._changed.notify_all()


@contextmanager
def load(*kinds: Send, is_answer: Callable[[httpx.Response], bool]) -> Iterator[Load]:
    """Runs two clients for each kind of request; ends them, and waits for their last answers."""
    running = Load()
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(running.ask, kind, is_answer) for kind in kinds for _ in range(2)]
        try:
            yield running
        finally:
            running.ends.set()
        for one in asked:
            one.result(PATIENCE_SECONDS)
