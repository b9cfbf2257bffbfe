"""The demo: both sides over real HTTP, with the requests that the emulator counted."""

import fcntl
import io
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic

import pytest
from rich.console import Console
from rich.text import Text
from running import PATIENCE_SECONDS, store_at

from benchmarks.command import Command
from gateway.demo import StoreTerms, perform
from gateway.demo.attempts import attempt
from gateway.demo.tally import Figures, Side, Tally
from gateway.demo.tasks import Crowd, CustomersSegments, Outage, SameIds, Task, Walk

QUICK = StoreTerms(latency_seconds=0.03, quota=1000, window_seconds=600)
DEMO = (sys.executable, "-m", "gateway", "demo")


async def both(task: Task, terms: StoreTerms = QUICK) -> tuple[list[Figures], list[Tally]]:
    attempts = [await attempt(task, side, terms, lambda _: None) for side in Side]
    figures, tallies = zip(*attempts, strict=True)
    return [*figures], [*tallies]


@pytest.mark.parametrize(
    ("task", "by_rest", "through_the_gateway"),
    [(Walk(), 34, 4), (SameIds(), 16, 1), (Crowd(), 200, 1), (CustomersSegments(1), 2, 2)],
    ids=["walk", "same ids", "crowd", "one customer"],
)
async def test_requests_are_those_that_the_emulator_counted(
    task: Task, by_rest: int, through_the_gateway: int
) -> None:
    figures, tallies = await both(task)
    assert [one.requests for one in figures] == [by_rest, through_the_gateway]
    assert [one.quota_left for one in figures] == [1000 - by_rest, 1000 - through_the_gateway]
    assert [one.answered for one in figures] == [task.goal] * 2
    assert [one.stale for one in figures] == [0, 0]
    assert tallies[0].names == tallies[1].names
    assert tallies[0].names.total() > 0


async def test_customers_at_once_share_their_lookups() -> None:
    (by_rest, through_the_gateway), tallies = await both(CustomersSegments(40))
    assert by_rest.requests == 80
    # One lookup of customers and one of segments, or a few where a slow machine spreads the 40.
    assert 2 <= through_the_gateway.requests <= 8
    # Customer n is in as many segments as n has divisors.
    divisors = sum(n % d == 0 for n in range(1, 41) for d in range(1, n + 1))
    assert tallies[0].names == tallies[1].names
    assert tallies[0].names.total() == divisors


async def test_refused_clients_wait_for_the_next_window_and_are_answered() -> None:
    terms = StoreTerms(latency_seconds=0.01, quota=20, window_seconds=3)
    watched: list[Figures] = []
    by_rest, _ = await attempt(Crowd(30), Side.REST, terms, watched.append)
    assert (by_rest.requests, by_rest.refused, by_rest.quota_left) == (40, 10, 0)
    assert (by_rest.answered, by_rest.waiting) == (30, 0)
    assert {one.waiting for one in watched} >= {10}
    assert by_rest.seconds > 1


async def test_clients_of_a_store_that_is_down_get_no_answer_by_rest_and_a_stale_one() -> None:
    task = Outage(goal=10, seconds=0.5)
    (by_rest, through_the_gateway), tallies = await both(task)
    assert (by_rest.requests, by_rest.answered, by_rest.stale) == (1 + 2 * 10, 0, 0)
    assert (through_the_gateway.answered, through_the_gateway.stale) == (10, 10)
    assert through_the_gateway.requests < by_rest.requests
    assert tallies[1].names.total() == 10 * 30


async def test_output_without_a_terminal_is_a_line_for_each_side_and_the_table() -> None:
    console = Console(file=io.StringIO(), width=80, _environ={})
    (result,) = await perform(console, [SameIds(4, 3)], QUICK)
    assert isinstance(console.file, io.StringIO)
    rest, graph = (f"{result.figures[side].seconds:.1f}" for side in Side)
    shown = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert shown[6:16] == [
        "1. 3 segments by id, the same for 4 clients at once",
        "   REST     each client: GET /segments?id:in=... with all ids",
        "   gateway  each client: segmentsByEntityId(entityIds: [...]) with all ids",
        f"   REST     4/4 clients           4 requests  {rest} s  quota left 996",
        f"   gateway  4/4 clients           1 request   {graph} s  quota left 999",
        "",
        "                    Requests  Requests  Seconds  Seconds  Quota    Quota",
        "Task                    REST   gateway     REST  gateway   REST  gateway",
        "─" * 73,
        f"3 by id, 4 clients         4         1      {rest}      {graph}    996      999",
    ]
    assert result.is_same
    assert "\x1b" not in console.file.getvalue()


async def test_side_that_got_other_segments_is_said_to_differ(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.demo.rest.LARGEST_PAGE", "1")
    console = Console(file=io.StringIO(), width=80, _environ={})
    (result,) = await perform(console, [SameIds(2, 3)], QUICK)
    assert isinstance(console.file, io.StringIO)
    assert not result.is_same
    assert "not all clients got the same answer" in console.file.getvalue()


async def test_narrow_terminal_gets_the_same_text_to_wrap() -> None:
    shown = []
    for width, is_terminal in ((80, False), (40, True)):
        console = Console(
            file=io.StringIO(), width=width, force_terminal=is_terminal, no_color=True, _environ={}
        )
        await perform(console, [SameIds(4, 3)], QUICK)
        assert isinstance(console.file, io.StringIO)
        plain = Text.from_ansi(console.file.getvalue()).plain
        shown.append(re.sub(r"\d\.\d|(?<=\S)  +", "", plain).splitlines())
    wide, narrow = shown
    assert narrow == wide


@pytest.fixture(autouse=True)
def _interrupts() -> Iterator[None]:
    """Lets processes take Ctrl-C, which those of a shell's background inherit as ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@contextmanager
def silent_store() -> Iterator[socket.socket]:
    """A port to which nothing may connect."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_real_store_in_the_environment_gets_no_request_and_ctrl_c_ends_it() -> None:
    with silent_store() as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        environment = {
            **store_at(url),
            "HTTP_PROXY": url,
            "GATEWAY_NONSENSE": "1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        }
        demo = Command(*DEMO, environment=environment)
        demo.start()
        try:
            demo.output.wait_for("gateway  1000/1000 segments    4 requests")
            status, output, errors = demo.stop(signal.SIGINT)
        finally:
            demo.kill()
    assert (status, errors) == (130, "")
    assert "REST     1000/1000 segments   34 requests" in output


def test_terminal_shows_bars_until_ctrl_c() -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}
    with subprocess.Popen(
        DEMO,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**environment, "TERM": "xterm-256color"},
        start_new_session=True,
        preexec_fn=partial(fcntl.ioctl, theirs, termios.TIOCSCTTY, 0),
    ) as demo:
        try:
            os.close(theirs)
            screen = read_until(ours, "1000/1000 segments   4 requests")
            os.write(ours, b"\x03")
            screen += read_until(ours, "\x1b[?25h")
            assert demo.wait(PATIENCE_SECONDS) == 130
        finally:
            demo.kill()
            os.close(ours)
    # A bar that grows, one line of the screen, and the cursor that comes back.
    assert "\x1b[?25l" in screen
    lengths = {part.partition("\x1b[0m")[0] for part in screen.split("\x1b[38;5;197m")[1:]}
    assert len(lengths) >= 5
    assert "\x1b[38;5;70m━━━━━━━━━━━━━\x1b[0m" in screen


def read_until(descriptor: int, text: str) -> str:
    """What comes from a terminal up to this text, which colours may interrupt."""
    screen, deadline = b"", monotonic() + PATIENCE_SECONDS
    while text.encode() not in screen:
        assert monotonic() < deadline, screen
        screen += os.read(descriptor, 65536)
    return screen.decode(errors="replace")
