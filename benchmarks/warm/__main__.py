"""`make bench`: measures warm answers, prints the table, and writes it into docs/performance.md.

Exit status: 0 measured, 1 an answer is wrong or a server fails, 2 wrong arguments or no wrk, 130
Ctrl-C or SIGTERM.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from benchmarks.page import conditions, with_marked
from benchmarks.warm.checks import Examiner, WrongAnswer
from benchmarks.warm.contenders import (
    STATIC,
    Contender,
    CountingStore,
    cpu_seconds,
    running_dynamic,
    start_static,
)
from benchmarks.warm.figures import Figure, Figures
from benchmarks.warm.static import FixedAnswer
from benchmarks.warm.works import WORKS, Work
from benchmarks.warm.wrk import (
    CONNECTIONS,
    INSTALL,
    Load,
    LoadFailed,
    cores,
    headers_of,
    is_installed,
    put_load,
    script,
)

PAGE = Path("docs/performance.md")
LIBRARIES = ("bigcommerce-segments-gateway", "strawberry-graphql", "graphql-core", "uvicorn")
WARM_UP_SECONDS = 1
# Below this share of a core, rates say more about the machine than about the server.
BUSY = 0.9
ONE_CORE = "There is one core for servers and load: the shares say little."


@dataclass(frozen=True, slots=True)
class Options:
    """The arguments of the command."""

    works: Sequence[Work]
    others: Sequence[Contender]
    rounds: int
    seconds: int

    @property
    def is_whole(self) -> bool:
        """Whether all kinds of requests, and these servers alone, are measured often enough."""
        return len(self.works) == len(WORKS) and not self.others and self.rounds >= 3


@dataclass(frozen=True, slots=True)
class Run:
    """What is measured in each round: a script of wrk against a server."""

    work: Work
    contender: Contender
    script: Path

    def load(self, seconds: int, core: int | None) -> Load:
        """Runs it."""
        try:
            url = self.contender.url_of(self.work.name)
            return put_load(self.script, url, seconds, core)
        except LoadFailed as error:
            raise LoadFailed(f"{self.contender.name}, {self.work.name}: {error}") from error

    def figure(self, seconds: int, core: int | None, store: CountingStore) -> Figure:
        """Measures it."""
        is_ours = self.contender.pid is not None
        asked, used = store.requests(), cpu_seconds(self.contender.pid)
        load = self.load(seconds, core)
        used_after = cpu_seconds(self.contender.pid)
        cpu = None
        if used is not None and used_after is not None:
            cpu = (used_after - used) / load.requests * 1e6
        return Figure(load.a_second, cpu, store.requests() - asked if is_ours else None)


def parsed(argv: Sequence[str]) -> Options:
    """Returns the arguments; exits with status 2 where they are wrong."""
    names = [work.name for work in WORKS]
    parser = argparse.ArgumentParser("python -m benchmarks.warm", description=__doc__)
    parser.add_argument("works", metavar="WORK", nargs="*", help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=3, help="at least 3 for a median")
    parser.add_argument("--seconds", type=int, default=3, help="of each run of wrk")
    parser.add_argument(
        "--url",
        metavar="NAME=URL",
        action="append",
        default=[],
        help="a server that is running, to be measured too",
    )
    arguments = parser.parse_args(argv)
    if unknown := sorted({*arguments.works} - {*names}):
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(names)}")
    others = []
    for text in arguments.url:
        name, equals, url = text.partition("=")
        if not equals:
            parser.error(f"--url is NAME=URL, not {text!r}")
        others.append(Contender(name, url))
    if arguments.rounds < 1 or arguments.seconds <= 0:
        parser.error("--rounds and --seconds have to be positive")
    works = [work for work in WORKS if not arguments.works or work.name in arguments.works]
    return Options(works, others, arguments.rounds, arguments.seconds)


def prepared(
    contender: Contender, works: Sequence[Work], folder: Path
) -> tuple[list[Run], dict[str, FixedAnswer]]:
    """Warms and checks a server; returns its runs, and an answer to each kind of request.

    Raises `WrongAnswer` if one that this command has started answers wrongly.
    """
    runs: list[Run] = []
    answers: dict[str, FixedAnswer] = {}
    with Examiner(contender.url) as examiner:
        rows = examiner.warm()
        for work in works:
            etag = examiner.etag_of(work)
            try:
                answers[work.name] = examiner.check(work, rows, etag)
            except WrongAnswer as error:
                if contender.pid is not None:
                    raise WrongAnswer(f"{contender.name}, {work.name}: {error}") from error
                print(f"{contender.name} is not asked for {work.name}: {error}")
                continue
            path = folder / f"{quote(contender.name, safe='')}-{work.name}.lua"
            path.write_text(script(work, rows, headers_of(work, etag)), "utf-8")
            runs.append(Run(work, contender, path))
    return runs, answers


def without_etags(gateway: Contender, works: Sequence[Work]) -> list[Work]:
    """Returns the kinds of requests that are left if the gateway sends no `ETag`."""
    with Examiner(gateway.url) as examiner:
        left = [work for work in works if not work.is_get or examiner.etag_of(work)]
    for work in works:
        if work not in left:
            print(f"{work.name} is skipped: the gateway sends no ETag.")
    return left


def measured_figures(options: Options, folder: Path) -> tuple[Figures, list[str], list[Work]]:
    """Returns the figures of a run, the names of its servers, and the kinds of requests."""
    server_core, load_core = cores()
    if server_core is None:
        print(ONE_CORE)
    with running_dynamic(server_core, load_core) as (processes, store, dynamic):
        gateway = dynamic[0]
        works = without_etags(gateway, options.works)
        runs: list[Run] = []
        for contender in (*dynamic, *options.others):
            its_runs, answers = prepared(contender, works, folder)
            if contender is gateway:
                static = start_static(processes, answers, folder, server_core)
                # The same requests, for the bytes that the gateway has answered.
                runs += [Run(one.work, static, one.script) for one in its_runs]
            runs += its_runs
        runs.sort(key=lambda one: works.index(one.work))
        figures = Figures()
        for one in runs:
            one.load(WARM_UP_SECONDS, load_core)
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", flush=True)
            for one in runs:
                figure = one.figure(options.seconds, load_core, store)
                figures.add(one.work.name, one.contender.name, figure)
    return figures, list(dict.fromkeys(one.contender.name for one in runs)), works


def disturbed(least_busy: float | None) -> str:
    """Returns a sentence if a server could not use its core; else none."""
    if least_busy is None or least_busy >= BUSY:
        return ""
    return (
        f" A server used only {least_busy:.0%} of its core: the load or other processes had the "
        "rest, so compare the CPU, not the rates."
    )


def main(argv: Sequence[str]) -> int:
    """Measures; returns the exit status."""
    options = parsed(argv)
    if not is_installed():
        print(INSTALL, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with TemporaryDirectory() as folder:
            figures, servers, works = measured_figures(options, Path(folder))
    except (WrongAnswer, LoadFailed, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    said = (
        f"On {conditions(*LIBRARIES)}: medians of {options.rounds} rounds of "
        f"{options.seconds} s, {CONNECTIONS} connections."
        f"{'' if cores()[0] is not None else ' ' + ONE_CORE}{disturbed(figures.least_busy())}"
    )
    lines = figures.lines(works, servers, whole=STATIC)
    print(said, "", *lines, sep="\n")
    if options.is_whole:
        text = "\n".join([said, "", *lines])
        PAGE.write_text(with_marked(PAGE.read_text("utf-8"), "bench", text), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main([argument for argument in sys.argv[1:] if argument]))
