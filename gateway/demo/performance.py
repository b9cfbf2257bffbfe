"""The tasks in their order, on the screen or as plain lines."""

from collections.abc import Sequence
from contextlib import nullcontext

from rich.console import Console

from gateway.demo.attempts import attempt
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
from gateway.demo.tally import Figures, Side, Tally
from gateway.demo.tasks import Task


class Screen(Console):
    """The standard output. Unlike rich's, it leaves a reader who is gone to its caller."""

    def on_broken_pipe(self) -> None:
        """Raises the `BrokenPipeError` that is being handled."""
        raise


async def perform(console: Console, tasks: Sequence[Task], terms: StoreTerms) -> list[Result]:
    """Does each task by REST and through the gateway; prints as it goes, and a table at the end.

    A terminal gets a bar for each side, all else a line. Raises `OSError` if nothing can be
    printed.
    """
    print_opening(console, tasks, terms)
    results = []
    for number, task in enumerate(tasks, 1):
        print_ways(console, number, task)
        results.append(await _both_sides(console, task, terms))
    print_closing(console, results, terms)
    return results


def print_opening(console: Console, tasks: Sequence[Task], terms: StoreTerms) -> None:
    """Prints what comes before the first task."""
    console.print(opening(terms, len(tasks)), highlight=False, soft_wrap=True)


def print_ways(console: Console, number: int, task: Task) -> None:
    """Prints what comes before the bars of a task."""
    console.print()
    console.print(heading(number, task), soft_wrap=True)
    for side in Side:
        console.print(way(task, side), soft_wrap=True)


def print_closing(console: Console, results: Sequence[Result], terms: StoreTerms) -> None:
    """Prints what comes after the last task."""
    console.print()
    console.print(table(results))
    console.print()
    console.print(closing(results, terms), highlight=False, soft_wrap=True)


async def _both_sides(console: Console, task: Task, terms: StoreTerms) -> Result:
    has_bars = console.is_terminal and not console.is_dumb_terminal
    progress = bars(console)
    figures: dict[Side, Figures] = {}
    tallies: list[Tally] = []

    def watch(now: Figures) -> None:
        if has_bars:
            move_bar(progress, task, now)
            progress.refresh()

    with progress if has_bars else nullcontext():
        for side in Side:
            add_bar(progress, task, side)
            figures[side], tally = await attempt(task, side, terms, watch)
            tallies.append(tally)
            watch(figures[side])
            if not has_bars:
                console.print(line(task, side, figures[side]), highlight=False, soft_wrap=True)
    rest, graph = tallies
    return Result(task, figures, is_same=rest.names == graph.names)
