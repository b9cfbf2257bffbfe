"""Faults of the wire: over a real port, and in the process where there is no connection."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from in_process import EmulatedWire
from processes import serving
from starlette.applications import Starlette

from gateway.emulator import Emulator, Fault, Rule, create_emulator, seeded_store

PATIENCE_SECONDS = 20
PATH = "/stores/emulator/v3/segments"
TOKEN = {"X-Auth-Token": "emulator-token"}
REQUEST = f"GET {PATH} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: emulator-token\r\n\r\n".encode()


@dataclass
class Sleep:
    """A sleep that lasts for no time."""

    asleep: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.asleep.append(seconds)


@dataclass
class Wire:
    """An emulator on a port; `send` opens a connection, asks for a list, and reads to the end."""

    url: str
    emulator: Emulator
    sleep: Sleep

    def fail(self, fault: Fault, seconds: float | None = None) -> None:
        self.emulator.faults.rules.append(Rule(fault, seconds=seconds, times=1))

    def connect(self) -> socket.socket:
        host, port = self.url.removeprefix("http://").split(":")
        connection = socket.create_connection((host, int(port)), PATIENCE_SECONDS)
        connection.sendall(REQUEST)
        return connection

    def get(self) -> httpx.Response:
        return httpx.get(self.url + PATH, headers=TOKEN, timeout=PATIENCE_SECONDS)


def app_with(sleep: Sleep) -> Starlette:
    return create_emulator(seeded_store(3), sleep=sleep)


@pytest.fixture(scope="module")
def served() -> Iterator[Wire]:
    sleep = Sleep()
    app = app_with(sleep)
    with serving(app) as url:
        yield Wire(url, app.state.emulator, sleep)


@pytest.fixture
def wire(served: Wire) -> Wire:
    """The emulator without the counts and faults of an earlier test."""
    served.emulator.reset_requests()
    served.emulator.faults.clear()
    served.sleep.asleep.clear()
    return served


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.LOST_ANSWER])
def test_reset_connection_sends_a_reset_and_no_byte(wire: Wire, fault: Fault) -> None:
    wire.fail(fault)
    with wire.connect() as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    assert wire.emulator.statuses == {"none": 1}


def test_cut_answer_announces_all_and_brings_half(wire: Wire) -> None:
    whole = wire.get()
    wire.fail(Fault.CUT)
    with wire.connect() as connection, connection.makefile("rb") as stream:
        head, _, body = stream.read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"content-length: {len(whole.content)}\r\n".encode() in head.lower() + b"\r\n"
    assert body == whole.content[: len(whole.content) // 2]
    assert wire.emulator.statuses == {"200": 2}


def test_dripping_answer_is_whole_and_takes_its_seconds(wire: Wire) -> None:
    whole = wire.get()
    wire.fail(Fault.DRIP, seconds=2)
    dripped = wire.get()
    assert dripped.content == whole.content
    assert dripped.headers["Content-Length"] == str(len(whole.content))
    assert 10 < len(wire.sleep.asleep) <= 20
    assert sum(wire.sleep.asleep) == pytest.approx(2)


@pytest.mark.parametrize(
    ("fault", "error"),
    [(Fault.RESET, httpx.ReadError), (Fault.CUT, httpx.RemoteProtocolError)],
)
def test_client_sees_an_error_of_transport_and_the_next_answer(
    wire: Wire, fault: Fault, error: type[httpx.TransportError]
) -> None:
    wire.fail(fault)
    with httpx.Client(base_url=wire.url, headers=TOKEN, timeout=PATIENCE_SECONDS) as client:
        with pytest.raises(error):
            client.get(PATH)
        assert client.get(PATH).status_code == 200


def test_connections_that_end_are_no_error_of_the_server(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    for fault in (Fault.RESET, Fault.CUT):
        wire.fail(fault)
        with pytest.raises(httpx.TransportError):
            wire.get()
    assert wire.get().status_code == 200
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.LOST_ANSWER, Fault.CUT])
async def test_without_a_connection_a_break_is_an_error_of_the_application(fault: Fault) -> None:
    app = app_with(Sleep())
    app.state.emulator.faults.rules.append(Rule(fault))
    url = f"http://emulator.localhost{PATH}"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), headers=TOKEN) as client:
        with pytest.raises(ConnectionResetError, match=r"^the emulator broke the connection$"):
            await client.get(url)
    async with httpx.AsyncClient(transport=EmulatedWire(app), headers=TOKEN) as client:
        with pytest.raises(httpx.ReadError, match=r"^the emulator broke the connection$"):
            await client.get(url)


async def test_drip_needs_no_connection() -> None:
    sleep = Sleep()
    app = app_with(sleep)
    app.state.emulator.faults.rules.append(Rule(Fault.DRIP, seconds=4))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), headers=TOKEN) as client:
        answer = await client.get(f"http://emulator.localhost{PATH}")
    assert answer.json()["meta"]["pagination"]["total"] == 3
    assert sum(sleep.asleep) == pytest.approx(4)


def test_write_over_a_port_is_carried_out_and_its_answer_is_lost(wire: Wire) -> None:
    wire.fail(Fault.LOST_ANSWER)
    with pytest.raises(httpx.ReadError):
        httpx.post(wire.url + PATH, headers=TOKEN, json=[{"name": "New"}])
    (row,) = wire.emulator.store.segments[3:]
    answer = httpx.delete(f"{wire.url}{PATH}?id:in={row.id}", headers=TOKEN)
    assert (row.name, answer.status_code, len(wire.emulator.store.segments)) == ("New", 200, 3)
