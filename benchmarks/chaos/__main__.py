"""`make chaos`: runs the scenarios, prints what was seen, and writes it into docs/resilience.md."""

import asyncio
import os
import platform
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.chaos.bars import Bar, bars
from benchmarks.chaos.processes import LOG
from benchmarks.chaos.scenarios import SCENARIOS, Scenario, run_cold, run_warm
from benchmarks.chaos.stack import Row, running_stack
from benchmarks.chaos.table import table
from benchmarks.chaos.together import memory_after_many_keys, one_flight_across_processes

PAGE = Path("docs/resilience.md")
MEASURED = re.compile(r"(<!-- measured -->\n).*?(<!-- /measured -->)", re.DOTALL)
OTHERS = {"flight": one_flight_across_processes, "memory": memory_after_many_keys}


async def run(names: Sequence[str]) -> tuple[list[Row], list[Bar]]:
    """Runs the scenarios with these names, or all; returns what was seen, and what had to hold."""
    chosen = [scenario for scenario in SCENARIOS if not names or scenario.name in names]
    rows: list[Row] = []
    if chosen:
        with running_stack() as stack:
            for scenario in chosen:
                rows.append(await run_warm(stack, scenario))
                print(table(rows[-1:]).splitlines()[-1], flush=True)
            for scenario in [one for one in chosen if one.cold_seconds]:
                rows.append(await run_cold(stack, scenario))
                print(table(rows[-1:]).splitlines()[-1], flush=True)
    found = [*bars(rows, small_quota=_named("quota").fault)]
    for name, measure in OTHERS.items():
        if not names or name in names:
            found.append(await measure())
            print(found[-1].claim, found[-1].seen, flush=True)
    return rows, found


def main(names: Sequence[str]) -> int:
    """Returns the exit status: 0 where every bar holds."""
    unknown = {*names} - {scenario.name for scenario in SCENARIOS} - {*OTHERS}
    if unknown:
        print(f"No scenario is called {', '.join(sorted(unknown))}.", file=sys.stderr)
        return 2
    LOG.unlink(missing_ok=True)
    rows, found = asyncio.run(run(names))
    for bar in found:
        if not bar.holds:
            print(f"MISSED  {bar.claim}: {bar.seen}")
    missed = sum(not bar.holds for bar in found)
    print(f"{len(found) - missed} of {len(found)} bars hold")
    if not names:
        text = MEASURED.sub(lambda m: m[1] + _told(rows, found) + m[2], PAGE.read_text())
        PAGE.write_text(text)
    return 1 if missed else 0


def _told(rows: Sequence[Row], found: Sequence[Bar]) -> str:
    machine = (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()},"
        f" httpx {version('httpx')}, redis-py {version('redis')}"
    )
    total = sum(row.tally.requests for row in rows)
    others = "\n".join(f"* {bar.claim}: {bar.seen}." for bar in found[-len(OTHERS) :])
    held = sum(bar.holds for bar in found)
    return (
        f"Measured on {machine}: {total} requests; {held} of {len(found)} bars hold.\n\n"
        f"{table(rows)}\n\n{others}\n"
    )


def _named(name: str) -> Scenario:
    return next(scenario for scenario in SCENARIOS if scenario.name == name)


if __name__ == "__main__":
    sys.exit(main([name for name in sys.argv[1:] if name]))
