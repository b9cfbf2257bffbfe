"""Runs `gateway demo`, and keeps what it shows: a picture and a table for docs/demo.md.

`python -m benchmarks.demo_picture` writes docs/images/demo.svg, and the part of the page between
its markers.
"""

import asyncio
import io
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.page import conditions, with_marked
from gateway.demo import TASKS, Screen, StoreTerms, perform
from gateway.demo.performance import print_closing, print_opening, print_ways
from gateway.demo.report import Result, add_bar, bars, move_bar
from gateway.demo.tally import Side
from gateway.logs import configure_logging

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "demo.md"
PICTURE = DOCS / "images" / "demo.svg"
WIDTH = 80
# rich's own, with fonts that machines have: its default asks another host for one.
SVG = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def picture(results: Sequence[Result], terms: StoreTerms) -> str:
    """Returns the SVG of a terminal after the end of the demo."""
    console = Console(
        file=io.StringIO(),
        record=True,
        width=WIDTH,
        force_terminal=True,
        color_system="truecolor",
    )
    print_opening(console, [result.task for result in results], terms)
    for number, result in enumerate(results, 1):
        print_ways(console, number, result.task)
        progress = bars(console)
        for side in Side:
            add_bar(progress, result.task, side)
            move_bar(progress, result.task, result.figures[side])
        console.print(progress)
    print_closing(console, results, terms)
    return console.export_svg(title="gateway demo", code_format=SVG, unique_id="demo")


def table(results: Sequence[Result]) -> str:
    """Returns the figures as a table in Markdown."""
    lines = [
        f"Measured on {conditions()}.",
        "",
        "| task | requests by REST | through the gateway | seconds by REST | through the gateway "
        "| quota left by REST | through the gateway |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for result in results:
        rest, graph = (result.figures[side] for side in Side)
        cells = (
            result.task.title,
            rest.requests,
            graph.requests,
            f"{rest.seconds:.1f}",
            f"{graph.seconds:.1f}",
            rest.quota_left,
            graph.quota_left,
        )
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Runs the demo, and writes the page and the picture."""
    configure_logging("error", "text")
    terms = StoreTerms()
    results = asyncio.run(perform(Screen(), TASKS, terms))
    PICTURE.write_text(picture(results, terms), encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_marked(page, "figures", table(results)), encoding="utf-8")


if __name__ == "__main__":
    main()
