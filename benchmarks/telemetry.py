"""`python -m benchmarks.telemetry`: what telemetry costs warm answers, into docs/performance.md.

Gateways that differ in their telemetry alone get the same load in turn, round after round. CPU time
is compared, of all processes of a gateway, and the least of all rounds: what else the machine does
can only add to it.

Exit status: 0 measured, 1 an answer is wrong or a server fails, 2 wrong arguments or no wrk.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Final, NamedTuple

from benchmarks.command import free_port
from benchmarks.page import conditions, with_marked
from benchmarks.warm.checks import Examiner, WrongAnswer
from benchmarks.warm.contenders import Processes, cpu_seconds, gateway_url, start_store
from benchmarks.warm.works import WORKS, Work
from benchmarks.warm.wrk import (
    INSTALL,
    LoadFailed,
    cores,
    headers_of,
    is_installed,
    put_load,
    script,
)

PAGE: Final = Path("docs/performance.md")
# With fewer, the table is not written into the page.
LEAST_ROUNDS: Final = 5
WARM_UP_SECONDS: Final = 2
MEASURED: Final = [work for work in WORKS if work.name in ("page", "pages", "ids")]
WORKERS: Final = (1, 2)
OFF: Final = "off"
METRICS: Final = {"GATEWAY_METRICS": "true", "GATEWAY_STATUS": "true"}
TRACES: Final = {
    "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
    "OTEL_TRACES_SAMPLER_ARG": "0.01",
}
LOG: Final = {"GATEWAY_LOG_REQUESTS": "true", "GATEWAY_LOG_FORMAT": "json"}
# The status page is on by default: the address is one of loopback.
OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    OFF: {"GATEWAY_STATUS": "false"},
    "metrics, status page": METRICS,
    "traces, 1 % sampled": {"GATEWAY_STATUS": "false", **TRACES},
    "log of requests": {"GATEWAY_STATUS": "false", **LOG},
    "all of it": {**METRICS, **TRACES, **LOG},
}
# The log is written, and read by none: what a collector does with it is no cost of the gateway.
WITHOUT_A_LOG: Final = ("sh", "-c", 'exec "$@" 2>/dev/null', "sh")


class Case(NamedTuple):
    """What is measured: a kind of request by name, to a gateway with workers and telemetry."""

    work: str
    workers: int
    option: str


@dataclass(frozen=True, slots=True)
class Server:
    """A gateway that runs, with its telemetry and its number of workers."""

    option: str
    workers: int
    url: str
    pid: int
    scripts: Mapping[str, Path]

    def cpu_seconds(self) -> float:
        """Returns the CPU time of its processes so far; raises `LookupError` without /proc."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        if not children.exists():
            raise LookupError("The CPU time of processes is read from /proc, which is not there.")
        pids = [self.pid, *map(int, children.read_text("ascii").split())]
        return sum(cpu_seconds(pid) or 0.0 for pid in pids)

    def microseconds(self, work: Work, seconds: int, core: int | None) -> float:
        """Returns the CPU time of a request of one kind under load."""
        before = self.cpu_seconds()
        load = put_load(self.scripts[work.name], self.url, seconds, core)
        return (self.cpu_seconds() - before) / load.requests * 1e6


class Collector(BaseHTTPRequestHandler):
    """Takes spans (OTLP over HTTP), and drops them."""

    def do_POST(self) -> None:
        """Answers that all spans are taken."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@contextmanager
def running_collector() -> Iterator[str]:
    """Runs a collector of spans in a thread; yields its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def started(
    processes: Processes,
    settings: Mapping[str, str],
    option: str,
    workers: int,
    folder: Path,
    core: int | None,
    collector: str,
) -> Server:
    """Starts a gateway, checks its answers, and writes its scripts of wrk."""
    port = free_port()
    arguments = ("serve", "--port", str(port), "--workers", str(workers))
    environment = {**settings, **OPTIONS[option]}
    if "OTEL_TRACES_SAMPLER" in environment:
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector
    program = (*WITHOUT_A_LOG, sys.executable, "-m", "gateway", *arguments)
    command = processes.start_command(port, *program, core=core, environment=environment)
    scripts = {}
    with Examiner(gateway_url(port)) as examiner:
        rows = examiner.warm()
        for work in MEASURED:
            examiner.check(work, rows)
            path = folder / f"{port}-{work.name}.lua"
            path.write_text(script(work, rows, headers_of(work)), "utf-8")
            scripts[work.name] = path
    return Server(option, workers, gateway_url(port), command.process.pid, scripts)


def measured(rounds: int, seconds: int, folder: Path) -> list[str]:
    """Returns the lines of the table."""
    server_core, load_core = cores()
    times: dict[Case, list[float]] = {}
    with ExitStack() as stack:
        processes = Processes(stack)
        settings = start_store(processes, load_core).settings()
        collector = stack.enter_context(running_collector())
        servers = [
            started(processes, settings, option, workers, folder, server_core, collector)
            for workers in WORKERS
            for option in OPTIONS
        ]
        for work in MEASURED:
            for server in servers:
                server.microseconds(work, WARM_UP_SECONDS, load_core)
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", flush=True)
            for work in MEASURED:
                for server in servers if number % 2 else reversed(servers):
                    found = times.setdefault(Case(work.name, server.workers, server.option), [])
                    found.append(server.microseconds(work, seconds, load_core))
    return table(times)


def table(times: Mapping[Case, Sequence[float]]) -> list[str]:
    """Returns the lines of the table of the microseconds of each round."""
    lines = [
        "| all of it warm | workers | telemetry | CPU µs a request | of the other rounds | ratio |",
        "|---|--:|---|--:|--:|--:|",
    ]
    for workers in WORKERS:
        for work in MEASURED:
            least_off = min(times[Case(work.name, workers, OFF)])
            for option in OPTIONS:
                least, *others = sorted(times[Case(work.name, workers, option)])
                cells = (
                    work.title,
                    str(workers),
                    option,
                    f"{least:.1f}",
                    f"{others[0]:.1f} to {others[-1]:.1f}" if others else "–",
                    f"{least / least_off:.3f}",
                )
                lines.append(f"| {' | '.join(cells)} |")
    return lines


def main(argv: Sequence[str]) -> int:
    """Measures; returns the exit status."""
    parser = argparse.ArgumentParser("python -m benchmarks.telemetry", description=__doc__)
    parser.add_argument("--rounds", type=int, default=LEAST_ROUNDS)
    parser.add_argument("--seconds", type=int, default=3, help="of each run of wrk")
    arguments = parser.parse_args(argv)
    if arguments.rounds < 1 or arguments.seconds < 1:
        parser.error("--rounds and --seconds have to be positive")
    if not is_installed():
        print(INSTALL, file=sys.stderr)
        return 2
    try:
        with TemporaryDirectory() as folder:
            lines = measured(arguments.rounds, arguments.seconds, Path(folder))
    except (WrongAnswer, LoadFailed, RuntimeError, LookupError) as error:
        print(error, file=sys.stderr)
        return 1
    said = (
        f"On {conditions('bigcommerce-segments-gateway', 'prometheus-client')}: the least of "
        f"{arguments.rounds} rounds of {arguments.seconds} s."
    )
    text = "\n".join([said, "", *lines])
    print(text)
    if arguments.rounds >= LEAST_ROUNDS:
        PAGE.write_text(with_marked(PAGE.read_text("utf-8"), "telemetry", text), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
