"""Several workers under one supervisor: deaths, drains and rolling restarts."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from running import PATIENCE_SECONDS, Gate, Running, gated_store, store_at, wait_until_refused

BROKEN_START = Path(__file__).parents[1] / "support" / "broken_start.py"
QUERY = {"query": "{ segments(first: 2) { totalCount nodes { name } } }"}
needs_proc = pytest.mark.skipif(
    not os.path.exists("/proc/self/task"), reason="only Linux tells of children"
)


@pytest.fixture
def store() -> Iterator[str]:
    gate = Gate()
    gate.open.set()
    with gated_store(gate) as url:
        yield url


def workers_of(gateway: Running) -> list[int]:
    pid = gateway.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [
        int(child)
        for child in children
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def workers_at_work(gateway: Running) -> list[int]:
    """Returns the ids of two workers, both of which serve."""
    for _ in range(2):
        gateway.wait_for_line(" serves\n")
    return workers_of(gateway)


def is_up(gateway: Running) -> bool:
    return httpx.get(f"{gateway.url}/health/ready", timeout=PATIENCE_SECONDS).status_code == 200


def test_workers_share_one_port_and_stop_together(run: Callable[..., Running], store: str) -> None:
    gateway = run("serve", "--workers", "2", **store_at(store))
    answer = httpx.post(f"{gateway.url}/graphql", json=QUERY, timeout=PATIENCE_SECONDS)
    assert answer.json()["data"]["segments"]["totalCount"] == 3
    status, _, log = gateway.stop()
    assert status == 0
    assert "Traceback" not in log
    assert log.count("gateway.app: stopped after") == 2


@needs_proc
def test_worker_that_dies_is_replaced_and_told_in_a_warning(
    run: Callable[..., Running], store: str
) -> None:
    gateway = run("serve", "--workers", "2", **store_at(store))
    victim = workers_at_work(gateway)[0]
    os.kill(victim, signal.SIGKILL)
    line = gateway.wait_for_line("died")
    assert line.endswith(
        f" WARNING gateway.server.supervisor: worker {victim} died (signal 9); "
        "another takes its place\n"
    )
    assert is_up(gateway)
    status, _, log = gateway.stop()
    assert status == 0
    assert "uvicorn.error" not in log


@needs_proc
def test_worker_that_hangs_is_killed_and_replaced(run: Callable[..., Running], store: str) -> None:
    gateway = run("serve", "--workers", "2", **store_at(store))
    victim = workers_at_work(gateway)[0]
    os.kill(victim, signal.SIGSTOP)
    assert f"worker {victim} hangs, and is killed\n" in gateway.wait_for_line("hangs")
    assert f"worker {victim} died (signal 9)" in gateway.wait_for_line("died")
    assert gateway.stop()[0] == 0


@needs_proc
def test_workers_end_when_their_supervisor_is_killed(
    run: Callable[..., Running], store: str
) -> None:
    gateway = run("serve", "--workers", "2", **store_at(store))
    assert len(workers_at_work(gateway)) == 2
    gateway.process.kill()
    _, _, log = gateway.end()  # which reads until the last one has closed standard error
    assert log.count("the supervisor is gone: worker ") == 2
    wait_until_refused("127.0.0.1", gateway.port)


def test_requests_that_workers_cut_off_are_told_by_the_exit_status(
    run: Callable[..., Running],
) -> None:
    gate = Gate()
    with gated_store(gate) as url, ThreadPoolExecutor() as pool:
        gateway = run(
            "serve", "--workers", "2", GATEWAY_SHUTDOWN_GRACE_SECONDS="0", **store_at(url)
        )
        asked = pool.submit(
            httpx.post, f"{gateway.url}/graphql", json=QUERY, timeout=PATIENCE_SECONDS
        )
        assert gate.arrived.wait(PATIENCE_SECONDS)
        status, _, log = gateway.stop()
        assert asked.result(PATIENCE_SECONDS).status_code == 503
    assert status == 1
    assert "was cut off: the gateway stopped before its answer\n" in log


def test_workers_that_cannot_start_end_the_command_with_status_1() -> None:
    done = subprocess.run(
        [sys.executable, str(BROKEN_START)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 1
    assert done.stderr.count("LookupError: nothing is there\n") == 2
    assert done.stderr.endswith(
        " ERROR   gateway.server.supervisor: no worker could start; the lines above say why\n"
    )


class Load:
    """Clients that ask without a pause, and what became of their requests."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answered = 0
        self.lost: list[str] = []
        self._ends = threading.Event()

    def ask_over_kept_connections(self) -> None:
        with httpx.Client() as http:
            while not self._ends.is_set():
                self._ask(http.get)

    def ask_over_new_connections(self) -> None:
        while not self._ends.is_set():
            self._ask(httpx.get)

    def _ask(self, get: Callable[[str], httpx.Response]) -> None:
        try:
            answer = get(f"{self.url}/health/ready")
        except httpx.HTTPError as error:
            self.lost.append(repr(error))
            return
        # The last answer of a kept connection may say that its worker leaves.
        if answer.status_code == 200 or answer.headers.get("Connection") == "close":
            self.answered += 1
        else:
            self.lost.append(str(answer.status_code))

    def end(self) -> None:
        self._ends.set()


@contextmanager
def load(url: str) -> Iterator[Load]:
    running = Load(url)
    with ThreadPoolExecutor() as pool:
        asked = [
            *(pool.submit(running.ask_over_kept_connections) for _ in range(3)),
            pool.submit(running.ask_over_new_connections),
        ]
        try:
            yield running
        finally:
            running.end()
        for one in asked:
            one.result(PATIENCE_SECONDS)


@needs_proc
def test_rolling_restart_loses_no_request(run: Callable[..., Running], store: str) -> None:
    gateway = run("serve", "--workers", "2", GATEWAY_DRAIN_SECONDS="2", **store_at(store))
    before = workers_at_work(gateway)
    with load(gateway.url) as clients:
        gateway.process.send_signal(signal.SIGHUP)
        left = [gateway.wait_for_line("has left").split()[-3] for _ in before]
    assert left == [str(pid) for pid in before]
    assert (clients.lost, clients.answered > 100) == ([], True)
    assert not set(before) & set(workers_of(gateway))
    assert gateway.stop()[0] == 0


@needs_proc
def test_sigterm_of_one_worker_loses_no_request(run: Callable[..., Running], store: str) -> None:
    gateway = run("serve", "--workers", "2", GATEWAY_DRAIN_SECONDS="2", **store_at(store))
    one = workers_at_work(gateway)[0]
    with load(gateway.url) as clients:
        os.kill(one, signal.SIGTERM)
        assert f"worker {one} has left" in gateway.wait_for_line("has left")
    assert (clients.lost, clients.answered > 100) == ([], True)
    assert gateway.stop()[0] == 0


def test_sigterm_drains_all_workers_side_by_side(run: Callable[..., Running], store: str) -> None:
    gateway = run("serve", "--workers", "2", GATEWAY_DRAIN_SECONDS="600", **store_at(store))
    workers_at_work(gateway)
    gateway.process.send_signal(signal.SIGTERM)
    until, found = time.monotonic() + PATIENCE_SECONDS, 0
    while found < 20 and time.monotonic() < until:  # no worker is asked by chance only
        answer = httpx.get(f"{gateway.url}/health/ready")
        found = found + 1 if answer.status_code == 503 else 0
        assert answer.json()["status"] == ("ready" if answer.status_code == 200 else "draining")
    assert found == 20
    assert gateway.stop(signal.SIGTERM)[0] == 0
