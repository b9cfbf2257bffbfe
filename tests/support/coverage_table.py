"""Prints the coverage of each package of gateway/ from `coverage json`, read on standard input."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePath


def rows(files: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Iterator[str]:
    """One row a package; the last one is the total."""
    counts: dict[str, Counter[str]] = {}
    for path, measured in files.items():
        for name in (str(PurePath(path).parent), "total"):
            counts.setdefault(name, Counter()).update(measured["summary"])
    yield f"{'':20} statements  missed  branches  missed  covered"
    for name, count in sorted(counts.items()):
        lines, lines_missed = count["num_statements"], count["missing_lines"]
        branches, branches_missed = count["num_branches"], count["missing_branches"]
        covered = 1 - (lines_missed + branches_missed) / max(1, lines + branches)
        yield (
            f"{name:20} {lines:10} {lines_missed:7} {branches:9} {branches_missed:7} {covered:8.1%}"
        )


if __name__ == "__main__":
    print(*rows(json.load(sys.stdin)["files"]), sep="\n")
