"""Start and memory of one process: `python -m benchmarks.warm.memory [--requests N]`.

Measures the seconds from the start of the process to its first answer, and its resident memory
after that and after many different requests; writes both into docs/performance.md.
"""

import argparse
import resource
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import httpx

from benchmarks.command import PATIENCE_SECONDS, Command, free_port
from benchmarks.page import conditions, with_marked
from benchmarks.warm.checks import SAMPLES, Examiner, WrongAnswer
from benchmarks.warm.contenders import (
    Contender,
    Processes,
    cpu_seconds,
    gateway_url,
    start_gateway,
    start_store,
)
from benchmarks.warm.works import FIELDS, WORKS, Work
from benchmarks.warm.wrk import (
    INSTALL,
    LoadFailed,
    cores,
    headers_of,
    is_installed,
    put_load,
    script,
)

PAGE = Path("docs/performance.md")
REQUESTS = 100_000
STARTS = 5
SLICE_SECONDS = 2
MEBIBYTE = 1 << 20
FIRST = {"query": "{ segments(first: 1) { totalCount } }"}
# Each has another alias, and is sent several times, with other ids.
DOCUMENTS = [
    Work(
        f"document {number}",
        "another document",
        f"query($a: ID!, $b: ID!) {{ a{number}: segment(entityId: $a) {{ {FIELDS} }} "
        f"b{number}: segment(entityId: $b) {{ {FIELDS} }} }}",
        '"variables":{"a":"<id>","b":"<id>"}',
    )
    for number in range(300)
]
DIFFERENT = [work for work in WORKS if work.name in ("pages", "ids", "aliases")]


def resident_bytes(pid: int) -> int:
    """Returns the resident memory of a process; raises `FileNotFoundError` without /proc."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
    return pages * resource.getpagesize()


def seconds_to_answer() -> tuple[float, float]:
    """Starts the gateway without settings; returns the seconds to its first answer, and of CPU."""
    port = free_port()
    arguments = ("-m", "gateway", "serve", "--port", str(port))
    command = Command(sys.executable, *arguments)
    with httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False) as http:
        began = monotonic()
        command.start()
        try:
            while monotonic() - began < PATIENCE_SECONDS:
                try:
                    http.post(gateway_url(port), json=FIRST).raise_for_status()
                except httpx.ConnectError:
                    sleep(0.005)
                else:
                    pid = command.process.pid
                    return monotonic() - began, cpu_seconds(pid) or 0.0
        finally:
            command.kill()
    raise RuntimeError(f"the gateway has not answered: {command.errors.text()}")


def start_seconds() -> tuple[float, float]:
    """Returns medians of several starts, after one that has compiled the modules."""
    seconds_to_answer()
    starts = [seconds_to_answer() for _ in range(STARTS)]
    return median(seconds for seconds, _ in starts), median(cpu for _, cpu in starts)


def send_different(gateway: Contender, requests: int, folder: Path) -> int:
    """Sends at least this number of requests, no two the same; returns their number."""
    load_core = cores()[1]
    with Examiner(gateway.url) as examiner:
        rows = examiner.warm()
        for work in DOCUMENTS:
            examiner.check(work, rows)
    sent = SAMPLES * len(DOCUMENTS)
    paths: list[Path] = []
    for work in DIFFERENT:
        paths.append(folder / f"{work.name}.lua")
        paths[-1].write_text(script(work, rows, headers_of(work)), "utf-8")
    while sent < requests:
        for path in paths:
            sent += put_load(path, gateway.url, SLICE_SECONDS, load_core).requests
    return sent


def memory(requests: int) -> tuple[int, int, int]:
    """Returns the bytes of a process after its first answer and after all, and all requests."""
    server_core, load_core = cores()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        processes = Processes(stack)
        store = start_store(processes, load_core)
        gateway = start_gateway(processes, store.settings(), server_core)
        assert gateway.pid is not None
        httpx.post(gateway.url, json=FIRST).raise_for_status()
        at_first = resident_bytes(gateway.pid)
        sent = send_different(gateway, requests, folder)
        return at_first, resident_bytes(gateway.pid), sent


def main(argv: Sequence[str]) -> int:
    """Measures; returns the exit status: 0, 1 where a process fails, 2 without wrk, 130 Ctrl-C."""
    parser = argparse.ArgumentParser("python -m benchmarks.warm.memory", description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    requests: int = parser.parse_args(argv).requests
    if not is_installed():
        print(INSTALL, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        started, started_cpu = start_seconds()
        at_first, at_last, sent = memory(requests)
    except (WrongAnswer, LoadFailed, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    rows = (
        (f"start to the first answer, median of {STARTS}", f"{started:.2f} s"),
        ("CPU of it", f"{started_cpu:.2f} s"),
        ("resident memory after the first answer", f"{at_first / MEBIBYTE:.0f} MiB"),
        (f"after {sent} different requests", f"{at_last / MEBIBYTE:.0f} MiB"),
    )
    lines = [f"On {conditions()}.", "", "| one process | |", "|---|--:|"]
    lines += [f"| {what} | {figure} |" for what, figure in rows]
    print(*lines, sep="\n")
    if requests >= REQUESTS:
        text = "\n".join(lines)
        PAGE.write_text(with_marked(PAGE.read_text("utf-8"), "memory", text), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
