"""`make chaos`: runs the scenarios, prints the table, and writes it into docs/resilience.md.

Exit status: 0 all bars hold, 1 one is missed, 2 an unknown name, 130 Ctrl-C or SIGTERM.
"""

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import rmtree
from time import monotonic

import uvloop

from benchmarks.chaos.extremes import memory_after_many_keys, one_flight_across_processes
from benchmarks.chaos.report import HEAD, Bar, bars, line, long_enough, measured
from benchmarks.chaos.scenarios import SCENARIOS, Scenario, run_cold, run_warm
from benchmarks.chaos.stack import LOGS, Row, running_stack
from benchmarks.page import with_marked

PAGE = Path("docs/resilience.md")
OTHERS = {"flight": one_flight_across_processes, "memory": memory_after_many_keys}
NAMES = (*(scenario.name for scenario in SCENARIOS), *OTHERS)


def main(names: Sequence[str]) -> int:
    """Runs the scenarios with these names, or all; returns the exit status."""
    if unknown := sorted({*names} - {*NAMES}):
        print(f"There is no {', '.join(unknown)}; there are {', '.join(NAMES)}.", file=sys.stderr)
        return 2
    rmtree(LOGS, ignore_errors=True)
    begin = monotonic()
    try:
        rows, others = uvloop.run(_stoppable(names or NAMES))
    except asyncio.CancelledError:
        return 130
    found = [*bars(rows, small_quota="quota"), *others]
    found += [] if names else [long_enough(rows)]
    print(*found, sep="\n")
    missed = sum(not bar.holds for bar in found)
    print(f"{len(found) - missed} of {len(found)} bars hold")
    if not names:
        text = measured(rows, others, found, monotonic() - begin)
        PAGE.write_text(with_marked(PAGE.read_text("utf-8"), "measured", text), "utf-8")
    return 1 if missed else 0


async def _stoppable(names: Sequence[str]) -> tuple[list[Row], list[Bar]]:
    """Runs the named scenarios; Ctrl-C and SIGTERM cancel it, and stop all processes."""
    if (task := asyncio.current_task()) is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    print(*HEAD, sep="\n")
    rows = await _run([scenario for scenario in SCENARIOS if scenario.name in names])
    others = []
    for name, measure in OTHERS.items():
        if name in names:
            others.append(await measure())
            print(f"{name}: {others[-1].seen}", flush=True)
    return rows, others


async def _run(scenarios: Sequence[Scenario]) -> list[Row]:
    """Returns the rows in the order of the scenarios, warm ones first.

    Long scenarios run at the same time as the others, on a stack of their own.
    """
    async with asyncio.TaskGroup() as lanes:
        running = [
            lanes.create_task(_run_lane([one for one in scenarios if one.is_long is is_long]))
            for is_long in (False, True)
        ]
    place = {scenario.name: at for at, scenario in enumerate(scenarios)}
    rows = [row for lane in running for row in lane.result()]
    return sorted(rows, key=lambda row: (not row.is_warm, place[row.name]))


async def _run_lane(scenarios: Sequence[Scenario]) -> list[Row]:
    if not scenarios:
        return []
    rows: list[Row] = []
    cold = [scenario for scenario in scenarios if scenario.is_cold]
    async with running_stack() as stack:
        for run, those in ((run_warm, scenarios), (run_cold, cold)):
            for scenario in those:
                rows.append(await run(stack, scenario))
                print(line(rows[-1]), flush=True)
    return rows


if __name__ == "__main__":
    sys.exit(main([name for name in sys.argv[1:] if name]))
