"""The commands as processes of their own, on real ports, until a real signal."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic, sleep

import httpx
import msgspec
import pytest
from running import (
    PATIENCE_SECONDS,
    TOKEN,
    Gate,
    Running,
    gated_store,
    store_at,
    wait_until_refused,
)

from benchmarks.command import Command

QUERY = {"query": "{ segments(first: 2) { totalCount nodes { name } } }"}


def closed_port() -> str:
    """Returns a URL where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_first_line_names_upstream_cache_and_authentication(run: Callable[..., Running]) -> None:
    gateway = run("serve")
    assert "upstream: the emulator inside this process (120 segments); " in gateway.lines[0]
    assert "; cache: memory, 64 MiB, fresh for 15 s; " in gateway.lines[0]
    assert "; authentication of clients: none; " in gateway.lines[0]


@pytest.mark.parametrize("level", ["warning", "error"])
def test_emulator_is_named_on_the_first_line_at_every_level(level: str) -> None:
    command = (sys.executable, "-m", "gateway", "serve", "--port", "0")
    gateway = Command(*command, environment={"GATEWAY_LOG_LEVEL": level})
    gateway.start()
    line = gateway.errors.wait_for()
    gateway.kill()
    assert f" {level.upper():7} gateway.cli: upstream: the emulator inside this process " in line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_gateway_answers_until_a_signal_and_ends_with_status_0(
    number: signal.Signals, run: Callable[..., Running]
) -> None:
    gateway = run("serve")
    answer = httpx.post(f"{gateway.url}/graphql", json=QUERY)
    assert answer.status_code == 200
    assert answer.json() == {
        "data": {
            "segments": {
                "totalCount": 120,
                "nodes": [{"name": "VIP customers"}, {"name": "First-time buyers"}],
            }
        },
        "extensions": {"cache": {"age": 0, "stale": False}},
    }
    status, out, log = gateway.stop(number)
    assert (status, out) == (0, "")
    assert "Traceback" not in log


def test_request_in_flight_is_answered_after_sigterm(run: Callable[..., Running]) -> None:
    gate = Gate()
    with gated_store(gate) as url, ThreadPoolExecutor() as pool:
        gateway = run("serve", **store_at(url))
        answer = pool.submit(httpx.post, f"{gateway.url}/graphql", json=QUERY)
        assert gate.arrived.wait(PATIENCE_SECONDS)
        gateway.process.send_signal(signal.SIGTERM)
        host, port = gateway.url.removeprefix("http://").split(":")
        wait_until_refused(host, int(port))
        gate.open.set()
        assert answer.result(PATIENCE_SECONDS).json()["data"]["segments"]["totalCount"] == 3
        assert gateway.stop()[0] == 0


CUT_OFF = {
    "message": "The gateway stopped before the store's API had answered. Send the request again.",
    "extensions": {"code": "UPSTREAM_UNAVAILABLE"},
}


def stops_at_the_end_of_the_grace(gateway: Running) -> None:
    gateway.process.send_signal(signal.SIGTERM)


def stops_at_a_second_ctrl_c(gateway: Running) -> None:
    gateway.process.send_signal(signal.SIGINT)
    host, port = gateway.url.removeprefix("http://").split(":")
    wait_until_refused(host, int(port))
    gateway.process.send_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("stop", "grace_seconds"),
    [(stops_at_the_end_of_the_grace, "0"), (stops_at_a_second_ctrl_c, "60")],
)
def test_request_that_a_stop_cuts_off_is_answered_and_told_in_a_line(
    stop: Callable[[Running], None], grace_seconds: str, run: Callable[..., Running]
) -> None:
    gate = Gate()
    with gated_store(gate) as url, ThreadPoolExecutor() as pool:
        gateway = run("serve", GATEWAY_SHUTDOWN_GRACE_SECONDS=grace_seconds, **store_at(url))
        asked = pool.submit(
            httpx.post, f"{gateway.url}/graphql", json=QUERY, headers={"X-Request-Id": "r-1"}
        )
        assert gate.arrived.wait(PATIENCE_SECONDS)
        stop(gateway)
        answer = asked.result(PATIENCE_SECONDS)
        assert (answer.status_code, answer.json()) == (503, {"errors": [CUT_OFF]})
        assert (answer.headers["Connection"], answer.headers["X-Request-Id"]) == ("close", "r-1")
        status, _, log = gateway.end()
    assert status == 1
    assert log.count("request r-1 was cut off: the gateway stopped before its answer\n") == 1
    assert log.count("gateway.app.application: stopped after 1 upstream requests\n") == 1
    assert "Traceback" not in log


def test_emulator_that_cuts_off_an_answer_ends_without_a_stack(run: Callable[..., Running]) -> None:
    emulator = run("emulator", "--latency-ms", "600000")
    host, port = emulator.url.removeprefix("http://").split(":")

    def connect() -> socket.socket:
        return socket.create_connection((host, int(port)), PATIENCE_SECONDS)

    with connect() as client, connect() as other:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        other.sendall(b"no HTTP\r\n\r\n")
        assert other.recv(12) == b"HTTP/1.1 400"  # so the first one is at work as well
        stops_at_a_second_ctrl_c(emulator)
        assert client.recv(12) == b"HTTP/1.1 500"
    status, _, log = emulator.end()
    assert status == 1
    assert "Traceback" not in log


def test_client_that_hangs_up_in_a_pipeline_leaves_no_stack_in_the_log(
    run: Callable[..., Running],
) -> None:
    gateway = run("serve")
    body = b'{"query":"{ segments(first: 20) { nodes { id name } } }"}'
    head = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    request = head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", gateway.port), PATIENCE_SECONDS) as client:
            client.sendall(request * 5)
    assert gateway.stop()[0] == 0
    assert not any("Traceback" in line for line in gateway.lines)


def test_gateway_reads_the_emulator_command(run: Callable[..., Running]) -> None:
    emulator = run("emulator", "--segments", "7", "--max-limit", "5")
    printed = [emulator.output.wait_for() for _ in range(4)]
    variables = dict(line.removeprefix("export ").rstrip().split("=") for line in printed[1:])
    gateway = run("serve", GATEWAY_LOG_FORMAT="json", **variables)
    first = msgspec.json.decode(gateway.lines[0], type=dict[str, str])
    assert first["message"].startswith(f"upstream: store emulator at {emulator.url}; ")
    answer = httpx.post(f"{gateway.url}/graphql", json=QUERY)
    assert answer.json()["data"]["segments"]["totalCount"] == 7
    assert gateway.stop()[0] == 0
    assert emulator.stop()[0] == 0


def test_quota_of_the_command_line_is_told(run: Callable[..., Running]) -> None:
    emulator = run("emulator", "--quota", "25", "--window-ms", "5000")
    segments = f"{emulator.url}/stores/emulator/v3/segments"
    headers = httpx.get(segments, headers={"X-Auth-Token": "emulator-token"}).headers
    assert headers["X-Rate-Limit-Requests-Left"] == "24"
    assert headers["X-Rate-Limit-Time-Window-Ms"] == "5000"
    assert 0 < int(headers["X-Rate-Limit-Time-Reset-Ms"]) <= 5000


def test_faults_of_the_command_line_come_in_their_order(run: Callable[..., Running]) -> None:
    emulator = run("emulator", "--fault", "overloaded:2", "--fault", "server-error")
    segments = f"{emulator.url}/stores/emulator/v3/segments"
    token = {"X-Auth-Token": "emulator-token"}
    assert [httpx.get(segments, headers=token).status_code for _ in range(4)] == [
        429,
        429,
        500,
        200,
    ]


def test_token_appears_nowhere_even_when_all_is_logged(run: Callable[..., Running]) -> None:
    gateway = run("serve", GATEWAY_LOG_LEVEL="debug", **store_at(closed_port()))
    answer = httpx.post(f"{gateway.url}/graphql", json=QUERY)
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "UPSTREAM_UNAVAILABLE"}
    assert gateway.url not in answer.text
    _, out, log = gateway.stop()
    assert TOKEN not in answer.text + str(answer.headers) + out + log


def test_line_about_the_upstream_bears_the_id_of_the_request(run: Callable[..., Running]) -> None:
    gateway = run("serve", GATEWAY_LOG_FORMAT="json", **store_at(closed_port()))
    httpx.post(f"{gateway.url}/graphql", json=QUERY, headers={"X-Request-Id": "r-1"})
    lines = [
        msgspec.json.decode(line, type=dict[str, str])
        for line in gateway.stop()[2].splitlines()
        if "no answer from the upstream" in line
    ]
    assert [(line["level"], line["request"]) for line in lines] == [("warning", "r-1")] * 3
    assert lines[0]["message"].endswith(" ms: connection refused")


def test_port_in_use_is_told_in_one_sentence(run: Callable[..., Running]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "gateway", "serve", "--port", str(port)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == (
        f"gateway: cannot listen on http://127.0.0.1:{port}: address already in use. "
        "Stop what listens there, or choose another --host or --port.\n"
    )


def test_idle_connections_close_after_the_time_of_the_setting(run: Callable[..., Running]) -> None:
    gateway = run("serve", GATEWAY_KEEP_ALIVE_SECONDS="1")
    with socket.create_connection(("127.0.0.1", gateway.port), PATIENCE_SECONDS) as client:
        assert client.recv(1) == b""


def without_streams(*argv: str, **environment: str) -> subprocess.Popen[bytes]:
    """Starts a command with standard input, output and error closed."""
    bare = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
    command = [sys.executable, "-m", "gateway", *argv]
    return subprocess.Popen(
        ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command],
        env={**bare, "GATEWAY_DRAIN_SECONDS": "0", **environment},
        start_new_session=True,
    )


@pytest.mark.parametrize("argv", [("serve",), ("serve", "--workers", "2"), ("emulator",)])
def test_command_without_standard_streams_serves_until_ctrl_c(argv: tuple[str, ...]) -> None:
    url = closed_port()
    port = url.rpartition(":")[2]
    store = store_at(closed_port()) if "--workers" in argv else {}
    with without_streams(*argv, "--port", port, **store) as process:
        try:
            deadline = monotonic() + PATIENCE_SECONDS
            while monotonic() < deadline:
                with suppress(httpx.ConnectError):
                    assert httpx.get(url, timeout=PATIENCE_SECONDS).status_code in (200, 404)
                    break
                sleep(0.05)
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_SECONDS) == 0
        finally:
            with suppress(ProcessLookupError):  # what a failed test left
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize(("command", "status"), [("settings", 0), ("schema", 0), ("check", 1)])
def test_command_without_standard_streams_ends_as_it_would_with_them(
    command: str, status: int
) -> None:
    with without_streams(command) as process:
        assert process.wait(PATIENCE_SECONDS) == status


def test_sentence_for_a_closed_standard_error_does_not_go_to_standard_output() -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", sys.executable, "-m", "gateway", "settings"],
        env={**os.environ, "GATEWAY_NONSENSE": "1"},
        stdout=subprocess.PIPE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.parametrize("command", ["settings", "schema", "demo"])
def test_reader_that_hangs_up_gets_no_stack(command: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "gateway", command],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def check(*options: str, **environment: str) -> tuple[int, str, str]:
    bare = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "check", *options],
        env={**bare, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_check_of_an_upstream_that_answers_is_status_0() -> None:
    gate = Gate()
    gate.open.set()
    with gated_store(gate) as url:
        status, out, log = check(**store_at(url))
    assert (status, log) == (0, "")
    assert f"+ ok       store              Store emulator at {url}: 3 segments.\n" in out
    assert "+ ok       quota              143 of 150 requests are left for the next " in out
    assert "+ ok       clock              The store's clock and this one differ by " in out
    assert out.endswith(
        "\nAll is well.\nExit status 0: segments can be read.\n"
        "Requests sent to the store: 7. All were reads.\n"
    )


def test_check_without_a_store_is_status_1_and_tells_that_the_emulator_answers() -> None:
    status, out, log = check()
    assert (status, log) == (1, "")
    assert (
        "x problem  store              No store is set: the emulator inside this process "
        "(120 segments) has answered.\n"
        "                              -> Set GATEWAY_STORE_HASH and GATEWAY_ACCESS_TOKEN.\n"
    ) in out
    assert "\n1 problem (store).\nExit status 1, because of the problem.\n" in out


def test_check_prints_one_json_object_on_request() -> None:
    status, out, log = check("--json")
    assert (status, log) == (1, "")
    assert json.loads(out)["problems"] == ["store"]


def test_check_with_a_wrong_token_tells_the_operator_what_to_mend() -> None:
    gate = Gate()
    gate.open.set()
    with gated_store(gate) as url:
        status, out, _ = check(**store_at(url) | {"GATEWAY_ACCESS_TOKEN": "wrong"})
    assert status == 1
    assert (
        "x problem  token              The API refused the token.\n"
        "                              -> GATEWAY_ACCESS_TOKEN has to be of the store that "
        "GATEWAY_STORE_HASH names, with the scope store_v2_customers_read_only.\n"
    ) in out
    assert "\n1 problem (token).\n" in out


def test_check_of_an_upstream_that_is_down_is_status_1() -> None:
    url = closed_port()
    status, out, log = check(**store_at(url))
    assert status == 1
    assert (
        "x problem  address            The store's API cannot be reached.\n"
        "                              -> The reason: connection refused. Nothing listens there: "
        "check the host and the port of GATEWAY_UPSTREAM_URL.\n"
        "- skipped  token, quota, page size, ids at once, clock: the store did not answer with "
        "segments\n"
    ) in out
    assert TOKEN not in log


@pytest.mark.parametrize(("level", "lines"), [("debug", 3), ("warning", 3), ("error", 0)])
def test_check_logs_warnings_at_most(level: str, lines: int) -> None:
    _, _, log = check(**store_at(closed_port()), GATEWAY_LOG_LEVEL=level)
    assert log.count("\n") == log.count(" WARNING ") == lines
