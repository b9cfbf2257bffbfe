"""Measures what one client at full speed takes from another: `python -m benchmarks.starvation`.

A gateway and an emulated store run as processes on loopback. The attacker asks for made-up ids,
entities, cursors and ever other documents over many connections. The victim, from another address,
asks for one new id and one warm page a second.
"""

import argparse
import asyncio
import itertools
import random
import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from uuid import UUID

import httpx

from benchmarks.command import Command, free_port

VICTIM, ATTACKER = "127.0.0.2", "127.0.0.3"
QUOTA, WINDOW_SECONDS = 150, 30
PAGE = "query($after: String) { segments(first: 50, after: $after) { nodes { name } totalCount } }"
BY_IDS = "query($ids: [ID!]!) { segmentsByEntityId(entityIds: $ids) { name } }"
ENTITIES = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Segment { name } } }"
LAST = "query($n: Int) { segments(last: $n) { edges { cursor node { name } } } }"


@dataclass
class Tally:
    """The requests of one client: milliseconds of each kind, and the codes of errors."""

    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, seconds: float, errors: list[str]) -> None:
        """Counts a request of a kind."""
        self.milliseconds.setdefault(kind, []).append(seconds * 1000)
        self.errors.update(f"{kind}: {error}" for error in errors)


class Asker:
    """A client with an address of its own, over any number of connections."""

    def __init__(self, url: str, address: str) -> None:
        transport = httpx.AsyncHTTPTransport(
            local_address=address, limits=httpx.Limits(max_connections=None)
        )
        self.http = httpx.AsyncClient(base_url=url, transport=transport, timeout=60)
        self.tally = Tally()

    async def ask(self, kind: str, query: str, **variables: object) -> object:
        """Sends a request, and counts its time and its errors."""
        began = monotonic()
        try:
            body = {"query": query, "variables": variables}
            response = await self.http.post("/graphql", json=body)
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            self.tally.add(kind, monotonic() - began, [type(error).__name__])
            return None
        codes = [error["extensions"]["code"] for error in answer.get("errors") or []]
        self.tally.add(kind, monotonic() - began, sorted(set(codes)))
        return answer.get("data")


def _ids(source: random.Random, number: int) -> list[str]:
    return [str(UUID(int=source.getrandbits(128), version=4)) for _ in range(number)]


async def attack(attacker: Asker, source: random.Random) -> None:
    """Asks in turn for whatever costs most, without a pause."""
    for turn in itertools.count():
        match turn % 4:
            case 0:
                await attacker.ask("ids", BY_IDS, ids=_ids(source, 250))
            case 1:
                rows = [{"__typename": "Segment", "entityId": one} for one in _ids(source, 1000)]
                await attacker.ask("entities", ENTITIES, r=rows)
            case 2:
                await attacker.ask("last", LAST, n=source.randrange(1, 250))
            case _:
                (one,) = _ids(source, 1)
                name = f"a{source.getrandbits(60)}"
                await attacker.ask("document", f'{{ {name}: segment(entityId: "{one}") {{ id }} }}')


async def be_a_victim(victim: Asker, until: float, source: random.Random) -> None:
    """Asks for a new id and a warm page a second, on time whatever the answers take."""
    tasks: list[asyncio.Task[object]] = []
    while monotonic() < until:
        new_id = victim.ask("new id", BY_IDS, ids=_ids(source, 1))
        tasks += map(asyncio.ensure_future, (new_id, victim.ask("warm page", PAGE)))
        await asyncio.sleep(1)
    await asyncio.gather(*tasks)


async def measure(gateway: str, store: str, seconds: float, connections: int) -> None:
    """Runs one measurement, and prints a row."""
    source = random.Random(7)
    victim, attacker = Asker(gateway, VICTIM), Asker(gateway, ATTACKER)
    async with victim.http, attacker.http, httpx.AsyncClient(base_url=store) as control:
        await victim.ask("first", PAGE)
        await control.delete("/_emulator/requests")
        attacks = [asyncio.ensure_future(attack(attacker, source)) for _ in range(connections)]
        await be_a_victim(victim, monotonic() + seconds, source)
        counts = (await control.get("/_emulator/requests")).json()
        for task in attacks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*attacks)
    print(f"\nattacker on {connections} connections for {seconds:g} s: store got {counts['total']}")
    for name, asker in (("victim", victim), ("attacker", attacker)):
        for kind, times in asker.tally.milliseconds.items():
            ordered = sorted(times)
            p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
            print(f"  {name:8} {kind:10} {len(times):6} requests, p50 {p50:.0f} p99 {p99:.0f} ms")
        print(f"  {name:8} errors: {dict(asker.tally.errors) or 'none'}")


def _run(
    arguments: argparse.Namespace, call: Callable[[str, str], Coroutine[None, None, None]]
) -> None:
    store_port, gateway_port = free_port(), free_port()
    gateway = (sys.executable, "-m", "gateway")
    emulator = Command(
        *(*gateway, "emulator", "--port", str(store_port), "--control", "--segments", "1000"),
        *("--quota", str(QUOTA), "--window-ms", str(WINDOW_SECONDS * 1000), "--latency-ms", "50"),
        folder=arguments.tree,
    )
    server = Command(
        *(*gateway, "serve", "--port", str(gateway_port)),
        environment={
            "GATEWAY_STORE_HASH": "emulator",
            "GATEWAY_ACCESS_TOKEN": "emulator-token",
            "GATEWAY_UPSTREAM_URL": f"http://127.0.0.1:{store_port}",
            "GATEWAY_CACHE_TTL_SECONDS": f"{arguments.ttl:g}",
        },
        folder=arguments.tree,
    )
    for command in (emulator, server):
        command.start()
        command.errors.wait_for("listening on")
    try:
        asyncio.run(call(f"http://127.0.0.1:{gateway_port}", f"http://127.0.0.1:{store_port}"))
    finally:
        server.stop()
        emulator.stop()


def main() -> None:
    """Measures without the attacker, and with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--ttl", type=float, default=15, help="0 turns the cache off")
    parser.add_argument("--tree", type=Path, help="a checkout whose gateway is measured")
    arguments = parser.parse_args()
    for connections in (0, arguments.connections):

        async def call(gateway: str, store: str, connections: int = connections) -> None:
            await measure(gateway, store, arguments.seconds, connections)

        _run(arguments, call)


if __name__ == "__main__":
    main()
