"""Several workers under one supervisor: deaths, drains and rolling restarts."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
from load import Load, load
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
    assert log.count("gateway.app.application: stopped after") == 2


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("are_up", [False, True])
def test_a_signal_that_every_process_gets_is_one_stop(
    number: signal.Signals, are_up: bool, run: Callable[..., Running], store: str
) -> None:
    """Terminals send Ctrl-C to the whole group, systemd SIGTERM."""
    gateway = run("serve", "--workers", "2", **store_at(store))
    if are_up:
        workers_at_work(gateway)
    os.killpg(gateway.process.pid, number)
    status, _, log = gateway.end()
    assert status == 0
    assert [line for line in log.splitlines() if " INFO " not in line] == []


@needs_proc
def test_worker_that_dies_is_replaced_and_told_in_a_warning(
    run: Callable[..., Running], store: str
) -> None:
    gateway = run("serve", "--workers", "2", **store_at(store))
    victim = workers_at_work(gateway)[0]
    os.kill(victim, signal.SIGKILL)
    line = gateway.wait_for_line("died")
    assert line.endswith(
        f" WARNING gateway.server.workers: worker {victim} died (signal 9); "
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
    assert "LookupError: nothing is there\n" in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if " ERROR " in line]
    assert re.search(r"gateway\.server\.workers: worker \d+ could not start; the lines above", line)


def is_answer(answer: httpx.Response) -> bool:
    # The last answer of a kept connection may say that its worker leaves.
    return answer.status_code == 200 or answer.headers.get("Connection") == "close"


def over_a_kept_connection(gateway: Running) -> Callable[[httpx.Client], httpx.Response]:
    return lambda http: http.get(f"{gateway.url}/health/ready")


def over_new_connections(gateway: Running) -> Callable[[httpx.Client], httpx.Response]:
    """Whoever connects anew gets to a worker that stays: readiness does not flap."""

    def send(_: httpx.Client) -> httpx.Response:
        answer = httpx.get(f"{gateway.url}/health/ready", timeout=PATIENCE_SECONDS)
        return answer.raise_for_status()

    return send


def load_on(gateway: Running) -> AbstractContextManager[Load]:
    kinds = over_a_kept_connection(gateway), over_new_connections(gateway)
    return load(*kinds, is_answer=is_answer)


@needs_proc
def test_rolling_restart_loses_no_request(run: Callable[..., Running], store: str) -> None:
    gateway = run("serve", "--workers", "2", GATEWAY_DRAIN_SECONDS="2", **store_at(store))
    before = workers_at_work(gateway)
    with load_on(gateway) as clients:
        clients.wait_for(100)
        gateway.process.send_signal(signal.SIGHUP)
        left = [gateway.wait_for_line("has left").split()[-3] for _ in before]
        clients.wait_for(100)
    assert left == [str(pid) for pid in before]
    assert (clients.lost, clients.answered >= 200) == ([], True)
    assert not set(before) & set(workers_of(gateway))
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
