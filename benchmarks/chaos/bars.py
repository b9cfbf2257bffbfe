"""What has to hold in each run, told in one line each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.chaos.answers import WRONG
from benchmarks.chaos.stack import DEADLINE_SECONDS, Row

CODES = ("UPSTREAM_UNAVAILABLE", "UPSTREAM_TIMEOUT", "RATE_LIMITED")
LATEST_ERROR_SECONDS = DEADLINE_SECONDS + 1
# Of each of two workers, those that are in flight when the quota runs out.
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
    """Yields what has to hold; `small_quota` names the row with a small quota."""
    for row in rows:
        tally = row.tally
        wrong = tally.outcomes[WRONG]
        yield Bar(f"{_name(row)}: no answer is wrong", not wrong, f"{wrong} are")
        if row.is_warm:
            yield from _warm(row)
        else:
            yield from _cold(row)
        if row.name == small_quota:
            refused = [window.refused for window in row.windows]
            # The store has to be asked in three windows.
            holds = len(refused) > 2 and max(refused) <= MOST_REFUSED
            claim = f"{_name(row)}: at most {MOST_REFUSED} of 429 in each window"
            yield Bar(claim, holds, str(refused))


def long_enough(rows: Sequence[Row]) -> Bar:
    """Returns the bar of a whole run's size."""
    seconds = sum(row.seconds for row in rows)
    requests = sum(row.tally.requests for row in rows)
    return Bar(
        f"at least {FEWEST_SECONDS} s and {FEWEST_REQUESTS} requests",
        seconds >= FEWEST_SECONDS and requests >= FEWEST_REQUESTS,
        f"{seconds:.0f} s, {requests} requests",
    )


def _warm(row: Row) -> Iterator[Bar]:
    yield Bar(
        f"{_name(row)}: no request fails",
        not row.tally.failed,
        _seen(row, row.tally.failed),
    )
    if row.doubts:
        yield Bar(f"{_name(row)}: what was to fail does, and nothing else", False, str(row.doubts))


def _cold(row: Row) -> Iterator[Bar]:
    slowest = max(row.tally.error_milliseconds, default=0.0)
    limit = LATEST_ERROR_SECONDS * 1000
    yield Bar(
        f"{_name(row)}: errors within {LATEST_ERROR_SECONDS} s",
        slowest <= limit,
        f"the last after {slowest:.0f} ms" if slowest else "none",
    )
    odd = {what: n for what, n in row.tally.failed.items() if what not in CODES}
    yield Bar(f"{_name(row)}: errors have codes", not odd, _seen(row, odd))


def _seen(row: Row, outcomes: dict[str, int]) -> str:
    return f"{outcomes}, such as {row.tally.examples}" if outcomes else "so it is"


def _name(row: Row) -> str:
    return f"{row.fault} ({'warm' if row.is_warm else 'cold'})"
