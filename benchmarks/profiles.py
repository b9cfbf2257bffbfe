"""Walks a long list of shopper profiles: `python -m benchmarks.profiles`.

A gateway and an emulated store run as processes on loopback. All profiles of the store are in its
first segment. Prints the upstream requests of the walk, the gateway's peak memory, and what a page
takes early and late in the list.
"""

import argparse
import re
import sys
from pathlib import Path
from statistics import median
from time import monotonic

import httpx

from benchmarks.command import Command, free_port

PAGE = """
query ($segment: ID!, $first: Int, $after: String) {
  segment(entityId: $segment) {
    shopperProfiles(first: $first, after: $after) {
      pageInfo { hasNextPage endCursor } nodes { entityId }
    }
  }
}
"""
# Of the pages at the start and at the end of the walk, each of these is timed.
TIMED_PAGES = 100


def peak_mib(process_id: int) -> float:
    """Returns the most memory that a process has held so far, in MiB (Linux)."""
    status = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8")
    (kib,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(kib) / 1024


def walk(http: httpx.Client, step: int) -> tuple[int, list[float]]:
    """Returns the number of profiles that a walk shows, and the milliseconds of each page."""
    segments = http.post(
        "/graphql", json={"query": "{ segments(first: 1) { nodes { entityId } } }"}
    )
    (segment,) = segments.json()["data"]["segments"]["nodes"]
    shown, took, cursor, more = 0, list[float](), None, True
    while more:
        variables = {"segment": segment["entityId"], "first": step, "after": cursor}
        began = monotonic()
        answer = http.post("/graphql", json={"query": PAGE, "variables": variables}).json()
        took.append((monotonic() - began) * 1000)
        page = answer["data"]["segment"]["shopperProfiles"]
        shown += len(page["nodes"])
        cursor, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    return shown, took


def main() -> None:
    """Starts both, walks, and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=100)
    arguments = parser.parse_args()
    store_port, port = free_port(), free_port()
    gateway = (sys.executable, "-m", "gateway")
    emulator = Command(
        *(*gateway, "emulator", "--port", str(store_port), "--control", "--segments", "1"),
        *("--profiles", str(arguments.profiles), "--quota", "1000000"),
    )
    server = Command(
        *(*gateway, "serve", "--port", str(port)),
        environment={
            "GATEWAY_STORE_HASH": "emulator",
            "GATEWAY_ACCESS_TOKEN": "emulator-token",
            "GATEWAY_UPSTREAM_URL": f"http://127.0.0.1:{store_port}",
            "GATEWAY_ALLOW_ANONYMOUS": "read",
        },
    )
    try:
        for command in (emulator, server):
            command.start()
            command.errors.wait_for("listening on")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            http.post("/graphql", json={"query": PAGE, "variables": {"segment": "?", "first": 1}})
            before = peak_mib(server.process.pid)
            shown, took = walk(http, arguments.first)
            after = peak_mib(server.process.pid)
        counted = httpx.get(f"http://127.0.0.1:{store_port}/_emulator/requests").json()
        print(f"{shown} profiles on {len(took)} pages")
        print(f"upstream requests: {counted}")
        print(f"peak memory: {before:.0f} MiB before the walk, {after:.0f} MiB after it")
        early, late = took[1 : TIMED_PAGES + 1], took[-TIMED_PAGES:]
        print(f"a page takes {median(early):.1f} ms early and {median(late):.1f} ms late (medians)")
    finally:
        server.stop()
        emulator.stop()


if __name__ == "__main__":
    main()
