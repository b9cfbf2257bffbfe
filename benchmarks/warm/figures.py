"""The table of a run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.warm.works import Work


@dataclass
class Figures:
    """The requests a second of each run, by kind of request and server; and upstream requests."""

    rates: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    upstream: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, work: str, server: str, rate: float, upstream: int) -> None:
        """Adds a run."""
        self.rates.setdefault((work, server), []).append(rate)
        self.upstream[work, server] = self.upstream.get((work, server), 0) + upstream

    def rate(self, work: str, server: str) -> float | None:
        """Returns the median rate; None without a run."""
        rates = self.rates.get((work, server))
        return median(rates) if rates else None


def table(
    figures: Figures, works: Sequence[Work], servers: Sequence[str], *, whole: str
) -> list[str]:
    """Returns the lines of the table; shares are those of the server `whole`."""
    lines = [
        "| all of it warm | server | requests/s | share of static | upstream requests |",
        "|---|---|--:|--:|--:|",
    ]
    for work in works:
        whole_rate = figures.rate(work.name, whole)
        for server in servers:
            rate = figures.rate(work.name, server)
            if rate is None:
                continue
            of_whole = f"{rate / whole_rate:.3f}" if whole_rate else "–"
            requests = figures.upstream[work.name, server]
            lines.append(f"| {work.title} | {server} | {rate:.0f} | {of_whole} | {requests} |")
    return lines
