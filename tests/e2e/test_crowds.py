"""Many connections, and many bytes in waiting, to a process on a real port."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from raw_http import PATIENCE_SECONDS, Connection, get
from running import Running

KIB = 1024
MIB = 1024 * KIB
LIVE = (200, False, {"status": "live"})
MESSAGE = "The gateway has too many connections or incomplete requests. Try again in 1 s."
OVERLOADED = {"errors": [{"message": MESSAGE, "extensions": {"code": "OVERLOADED"}}]}
pytestmark = pytest.mark.skipif(
    not os.path.exists("/proc/self/status"), reason="needs /proc and 127.0.0.2: Linux has them"
)


@pytest.fixture
def gateway(run: Callable[..., Running]) -> Running:
    return run("serve")


@pytest.fixture
def connect(gateway: Running) -> Iterator[Callable[..., Connection]]:
    """Connects from an address of loopback: each is a peer of its own."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 3000:
        if hard < 3000:
            pytest.skip("this machine lets a process open too few files: raise `ulimit -n`")
        resource.setrlimit(resource.RLIMIT_NOFILE, (3000, hard))
    with ExitStack() as stack:

        def connected(peer: str = "127.0.0.1") -> Connection:
            client = Connection(("127.0.0.1", gateway.port), source=(peer, 0))
            stack.callback(client.close)
            return client

        yield connected


def forget_peak(gateway: Running) -> int:
    """Returns the resident memory of a process in bytes; from here on its peak is measured."""
    Path(f"/proc/{gateway.process.pid}/clear_refs").write_text("5", encoding="ascii")
    return peak_of(gateway)


def peak_of(gateway: Running) -> int:
    status = Path(f"/proc/{gateway.process.pid}/status").read_text(encoding="ascii")
    (kib,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return int(kib) * KIB


def is_answered(client: Connection, path: str = "/health/live") -> bool:
    client.send(get(path))
    return client.answer()[0] == 200


def test_2060_idle_connections_of_one_peer_leave_room_for_others(
    gateway: Running, connect: Callable[..., Connection]
) -> None:
    early = connect("127.0.0.3")
    assert is_answered(early)
    crowd = [connect() for _ in range(2060)]
    assert is_answered(crowd[-1])  # so that all have been accepted
    assert crowd[0].is_at_its_end
    assert is_answered(early, "/graphql?query={__typename}")
    for path in ("/health/live", "/health/ready", "/graphql?query={__typename}"):
        assert is_answered(connect("127.0.0.2"), path)
    assert is_answered(connect())  # of the crowd's own address
    status, _, log = gateway.stop()
    assert status == 0
    assert log.count("1 waiting connections dropped for new ones (limits: 2048 in all") == 1
    assert log.count("WARNING gateway.server") == 1


def test_all_connections_taken_by_two_peers_leave_room_for_a_third(
    gateway: Running, connect: Callable[..., Connection]
) -> None:
    half = get("/health/live")[:-2]
    for peer in ("127.0.0.3", "127.0.0.4"):
        for _ in range(1024):
            connect(peer).send(half)
    for path in ("/health/live", "/graphql?query={__typename}"):
        assert is_answered(connect("127.0.0.2"), path)
    assert gateway.stop()[0] == 0


def test_500_connections_of_one_peer_are_answered_side_by_side(
    gateway: Running, connect: Callable[..., Connection]
) -> None:
    clients = [connect() for _ in range(500)]
    for _ in range(4):
        for client in clients:
            client.send(get("/graphql?query={__typename}"))
        assert {client.answer()[0] for client in clients} == {200}
    assert "WARNING gateway.server" not in gateway.stop()[2]


def test_pipelined_requests_of_20_connections_add_little_memory_and_are_answered_in_order(
    gateway: Running, connect: Callable[..., Connection]
) -> None:
    requests, count = b"", 0
    while len(requests) < 400 * KIB:
        requests += get("/health/live", f"X-Request-Id: {count}")
        count += 1
    clients = [connect() for _ in range(20)]
    assert all(is_answered(client) for client in clients)
    before = forget_peak(gateway)
    gateway.freeze()  # until the requests have arrived
    for client in clients:
        client.socket.setblocking(False)
    sent = [client.socket.send(requests) for client in clients]  # as much as the sockets take
    gateway.thaw()
    assert is_answered(connect("127.0.0.2"))
    first = clients[0]
    first.socket.settimeout(PATIENCE_SECONDS)
    whole = requests[: sent[0]].count(b"\r\n\r\n")
    assert whole > 1000
    for n in range(whole):
        status, headers = first.head()
        assert (status, headers["X-Request-Id"]) == (200, str(n))
        first.stream.read(int(headers["Content-Length"]))
    assert peak_of(gateway) - before < 32 * MIB


def test_slow_bodies_of_2000_connections_add_bounded_memory(
    gateway: Running, connect: Callable[..., Connection]
) -> None:
    head = get("/graphql", "Content-Type: application/json", "Content-Length: 1000000")
    start = head.replace(b"GET", b"POST") + b" " * 100 * KIB
    assert is_answered(connect())
    before = forget_peak(gateway)
    for n in range(2000):
        with suppress(ConnectionError):  # dropped while it sends
            connect(f"127.0.0.{3 + n % 4}").send(start)
    other = connect("127.0.0.2")
    assert is_answered(other)
    assert is_answered(other, "/graphql?query={__typename}")
    assert peak_of(gateway) - before < 192 * MIB  # 64 MiB, and what sockets and copies take
    gateway.wait_for_line("with the most bytes in waiting dropped (limit: 67108864 in all)")
