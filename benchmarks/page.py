"""What measurements write into pages of the documentation."""

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


def conditions(*libraries: str) -> str:
    """Returns the day, the machine, and the versions of Python and of libraries."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8") if info.exists() else ""
    models = re.findall(r"model name\s*: (.*)", text)
    number = os.cpu_count() or 1
    versions = "".join(f", {name} {version(name)}" for name in libraries)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {number} core{'s' if number > 1 else ''} "
        f"({models[0] if models else platform.machine()}), "
        f"Python {platform.python_version()}{versions}"
    )


def with_marked(page: str, name: str, text: str) -> str:
    """Returns the page with the text between the markers of this name.

    Raises `ValueError` without those.
    """
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    marked = re.compile(f"(?<={re.escape(begin)}).*?(?={re.escape(end)})", re.DOTALL)
    if not marked.search(page):
        raise ValueError(f"the page has no {begin.strip()} … {end.strip()}")
    return marked.sub(lambda _: f"{text}\n", page)
