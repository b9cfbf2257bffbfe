"""Measures, prints the table, and writes it into docs/why.md.

    cd benchmarks/rivals/mesh && npm ci
    python -m benchmarks.rivals --openapi FILE

FILE is BigCommerce's OpenAPI file of the segments API, which docs/why.md says where to get.
Without it, GraphQL Mesh and Hive Gateway are left out, and the page stays as it is.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.page import conditions, with_marked
from benchmarks.rivals.contenders import (
    MESH,
    STORE_ITSELF,
    STRAWBERRY_APP,
    THIS_GATEWAY,
    Rival,
    hive_over,
)
from benchmarks.rivals.tasks import TASKS, measured

PAGE = Path(__file__).parents[2] / "docs" / "why.md"


def table(rivals: Sequence[Rival], counts: Sequence[Sequence[int]]) -> str:
    """Returns the counts as a Markdown table: a row for each task, a column for each contender."""
    lines = [
        f"| | {' | '.join(rival.name for rival in rivals)} |",
        f"|---{'|--:' * len(rivals)}|",
    ]
    for task, row in zip(TASKS, counts, strict=True):
        lines.append(f"| {task.name} | {' | '.join(map(str, row))} |")
    return "\n".join(lines)


def versions_of_npm() -> str:
    """Returns the versions that package.json pins."""
    pinned = json.loads((MESH / "package.json").read_text(encoding="utf-8"))["dependencies"]
    return ", ".join(f"{name} {version}" for name, version in pinned.items())


async def run(rivals: Sequence[Rival]) -> list[list[int]]:
    """Returns the counts of each task, for each contender."""
    counts = []
    for task in TASKS:
        counts.append([await measured(rival, task) for rival in rivals])
        print(task.name, counts[-1], file=sys.stderr)
    return counts


def main(argv: Sequence[str] | None = None) -> int:
    """Runs all; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--openapi", type=Path, help="BigCommerce's OpenAPI file of segments")
    file: Path | None = parser.parse_args(argv).openapi
    if file is not None and not (MESH / "node_modules").is_dir():
        parser.error(f"run `npm ci` in {MESH} first, with Node.js 20 or newer")
    with tempfile.TemporaryDirectory() as folder:
        rivals = [STORE_ITSELF, STRAWBERRY_APP, THIS_GATEWAY]
        if file is not None:
            rivals[1:1] = [
                hive_over(file.resolve(), Path(folder), with_cache=with_cache)
                for with_cache in (False, True)
            ]
        counts = asyncio.run(run(rivals))
    text = table(rivals, counts)
    print(text)
    if file is not None:
        on = conditions("strawberry-graphql")
        text = f"On {on}, {versions_of_npm()}.\n\n{text}"
        PAGE.write_text(with_marked(PAGE.read_text("utf-8"), "rivals", text), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
