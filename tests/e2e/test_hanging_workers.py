"""Workers that compute, that block and that are stopped: which are replaced, and when."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from running import PATIENCE_SECONDS

from benchmarks.command import Command

SCRIPT = Path(__file__).parents[1] / "support" / "impatient_workers.py"
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGSTOP")


class Workers(Command):
    """Two workers; `pids` are those that serve at first."""

    def __init__(self, hung: float, computing: float) -> None:
        environment = {"HUNG": str(hung), "COMPUTING": str(computing)}
        super().__init__(sys.executable, str(SCRIPT), environment=environment)
        self.start()
        self.url = self.errors.wait_for("listening on ").split()[-1]
        self.pids = [self.next_pid(" serves\n") for _ in range(2)]

    def next_pid(self, part: str) -> int:
        """Returns the worker of the next line that holds `part`."""
        return int(self.errors.wait_for(part).split(" worker ")[1].split()[0])

    def ask(self, path: str) -> int:
        """Returns the id of the process that answers."""
        answer = httpx.get(self.url + path, timeout=PATIENCE_SECONDS)
        return int(answer.raise_for_status().json())


@pytest.fixture
def start() -> Iterator[Callable[..., Workers]]:
    with ExitStack() as stack:

        def started(hung: float, computing: float) -> Workers:
            workers = Workers(hung, computing)
            stack.callback(workers.kill)
            return workers

        yield started


def test_workers_that_compute_for_longer_than_a_hang_are_not_replaced(
    start: Callable[..., Workers],
) -> None:
    workers = start(hung=1, computing=60)
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(workers.ask, "/compute?4") for _ in range(4)]
        answered = {one.result(PATIENCE_SECONDS) for one in asked}
    assert answered <= set(workers.pids)
    status, _, log = workers.stop()
    assert (status, "hangs" in log) == (0, False)


def test_all_workers_that_are_stopped_are_killed_once_others_serve(
    start: Callable[..., Workers],
) -> None:
    workers = start(hung=1, computing=60)
    for pid in workers.pids:
        os.kill(pid, signal.SIGSTOP)
    assert workers.ask("/pid") not in workers.pids
    new = []
    for _ in workers.pids:
        new.append(workers.next_pid(" serves\n"))
        assert workers.next_pid(" hangs, and is killed\n") in workers.pids
    assert workers.ask("/pid") in new
    assert workers.stop()[0] == 0


def test_worker_whose_event_loop_is_blocked_is_replaced(start: Callable[..., Workers]) -> None:
    workers = start(hung=1, computing=2)
    with ThreadPoolExecutor() as pool:
        blocked = pool.submit(workers.ask, "/block?600")
        victim = workers.next_pid(" hangs, and is replaced\n")
        new = workers.next_pid(" serves\n")
        assert workers.next_pid(" hangs, and is killed\n") == victim
        with pytest.raises(httpx.HTTPError):
            blocked.result(PATIENCE_SECONDS)
    assert workers.ask("/pid") in {new, *workers.pids} - {victim}
    assert workers.stop()[0] == 0


def test_worker_that_responds_before_its_replacement_serves_is_drained(
    start: Callable[..., Workers],
) -> None:
    workers = start(hung=1, computing=60)
    victim = workers.pids[0]
    os.kill(victim, signal.SIGSTOP)
    assert workers.next_pid(" hangs, and is replaced\n") == victim
    os.kill(victim, signal.SIGCONT)
    workers.next_pid(" serves\n")
    assert workers.next_pid(" has left\n") == victim
    status, _, log = workers.stop()
    assert (status, "killed" in log) == (0, False)
