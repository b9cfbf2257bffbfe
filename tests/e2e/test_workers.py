"""Several workers under one supervisor: deaths, hangs, drains and rolling restarts."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest
from load import Load, load
from running import PATIENCE_SECONDS, Gate, Running, gated_store, store_at, wait_until_refused

from gateway.server.worker import HUNG_SECONDS

BROKEN_START = Path(__file__).parents[1] / "support" / "broken_start.py"
QUERY = {"query": "{ segments(first: 2) { totalCount nodes { name } } }"}
needs_proc = pytest.mark.skipif(
    not os.path.exists("/proc/self/task"), reason="needs /proc, which only Linux has"
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


def serving_workers(gateway: Running) -> list[int]:
    """Returns the ids of two workers that serve."""
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
        serving_workers(gateway)
    os.killpg(gateway.process.pid, number)
    status, _, log = gateway.end()
    assert status == 0
    assert [line for line in log.splitlines() if " INFO " not in line] == []


@needs_proc
def test_worker_that_dies_is_replaced_and_logged_as_a_warning(
    run: Callable[..., Running], store: str
) -> None:
    gateway = run("serve", "--workers", "2", **store_at(store))
    victim = serving_workers(gateway)[0]
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
    victim = serving_workers(gateway)[0]
    os.kill(victim, signal.SIGSTOP)
    assert f"worker {victim} hangs, and is replaced\n" in gateway.wait_for_line("hangs")
    gateway.wait_for_line(" serves\n")
    assert f"worker {victim} hangs, and is killed\n" in gateway.wait_for_line("hangs")
    assert gateway.stop()[0] == 0


@needs_proc
def test_workers_end_when_their_supervisor_is_killed(
    run: Callable[..., Running], store: str
) -> None:
    gateway = run("serve", "--workers", "2", **store_at(store))
    assert len(serving_workers(gateway)) == 2
    gateway.process.kill()
    _, _, log = gateway.end()  # which reads until the last one has closed standard error
    assert log.count("the supervisor is gone: worker ") == 2
    wait_until_refused("127.0.0.1", gateway.port)


def test_exit_status_is_1_after_a_worker_cut_a_request_off(
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


def test_second_ctrl_c_cuts_requests_of_workers_off(run: Callable[..., Running]) -> None:
    gate = Gate()
    with gated_store(gate) as url, ThreadPoolExecutor() as pool:
        gateway = run("serve", "--workers", "2", **store_at(url))
        asked = pool.submit(
            httpx.post, f"{gateway.url}/graphql", json=QUERY, timeout=PATIENCE_SECONDS
        )
        assert gate.arrived.wait(PATIENCE_SECONDS)
        gateway.process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):  # the request has its grace
            gateway.process.wait(1)
        status, _, _ = gateway.stop(signal.SIGINT)
        assert asked.result(PATIENCE_SECONDS).status_code == 503
    assert status == 1


@contextmanager
def breakable(broken: Path) -> Iterator[Callable[[str], str]]:
    """Two workers that cannot start while `broken` exists; yields what waits for a line."""
    with subprocess.Popen(
        [sys.executable, str(BROKEN_START)],
        env={**os.environ, "BROKEN": str(broken)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        log = process.stderr
        lines: list[str] = []

        def wait_for(part: str) -> str:
            for line in log:
                lines.append(line)
                if part in line:
                    return line
            raise AssertionError(f"it ended without {part!r}: {lines}")

        try:
            yield wait_for
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def pid_in(line: str) -> int:
    return int(line.split("worker ")[1].split()[0])


def test_workers_that_cannot_start_end_the_command_with_status_1(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(BROKEN_START)],
        env={**os.environ, "BROKEN": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 1
    assert "LookupError: nothing is there\n" in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if " ERROR " in line]
    assert line.endswith("before any worker served, so the gateway stops; the lines above say why")


@needs_proc
def test_replacements_that_cannot_start_leave_the_other_workers_running(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    with breakable(broken) as wait_for:
        first, second = (pid_in(wait_for(" serves\n")) for _ in range(2))
        supervisor = os.getpgid(first)
        broken.touch()
        os.kill(supervisor, signal.SIGHUP)
        wait_for("could not start: the others are not replaced\n")
        os.kill(first, signal.SIGKILL)
        assert pid_in(wait_for("died (signal 9); another takes its place\n")) == first
        third = pid_in(wait_for("died (status 1); another takes its place\n"))
        broken.unlink()
        assert pid_in(wait_for(" serves\n")) not in (first, second, third)
        os.kill(second, 0)  # it is still there


def is_answer(answer: httpx.Response) -> bool:
    # The last answer of a kept connection may be that its worker drains.
    return answer.status_code == 200 or answer.headers.get("Connection") == "close"


def over_a_kept_connection(gateway: Running) -> Callable[[httpx.Client], httpx.Response]:
    return lambda http: http.get(f"{gateway.url}/health/ready")


def over_new_connections(gateway: Running) -> Callable[[httpx.Client], httpx.Response]:
    """A new connection reaches a worker that stays: readiness does not flap."""

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
    before = serving_workers(gateway)
    with load_on(gateway) as clients:
        clients.wait_for(100)
        gateway.process.send_signal(signal.SIGHUP)
        left = [gateway.wait_for_line("has left").split()[-3] for _ in before]
        clients.wait_for(100)
    assert left == [str(pid) for pid in before]
    assert (clients.lost, clients.answered >= 200) == ([], True)
    assert not set(before) & set(workers_of(gateway))
    assert gateway.stop()[0] == 0


@needs_proc
def test_rolling_restart_reads_trusted_documents_again_if_they_can_be_used(
    run: Callable[..., Running], store: str, tmp_path: Path
) -> None:
    file = tmp_path / "manifest.json"
    file.write_text('{"old": "{ __typename }"}', encoding="utf-8")
    variables = {**store_at(store), "GATEWAY_TRUSTED_DOCUMENTS_FILE": str(file)}
    gateway = run("serve", "--workers", "2", **variables)

    def statuses(*names: str) -> list[int]:
        return [
            httpx.get(f"{gateway.url}/graphql/{name}", timeout=PATIENCE_SECONDS).status_code
            for name in names
        ]

    serving_workers(gateway)
    assert statuses("old", "new") == [200, 404]
    file.write_text('{"new": "{ nothing }"}', encoding="utf-8")
    gateway.process.send_signal(signal.SIGHUP)
    assert "Cannot query field 'nothing'" in gateway.wait_for_line("this worker cannot start")
    gateway.wait_for_line("could not start: the others are not replaced\n")
    assert statuses("old", "new") == [200, 404]
    file.write_text('{"new": "{ __typename }"}', encoding="utf-8")
    gateway.process.send_signal(signal.SIGHUP)
    for _ in range(2):
        gateway.wait_for_line("has left")
    assert statuses("old", "new") == [404, 200]
    assert gateway.stop()[0] == 0


@needs_proc
def test_sigterm_during_a_rolling_restart_stops_all_workers(
    run: Callable[..., Running], store: str
) -> None:
    gateway = run("serve", "--workers", "2", **store_at(store))
    before = serving_workers(gateway)
    gateway.process.send_signal(signal.SIGHUP)
    gateway.process.send_signal(signal.SIGTERM)
    status, _, log = gateway.end()
    assert status == 0
    assert log.count(" serves\n") == len(before)


@needs_proc
def test_stop_during_a_rolling_restart_does_not_wait_for_a_replacement_that_hangs(
    tmp_path: Path,
) -> None:
    broken = tmp_path / "broken"
    with breakable(broken) as wait_for:
        first, _ = (pid_in(wait_for(" serves\n")) for _ in range(2))
        supervisor = os.getpgid(first)
        broken.write_text("hang", encoding="ascii")
        os.kill(supervisor, signal.SIGHUP)
        wait_for("hanging\n")
        began = time.monotonic()
        os.kill(supervisor, signal.SIGTERM)
        with pytest.raises(AssertionError, match="it ended without") as ended:
            wait_for("hangs, and is killed")
        assert "could not start" not in str(ended.value)
        assert time.monotonic() - began < HUNG_SECONDS


@needs_proc
def test_worker_that_cannot_be_started_is_tried_again_and_ends_no_other(tmp_path: Path) -> None:
    with breakable(tmp_path / "broken") as wait_for:
        first, second = (pid_in(wait_for(" serves\n")) for _ in range(2))
        supervisor = os.getpgid(first)
        unlimited = resource.prlimit(supervisor, resource.RLIMIT_NOFILE)
        resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (4, unlimited[1]))
        os.kill(first, signal.SIGKILL)
        wait_for("no worker could be started: Too many open files\n")
        resource.prlimit(supervisor, resource.RLIMIT_NOFILE, unlimited)
        assert pid_in(wait_for("died (signal 9); another takes its place\n")) == first
        assert pid_in(wait_for(" serves\n")) not in (first, second)
        os.kill(second, 0)  # it is still there


def test_sigterm_drains_all_workers_side_by_side(run: Callable[..., Running], store: str) -> None:
    gateway = run("serve", "--workers", "2", GATEWAY_DRAIN_SECONDS="600", **store_at(store))
    serving_workers(gateway)
    gateway.process.send_signal(signal.SIGTERM)
    until, found = time.monotonic() + PATIENCE_SECONDS, 0
    while found < 20 and time.monotonic() < until:  # so that each worker is asked
        answer = httpx.get(f"{gateway.url}/health/ready")
        found = found + 1 if answer.status_code == 503 else 0
        assert answer.json()["status"] == ("ready" if answer.status_code == 200 else "draining")
    assert found == 20
    assert gateway.stop(signal.SIGTERM)[0] == 0
