"""What has to hold in each run, told in one line each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.chaos.stack import DEADLINE_SECONDS, Row
from benchmarks.chaos.table import failed

CODES = ("UPSTREAM_UNAVAILABLE", "UPSTREAM_TIMEOUT", "RATE_LIMITED")


@dataclass(frozen=True, slots=True)
class Bar:
    """One claim, and what was seen."""

    claim: str
    holds: bool
    seen: str


def bars(rows: Sequence[Row], *, small_quota: str) -> Iterator[Bar]:
    """Yields what has to hold; `small_quota` names the fault of the row with a small quota."""
    for row in rows:
        wrong = row.tally.outcomes["wrong"]
        yield Bar(f"{_name(row)}: no answer is wrong", not wrong, f"{wrong} are")
        if row.is_warm:
            lost = failed(row)
            yield Bar(f"{_name(row)}: no request fails", not lost, f"{lost} {row.tally.examples}")
        else:
            slowest = max(row.tally.error_milliseconds, default=0.0)
            limit = (DEADLINE_SECONDS + 1) * 1000
            yield Bar(
                f"{_name(row)}: errors within {limit} ms", slowest <= limit, f"{slowest:.0f} ms"
            )
            odd = {what: n for what, n in failed(row).items() if what not in CODES}
            yield Bar(f"{_name(row)}: errors have codes", not odd, f"{odd} {row.tally.examples}")
        if row.fault == small_quota:
            late = row.windows[1:]
            yield Bar(
                f"{_name(row)}: none of 429 after the first window", not any(late), str(row.windows)
            )


def _name(row: Row) -> str:
    return f"{row.fault} ({'warm' if row.is_warm else 'cold'})"
