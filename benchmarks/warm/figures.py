"""The table of a run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.warm.works import Work

HEAD = (
    "| all of it warm | server | requests/s | share of static | CPU µs a request "
    "| upstream requests |",
    "|---|---|--:|--:|--:|--:|",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One run: requests a second, the server's CPU a request, and its upstream requests.

    CPU is None where it cannot be read; so are the upstream requests of a server that was running
    before.
    """

    rate: float
    cpu_microseconds: float | None
    upstream: int | None

    @property
    def busy(self) -> float | None:
        """The share of a core that the server used."""
        return None if self.cpu_microseconds is None else self.rate * self.cpu_microseconds / 1e6


@dataclass
class Figures:
    """All runs, by kind of request and server."""

    runs: dict[tuple[str, str], list[Figure]] = field(default_factory=dict)

    def add(self, work: str, server: str, figure: Figure) -> None:
        """Adds a run."""
        self.runs.setdefault((work, server), []).append(figure)

    def rate(self, work: str, server: str) -> float | None:
        """Returns the median of requests a second; None without a run."""
        return _median(figure.rate for figure in self.runs.get((work, server), ()))

    def least_busy(self) -> float | None:
        """Returns the least share of its core that a server used, in the median of its runs.

        It is near 1 unless the load is too slow, or other processes take the cores.
        """
        shares = [_median(figure.busy for figure in runs) for runs in self.runs.values()]
        return min((share for share in shares if share is not None), default=None)

    def lines(self, works: Sequence[Work], servers: Sequence[str], *, whole: str) -> list[str]:
        """Returns the lines of the table; shares are of the rate of the server `whole`."""
        lines = [*HEAD]
        for work in works:
            whole_rate = self.rate(work.name, whole)
            for server in servers:
                if runs := self.runs.get((work.name, server)):
                    rate = median(figure.rate for figure in runs)
                    cells = (
                        work.title,
                        server,
                        f"{rate:.0f}",
                        f"{rate / whole_rate:.3f}" if whole_rate else "–",
                        _shown(_median(figure.cpu_microseconds for figure in runs)),
                        _shown(_sum(figure.upstream for figure in runs)),
                    )
                    lines.append(f"| {' | '.join(cells)} |")
        return lines


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"
