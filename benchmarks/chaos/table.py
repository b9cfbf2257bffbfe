"""What was measured, as a table in Markdown."""

import math
import re
from collections.abc import Sequence

from benchmarks.chaos.answers import GOOD
from benchmarks.chaos.stack import Row

BEGIN, END = "<!-- measured -->\n", "<!-- /measured -->"
MEASURED = re.compile(f"(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", re.DOTALL)
HEAD = (
    "| what fails | cache | requests | fresh | stale | stale on error | errors | p99 ms "
    "| slowest ms | sent again | store got | 429 of them |",
    "|---|---|--:|--:|--:|--:|---|--:|--:|--:|--:|--:|",
)


def table(rows: Sequence[Row]) -> str:
    """Returns a line for each scenario."""
    return "\n".join([*HEAD, *map(line, rows)])


def line(row: Row) -> str:
    """Returns the line of one scenario."""
    tally = row.tally
    errors = ", ".join(f"{share(n, tally.requests)} {what}" for what, n in tally.failed.items())
    cells = [
        row.fault,
        "warm" if row.is_warm else "cold",
        tally.requests,
        *(share(tally.outcomes[what], tally.requests) for what in GOOD),
        errors or "none",
        round(percentile(tally.milliseconds, 99)),
        round(max(tally.milliseconds, default=0.0)),
        tally.sent_again,
        row.upstream.total,
        row.upstream.refused,
    ]
    return f"| {' | '.join(map(str, cells))} |"


def percentile(values: Sequence[float], percent: float) -> float:
    """Returns the smallest value that is not below `percent` of all (nearest rank); 0 of none."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def share(part: int, whole: int) -> str:
    """Returns a percentage; nothing and all are told apart from nearly so."""
    if part in (0, whole):
        return "0" if part == 0 else "100 %"
    return f"{min(99.9, max(0.1, 100 * part / whole)):.1f} %"


def with_measured(page: str, text: str) -> str:
    """Returns the page with the text between its markers. Raises `ValueError` without those."""
    if not MEASURED.search(page):
        raise ValueError(f"the page has no {BEGIN.strip()} … {END}")
    return MEASURED.sub(lambda _: f"{text}\n", page)
