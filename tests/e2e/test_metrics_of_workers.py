"""`/metrics` of several workers: any one answers for all, also for the dead and the replaced."""

import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from processes import EMULATOR_TOKEN, controlled_emulator
from running import PATIENCE_SECONDS, Running
from samples import samples_of

from gateway.cli import main

QUERY = {"query": "{ segments(first: 2) { totalCount nodes { name } } }"}
DURATION = "graphql_server_request_duration_seconds_count"
MEMORY = "process_resident_memory_bytes"


def settings_for(url: str, folder: Path) -> dict[str, str]:
    return {
        "GATEWAY_STORE_HASH": "emulator",
        "GATEWAY_ACCESS_TOKEN": EMULATOR_TOKEN,
        "GATEWAY_UPSTREAM_URL": url,
        "GATEWAY_METRICS": "true",
        "TMPDIR": str(folder),
    }


class Workers:
    """A gateway of two workers that counts."""

    def __init__(self, gateway: Running, folder: Path) -> None:
        self.gateway = gateway
        self.folder = folder
        self.pids = [self.next_pid(" serves\n") for _ in range(2)]

    def next_pid(self, part: str) -> int:
        """Returns the process id in the next line that holds `part`."""
        return int(self.gateway.wait_for_line(part).split("worker ")[1].split()[0])

    def ask(self, times: int) -> None:
        """Sends queries, each over a connection of its own."""
        for _ in range(times):
            answer = httpx.post(f"{self.gateway.url}/graphql", json=QUERY, timeout=PATIENCE_SECONDS)
            assert answer.json()["data"]["segments"]["totalCount"] == 3

    def sums(self, name: str, times: int = 4) -> list[float]:
        """Returns what several answers say, each over a connection of its own."""
        url = f"{self.gateway.url}/metrics"
        texts = [httpx.get(url, timeout=PATIENCE_SECONDS).text for _ in range(times)]
        return [sum(samples_of(text, name).values()) for text in texts]

    def until_sum(self, name: str, value: float) -> None:
        """Returns once an answer says so: what is frequent is copied each second."""
        until = time.monotonic() + PATIENCE_SECONDS
        while self.sums(name, 1) != [value]:
            assert time.monotonic() < until, self.sums(name, 1)
            time.sleep(0.05)

    def files(self, pid: int) -> set[str]:
        """Returns the kinds of the files in which a worker counts."""
        return {path.name.rpartition("_")[0] for path in self.folder.glob(f"*/*_{pid}.db")}


def test_all_workers_are_added_up_while_they_come_and_go(
    run: Callable[..., Running], tmp_path: Path
) -> None:
    with controlled_emulator("--segments", "3") as store:
        gateway = run("serve", "--workers", "2", **settings_for(store, tmp_path))
        workers = Workers(gateway, tmp_path)
        victim, other = workers.pids
        (folder,) = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700

        workers.ask(20)
        workers.until_sum(DURATION, 20)
        assert workers.sums(DURATION) == [20] * 4
        assert set(workers.sums("gateway_upstream_quota_limit")) == {150}
        # One worker may have asked nothing yet, and the window may have ended.
        assert set(workers.sums("gateway_upstream_quota_remaining")) <= {148, 149, 150}
        assert "counter" in workers.files(victim)
        both = workers.sums(MEMORY, 1)[0]

        os.kill(victim, signal.SIGKILL)
        assert workers.next_pid(" died ") == victim
        assert workers.files(victim) >= {"counter", "histogram"}
        assert not any(kind.startswith("gauge") for kind in workers.files(victim))
        assert workers.files(other) >= {"counter", "histogram", "gauge_livesum", "gauge_livemin"}
        successor = workers.next_pid(" serves\n")
        assert workers.sums(DURATION) == [20] * 4
        workers.ask(5)
        workers.until_sum(DURATION, 25)
        assert workers.sums(MEMORY, 1)[0] < 1.5 * both

        gateway.process.send_signal(signal.SIGHUP)
        assert {workers.next_pid("has left") for _ in range(2)} == {other, successor}
        assert workers.sums(DURATION) == [25] * 4
        assert not any(kind.startswith("gauge") for kind in workers.files(other))
        workers.ask(5)
        workers.until_sum(DURATION, 30)
        workers.until_sum("gateway_response_cache_requests_total", 30)

        status, _, log = gateway.stop()
        assert (status, "Traceback" in log) == (0, False)
        assert log.count(f"metrics for Prometheus: {gateway.url}/metrics\n") == 1
        assert [*tmp_path.iterdir()] == []


def test_the_folder_is_gone_after_a_stop_during_the_start(
    run: Callable[..., Running], tmp_path: Path
) -> None:
    settings = settings_for("http://127.0.0.1:9", tmp_path)
    gateway = run("serve", "--workers", "2", **settings)
    assert len([*tmp_path.iterdir()]) == 1
    assert gateway.stop(signal.SIGINT)[0] == 0
    assert [*tmp_path.iterdir()] == []


def test_workers_do_not_start_where_no_folder_can_be_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, value in settings_for("http://127.0.0.1:9", tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    assert main(["serve", "--workers", "2", "--port", "0"]) == 2
    assert capsys.readouterr().err.endswith(
        "gateway: GATEWAY_METRICS and GATEWAY_STATUS need a folder in which workers add up their "
        "metrics (No such file or directory): set TMPDIR to one that can be written, or both to "
        "false.\n"
    )
