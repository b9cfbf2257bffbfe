"""What was measured, as a table in Markdown."""

from collections.abc import Sequence

from benchmarks.chaos.stack import Row

HEAD = (
    "| fault | cache | requests | fresh | stale | stale on error | errors | p99 ms | slowest ms "
    "| sent again | store got | 429s |",
    "|---|---|--:|--:|--:|--:|---|--:|--:|--:|--:|--:|",
)
GOOD = ("fresh", "stale", "stale on error")


def table(rows: Sequence[Row]) -> str:
    """Returns a line for each scenario."""
    return "\n".join([*HEAD, *map(_line, rows)])


def failed(row: Row) -> dict[str, int]:
    """Returns the requests that were not answered with data, by what they got."""
    return {what: n for what, n in row.tally.outcomes.items() if what not in GOOD}


def percentile(milliseconds: Sequence[float], share: float) -> float:
    """Returns the value that this share of the others does not exceed; 0 for none."""
    ordered = sorted(milliseconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _line(row: Row) -> str:
    tally = row.tally
    errors = ", ".join(
        f"{_share(n, tally.requests)} {what}" for what, n in sorted(failed(row).items())
    )
    cells = [
        row.fault,
        "warm" if row.is_warm else "cold",
        tally.requests,
        *(_share(tally.outcomes[what], tally.requests) for what in GOOD),
        errors or "none",
        round(percentile(tally.milliseconds, 0.99)),
        round(max(tally.milliseconds, default=0.0)),
        tally.sent_again,
        row.upstream,
        row.refused,
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def _share(part: int, whole: int) -> str:
    """Returns a percentage; nothing that happened is shown as 0."""
    if not part:
        return "0"
    percent = 100 * part / whole
    return f"{percent:.1f} %" if percent >= 0.1 else "<0.1 %"
