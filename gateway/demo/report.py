"""All text: the opening, a line and a bar for each side, the table, the closing."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from gateway.demo.store import StoreTerms
from gateway.demo.tally import Figures, Side
from gateway.demo.tasks import Outage, Task

REAL_WINDOW_SECONDS = 30
COLOURS = {Side.REST: "yellow", Side.GATEWAY: "green"}
SIDE_WIDTH = len(Side.GATEWAY)
# A line with a bar has 80 columns at most.
BAR_WIDTH = 13


@dataclass(frozen=True, slots=True)
class Result:
    """A task with the figures of both sides, and whether all of their clients saw the same."""

    task: Task
    figures: dict[Side, Figures]
    is_same: bool


def opening(terms: StoreTerms, tasks: int) -> str:
    """Returns what is going to be seen, and with which store, in lines that fit a terminal."""
    return (
        f"{tasks} tasks, each by REST and then through the gateway. Every time a new emulated\n"
        "store answers, and the gateway has just started, with an empty cache.\n"
        f"The store: {terms.segments} segments, {terms.latency_seconds * 1000:g} ms an answer, "
        f"a quota of {terms.quota} requests in {terms.window_seconds:g} s.\n"
        f"(BigCommerce counts in {REAL_WINDOW_SECONDS} s: waits for the quota are short here.)\n"
        "All of it runs on this machine. Your own store gets no request."
    )


def heading(number: int, task: Task) -> Text:
    """Returns the title of a task."""
    return Text(f"{number}. {task.title}", style="bold")


def way(task: Task, side: Side) -> Text:
    """Returns what a side sends."""
    return Text(f"   {side:{SIDE_WIDTH}}  {task.ways[side]}", style="dim")


def line(task: Task, side: Side, figures: Figures) -> str:
    """Returns the end of one side of a task, for output without bars."""
    return f"   {side:{SIDE_WIDTH}}  {answered(task, figures)}  {spent(figures)}"


def bars(console: Console) -> Progress:
    """Returns the bars of one task, without any yet."""
    return Progress(
        TextColumn("   {task.description}"),
        BarColumn(BAR_WIDTH),
        TextColumn("{task.fields[answered]}"),
        TextColumn("{task.fields[spent]}"),
        console=console,
        auto_refresh=False,
    )


def add_bar(progress: Progress, task: Task, side: Side) -> None:
    """Adds the bar of a side."""
    progress.add_task(
        f"[{COLOURS[side]}]{side:{SIDE_WIDTH}}[/] ", total=task.goal, answered="", spent="starts"
    )


def move_bar(progress: Progress, task: Task, figures: Figures) -> None:
    """Moves the bar that was added last."""
    progress.update(
        progress.task_ids[-1],
        completed=figures.answered,
        answered=answered(task, figures),
        spent=waiting(figures) or spent(figures),
    )


def answered(task: Task, figures: Figures) -> str:
    """Returns how much of the task is answered."""
    done = f"{figures.answered:>{len(str(task.goal))}}/{task.goal}"
    return f"{f'{done} {task.unit}':18}"


def spent(figures: Figures) -> str:
    """Returns what it has cost."""
    return f"{_requests(figures)}  quota left {figures.quota_left:3}"


def waiting(figures: Figures) -> str | None:
    """Returns the line in place of the cost while clients wait for the quota."""
    if not figures.waiting:
        return None
    return f"{_requests(figures)}  429: {figures.waiting} wait"


def _requests(figures: Figures) -> str:
    noun = "request" if figures.requests == 1 else "requests"
    return f"{figures.requests:3} {noun:8} {figures.seconds:4.1f} s"


def table(results: Sequence[Result]) -> Table:
    """Returns the table of all tasks; the last row is their sum."""
    shown = Table(box=SIMPLE_HEAD, show_edge=False, show_footer=True, padding=(0, 1, 0, 0))
    shown.add_column("Task", footer="Together", no_wrap=True)
    figures = [result.figures for result in results]
    totals = {
        "Requests": [f"{sum(one[side].requests for one in figures)}" for side in Side],
        "Seconds": [f"{sum(one[side].seconds for one in figures):.1f}" for side in Side],
        "Quota": ["", ""],
    }
    for name, total in totals.items():
        for side, footer in zip(Side, total, strict=True):
            colour = COLOURS[side]
            shown.add_column(
                f"{name}\n{side}",
                footer=footer,
                justify="right",
                style=colour,
                header_style=colour,
                footer_style=colour,
            )
    for result in results:
        rest, graph = (result.figures[side] for side in Side)
        shown.add_row(
            result.task.short_title,
            *(str(one.requests) for one in (rest, graph)),
            *(f"{one.seconds:.1f}" for one in (rest, graph)),
            *(str(one.quota_left) for one in (rest, graph)),
        )
    return shown


def closing(results: Sequence[Result], terms: StoreTerms) -> str:
    """Returns what the figures are, and what the table does not show."""
    lines = [
        "The emulated stores counted the requests.",
        f"Quota: what was left of {terms.quota} in the busiest {terms.window_seconds:g} s.",
    ]
    refused = sum(result.figures[Side.REST].refused for result in results)
    if refused:
        lines.append(f"429: {refused} of REST's requests. Their clients waited, and asked again.")
    for result in results:
        if isinstance(result.task, Outage):
            lines.append(_outage(result))
        elif not result.is_same:
            lines.append(f"{result.task.short_title}: not all clients got the same answer.")
    lines += [
        "",
        "Next: `gateway serve`, and http://127.0.0.1:8000/graphql in a browser.",
        "docs/demo.md says how each side works.",
    ]
    return "\n".join(lines)


def _outage(result: Result) -> str:
    rest, graph = (result.figures[side] for side in Side)
    return (
        f"Store down: by REST {rest.answered} of {result.task.goal} clients got an answer, "
        f"through the gateway {graph.answered},\nof which {graph.stale} are marked as stale."
    )
