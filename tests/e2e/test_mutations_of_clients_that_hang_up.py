"""A mutation goes on when its client hangs up: one process, a real socket."""

import json
import socket
from collections.abc import Callable
from time import monotonic, sleep

import httpx
from running import PATIENCE_SECONDS, Gate, Running, gated_store, store_at

NEW = 25  # three requests to the store
CREATE = "mutation($i: CreateSegmentsInput!) { createSegments(input: $i) { userErrors { code } } }"


def send_and_hang_up(gateway: Running, gate: Gate) -> None:
    """Sends the mutation, and closes the connection while the store works on it."""
    new = [{"name": f"New {number}"} for number in range(NEW)]
    body = json.dumps({"query": CREATE, "variables": {"i": {"segments": new}}}).encode()
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{gateway.port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", gateway.port), PATIENCE_SECONDS) as client:
        client.sendall(head.encode() + body)
        assert gate.arrived.wait(PATIENCE_SECONDS)


def total_of(gateway: Running) -> int:
    answer = httpx.post(
        f"{gateway.url}/graphql", json={"query": "{ segments { totalCount } }"}, timeout=30
    )
    total: int = answer.json()["data"]["segments"]["totalCount"]
    return total


def test_a_mutation_is_carried_out_to_its_end_when_its_client_hangs_up(
    run: Callable[..., Running],
) -> None:
    gate = Gate()
    with gated_store(gate) as url:
        gateway = run("serve", GATEWAY_CACHE_TTL_SECONDS="0", **store_at(url))
        send_and_hang_up(gateway, gate)
        gate.open.set()
        deadline = monotonic() + PATIENCE_SECONDS
        while (total := total_of(gateway)) < 3 + NEW and monotonic() < deadline:
            sleep(0.05)
        assert total == 3 + NEW
