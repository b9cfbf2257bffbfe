"""Two replicas behind the balancer that Compose starts, by its very configuration."""

import os
import queue
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from load import Send, load
from processes import emulator_on_a_port
from running import PATIENCE_SECONDS, Gate, Running, gated_store, store_at

from benchmarks.command import Command, free_port

CONFIGURATION = Path(__file__).parents[2] / "examples" / "replicas" / "haproxy.cfg"
HAPROXY = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
QUERY = "{ segments(first: 2) { totalCount } }"

pytestmark = pytest.mark.skipif(
    HAPROXY is None, reason="the balancer is not installed: on Debian, apt-get install haproxy"
)


@contextmanager
def balancer_before(*replicas: Running) -> Iterator[str]:
    """Yields the URL of a balancer that knows both replicas to be ready."""
    address = f"127.0.0.1:{free_port()}"
    assert HAPROXY is not None
    environment = {
        "BALANCER_ADDRESS": address,
        "REPLICA_1": f"127.0.0.1:{replicas[0].port}",
        "REPLICA_2": f"127.0.0.1:{replicas[1].port}",
        "RESOLVER": "127.0.0.1:53",  # not asked: there is no name
    }
    balancer = Command(HAPROXY, "-db", "-f", str(CONFIGURATION), environment=environment)
    balancer.start()
    try:
        wait_until_ready(f"http://{address}")
        yield f"http://{address}"
    finally:
        balancer.kill()


def wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            continue
    raise AssertionError("the balancer does not answer")


def is_answer(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and answer.json()["data"] == {"segments": {"totalCount": 3}}


def get_from(url: str) -> Callable[[httpx.Client], httpx.Response]:
    return lambda http: http.get(f"{url}/graphql", params={"query": QUERY})


def post_to(url: str) -> Callable[[httpx.Client], httpx.Response]:
    return lambda http: http.post(f"{url}/graphql", json={"query": QUERY})


def test_requests_of_one_connection_are_spread(run: Callable[..., Running]) -> None:
    with emulator_on_a_port(3) as (store, _):
        replicas = [run("serve", GATEWAY_CACHE_TTL_SECONDS="0", **store_at(store)) for _ in "12"]
        with balancer_before(*replicas) as url, httpx.Client() as http:
            statuses = {get_from(url)(http).status_code for _ in range(20)}
        assert statuses == {200}
        logs = [replica.stop()[2] for replica in replicas]
    asked = [int(log.split("stopped after ")[1].split()[0]) for log in logs]
    assert sum(asked) == 20
    assert min(asked) >= 5


def test_a_replica_that_drains_loses_no_request(run: Callable[..., Running]) -> None:
    with emulator_on_a_port(3) as (store, _):
        replicas = [
            run("serve", GATEWAY_DRAIN_SECONDS="3", **store_at(store)),  # as by default
            run("serve", **store_at(store)),
        ]
        with (
            balancer_before(*replicas) as url,
            load(get_from(url), post_to(url), is_answer=is_answer) as clients,
        ):
            clients.wait_for(100)
            status, _, _ = replicas[0].stop(signal.SIGTERM)
            clients.wait_for(100)
        assert (status, clients.lost) == (0, [])
        assert clients.answered >= 200
        assert replicas[1].stop()[0] == 0


def sent_again_where_it_breaks_off(send: Send) -> Send:
    """What is half answered no balancer can send again; HTTP clients may, as it is a GET."""

    def send_again(http: httpx.Client) -> httpx.Response:
        try:
            return send(http)
        except httpx.RemoteProtocolError:
            return send(http)

    return send_again


def test_a_replica_that_is_killed_loses_no_get(run: Callable[..., Running]) -> None:
    with emulator_on_a_port(3) as (store, _):
        replicas = [run("serve", **store_at(store)) for _ in "12"]
        with balancer_before(*replicas) as url:
            send = sent_again_where_it_breaks_off(get_from(url))
            with load(send, is_answer=is_answer) as clients:
                clients.wait_for(100)
                replicas[0].process.kill()
                clients.wait_for(500)
        assert clients.lost == []
        assert clients.answered >= 600
        assert replicas[1].stop()[0] == 0


class NamedGate(Gate):
    """A gate that says who came, in the order of coming."""

    def __init__(self, name: int, came: "queue.Queue[int]") -> None:
        super().__init__()
        self.name = name
        self.came = came

    async def sleep(self, seconds: float) -> None:
        self.came.put(self.name)
        await super().sleep(seconds)


@pytest.mark.parametrize(
    ("kind", "status", "is_sent_again"), [(get_from, 200, True), (post_to, 502, False)]
)
def test_of_requests_that_a_killed_replica_had_only_a_get_is_sent_again(
    kind: Callable[[str], Callable[[httpx.Client], httpx.Response]],
    status: int,
    is_sent_again: bool,
    run: Callable[..., Running],
) -> None:
    came: queue.Queue[int] = queue.Queue()
    gates = [NamedGate(0, came), NamedGate(1, came)]
    with (
        gated_store(gates[0]) as one,
        gated_store(gates[1]) as other,
        httpx.Client(timeout=PATIENCE_SECONDS) as http,
        ThreadPoolExecutor() as pool,
    ):
        replicas = [run("serve", **store_at(store)) for store in (one, other)]
        with balancer_before(*replicas) as url:
            asked = pool.submit(kind(url), http)
            first = came.get(timeout=PATIENCE_SECONDS)
            gates[1 - first].open.set()
            replicas[first].process.kill()
            assert asked.result(PATIENCE_SECONDS).status_code == status
        assert came.qsize() == (1 if is_sent_again else 0)
