"""What the demo says, plain and on a terminal of 80 columns."""

import io
import re

from rich.console import Console, RenderableType
from rich.text import Text

from gateway.demo.report import (
    Result,
    add_bar,
    bars,
    closing,
    heading,
    line,
    move_bar,
    opening,
    table,
    way,
)
from gateway.demo.store import StoreTerms
from gateway.demo.tally import Figures, Side
from gateway.demo.tasks import TASKS, Crowd, Outage, Walk

WALK, CROWD, OUTAGE = Walk(), Crowd(), Outage()


def figures(
    requests: int,
    quota_left: int,
    seconds: float,
    answered: int,
    *,
    refused: int = 0,
    stale: int = 0,
    waiting: int = 0,
) -> Figures:
    return Figures(requests, refused, quota_left, seconds, answered, stale, waiting)


RESULTS = [
    Result(
        WALK,
        {Side.REST: figures(34, 116, 2.9, 1000), Side.GATEWAY: figures(4, 146, 0.54, 1000)},
        is_same=True,
    ),
    Result(
        CROWD,
        {
            Side.REST: figures(250, 0, 6.5, 200, refused=50),
            Side.GATEWAY: figures(1, 149, 1.5, 200),
        },
        is_same=True,
    ),
    Result(
        OUTAGE,
        {Side.REST: figures(81, 69, 3.0, 0), Side.GATEWAY: figures(5, 145, 2.6, 40, stale=40)},
        is_same=False,
    ),
]


def printed(*shown: RenderableType, terminal: bool = False, no_color: bool = False) -> str:
    """What a console of 80 columns prints, without spaces at the ends of its lines."""
    console = Console(
        file=io.StringIO(),
        width=80,
        force_terminal=terminal,
        color_system="256" if terminal else None,
        no_color=no_color,
        _environ={"TERM": "xterm-256color"},
    )
    for one in shown:
        console.print(one, highlight=False)
    assert isinstance(console.file, io.StringIO)
    return re.sub(" +$", "", console.file.getvalue(), flags=re.MULTILINE)


def test_opening_says_how_the_store_answers_and_that_no_other_is_asked() -> None:
    assert opening(StoreTerms(), 5) == (
        "5 tasks, each by REST and then through the gateway. Every time a new emulated\n"
        "store answers, and the gateway has just started, with an empty cache.\n"
        "The store: 1000 segments, 80 ms an answer, a quota of 150 requests in 5 s.\n"
        "(BigCommerce counts in 30 s: waits for the quota are short here.)\n"
        "All of it runs on this machine. Your own store gets no request."
    )


def test_lines_before_the_bars_fit_80_columns() -> None:
    for task in TASKS:
        shown = printed(heading(5, task), *(way(task, side) for side in Side))
        assert shown.count("\n") == 3


def test_line_of_a_side_has_what_it_got_and_what_that_cost() -> None:
    first, second, third = RESULTS
    assert line(WALK, Side.REST, first.figures[Side.REST]) == (
        "   REST     1000/1000 segments   34 requests  2.9 s  quota left 116"
    )
    assert line(CROWD, Side.GATEWAY, second.figures[Side.GATEWAY]) == (
        "   gateway  200/200 clients       1 request   1.5 s  quota left 149"
    )
    assert line(OUTAGE, Side.REST, third.figures[Side.REST]) == (
        "   REST      0/40 clients        81 requests  3.0 s  quota left  69"
    )


def test_bars_fit_80_columns_and_say_who_waits_for_the_quota() -> None:
    progress = bars(Console(file=io.StringIO()))
    add_bar(progress, CROWD, Side.REST)
    assert printed(progress) == "   REST                    starts\n"
    move_bar(progress, CROWD, figures(200, 0, 1.0, 150, refused=50, waiting=50))
    assert printed(progress) == (
        "   REST     ━━━━━━━━━╸    150/200 clients    200 requests  1.0 s  429: 50 wait\n"
    )
    move_bar(progress, CROWD, figures(250, 0, 6.5, 200, refused=50))
    add_bar(progress, CROWD, Side.GATEWAY)
    move_bar(progress, CROWD, figures(1, 149, 1.5, 100))
    assert printed(progress).splitlines() == [
        "   REST     ━━━━━━━━━━━━━ 200/200 clients    250 requests  6.5 s  quota left   0",
        "   gateway  ━━━━━━╸       100/200 clients      1 request   1.5 s  quota left 149",
    ]


def test_bars_have_colours_on_a_terminal_unless_there_are_to_be_none() -> None:
    progress = bars(Console(file=io.StringIO()))
    add_bar(progress, CROWD, Side.REST)
    move_bar(progress, CROWD, figures(250, 0, 6.5, 200, refused=50))
    shown = printed(progress, terminal=True)
    assert "\x1b[33mREST   \x1b[0m" in shown
    # Which colours: rich keeps the codes that a style was first printed with, in any console.
    assert re.search("\x1b\\[38;[0-9;]+m━{13}\x1b\\[0m", shown)
    plain = printed(progress, terminal=True, no_color=True)
    assert "\x1b[3" not in plain
    assert Text.from_ansi(shown).plain == Text.from_ansi(plain).plain


def test_table_has_a_row_for_each_task_and_their_sums() -> None:
    assert printed(table(RESULTS)).splitlines() == [
        "                        Requests  Requests  Seconds  Seconds  Quota    Quota",
        "Task                        REST   gateway     REST  gateway   REST  gateway",
        "─" * 77,
        "Walk 1000 segments            34         4      2.9      0.5    116      146",
        "One page, 200 clients        250         1      6.5      1.5      0      149",
        "Store down, 40 clients        81         5      3.0      2.6     69      145",
        "",
        "Together                     365        10     12.4      4.6",
    ]


def test_closing_tells_refusals_and_the_outage() -> None:
    assert closing(RESULTS, StoreTerms()) == (
        "The emulated stores counted the requests.\n"
        "Quota: what was left of 150 in the busiest 5 s.\n"
        "429: 50 of REST's requests. Their clients waited, and asked again.\n"
        "Store down: by REST 0 of 40 clients got an answer, through the gateway 40,\n"
        "of which 40 are marked as stale.\n"
        "\n"
        "Next: `gateway serve`, and http://127.0.0.1:8000/graphql in a browser.\n"
        "docs/demo.md says how each side works."
    )


def test_closing_tells_sides_that_showed_other_segments() -> None:
    walk = Result(WALK, RESULTS[0].figures, is_same=False)
    assert closing([walk], StoreTerms()).splitlines()[2:-3] == [
        "Walk 1000 segments: not all clients got the same answer."
    ]


def test_the_whole_table_fits_80_columns() -> None:
    both = RESULTS[1].figures
    shown = printed(table([Result(task, both, is_same=True) for task in TASKS])).splitlines()
    assert len(shown) == len(TASKS) + 5
    assert "…" not in "".join(shown)
