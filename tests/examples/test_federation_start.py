"""The whole example in one command: it starts, answers as its page says, and leaves nothing."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import promotions
import pytest
import start
from federation_router import needs_routers
from processes import running

from benchmarks.command import Command, free_port

EXAMPLE = Path(__file__).parents[2] / "examples" / "federation"
README = (EXAMPLE / "README.md").read_text(encoding="utf-8")
PATIENCE_SECONDS = 60

pytestmark = needs_routers()


def free_ports() -> dict[str, str]:
    """A free port for each option that takes one."""
    options = ("--port", "--segments-port", "--promotions-port", "--customers-port")
    return {option: str(free_port()) for option in options}


def command(ports: dict[str, str], router: str) -> list[str]:
    words = [word for option in ports.items() for word in option]
    return [sys.executable, str(EXAMPLE / "start.py"), "--router", router, *words]


def nothing_listens(ports: dict[str, str]) -> bool:
    for port in ports.values():
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", int(port))) == 0:
                return False
    return True


@contextmanager
def example(router: str, stop: signal.Signals = signal.SIGTERM) -> Iterator[str]:
    """Yields the URL of a running example; checks that its stop is clean."""
    ports = free_ports()
    with running(Command(*command(ports, router))) as graph:
        yield graph.output.wait_for("The larger graph answers at ").split()[5].rstrip(";")
        assert graph.stop(stop)[0] == 0
    assert nothing_listens(ports)


def ask(url: str, query: str) -> str:
    headers = {"Content-Type": "application/json"}
    return httpx.get(url, params={"query": query}, headers=headers, trust_env=False).text


@pytest.mark.parametrize("router", start.ROUTERS)
def test_the_page_s_query_gives_the_answer_that_it_shows(router: str) -> None:
    asked, answer = re.findall(r"^```(?:sh|json)\n(.*?)^```", README, re.M | re.S)[1:3]
    words = shlex.split(asked)
    (query,) = (word.removeprefix("query=") for word in words if word.startswith("query="))
    with example(router, signal.SIGINT) as url:
        seen = subprocess.run(
            [sys.executable, *words[words.index("python3") + 1 :]],
            input=ask(url, query),
            capture_output=True,
            text=True,
            check=True,
        )
    assert seen.stdout == answer


@pytest.mark.parametrize("router", start.ROUTERS)
def test_deleted_segments_and_errors_are_answered_as_the_page_says(router: str) -> None:
    promotion = "{ promotions(last: 1) { edges { node { name segments { %s } } } } }"
    with example(router) as url:
        named, whole, referred, refused = (
            json.loads(ask(url, query))
            for query in (
                promotion % "name",
                promotion % "id name",
                promotion % "entityId",
                '{ segment(entityId: "nope") { name } }',
            )
        )
    (edge,) = named["data"]["promotions"]["edges"]
    assert edge["node"] == {
        "name": "Welcome back",
        "segments": [{"name": "Lapsed customers"}, {"name": None}],
    }
    assert "errors" not in named
    (edge,) = whole["data"]["promotions"]["edges"]
    lapsed, deleted = edge["node"]["segments"]
    assert (lapsed["name"], deleted) == ("Lapsed customers", None)
    reported = {
        "hive": whole.get("errors"),
        "apollo": whole.get("extensions", {}).get("valueCompletion"),
    }
    path = ["promotions", "edges", 0, "node", "segments", 1, "id"]
    assert [error["path"] for error in reported.pop(router)] == [path]
    assert list(reported.values()) == [None]
    (edge,) = referred["data"]["promotions"]["edges"]
    assert edge["node"]["segments"][1] == {"entityId": promotions.DELETED}
    (error,) = refused["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "serviceName": "segments"}


def test_a_port_that_is_taken_is_named() -> None:
    ports = free_ports()
    port = ports["--promotions-port"]
    with socket.create_server(("127.0.0.1", int(port))):
        run = subprocess.run(command(ports, "hive"), capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith(
        f"start.py: port {port} cannot be used: stop the program that listens there, or choose "
        "another port with --promotions-port ("
    )


def test_a_part_that_ends_stops_the_others() -> None:
    ports = free_ports()
    run = subprocess.run(
        command(ports, "hive"),
        env={**os.environ, "GATEWAY_LOG_LEVEL": "shouting"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert run.returncode == 1
    assert "start.py: segments ended with status 2; stopping the others.\n" in run.stderr
    assert nothing_listens(ports)


def test_the_example_never_asks_a_real_store(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in start.STORE:
        monkeypatch.setenv(variable, "real")
    for name in ("segments", "promotions", "customers"):
        assert start.STORE & start._subgraph(name, 1, "x").environment.keys() == set()
