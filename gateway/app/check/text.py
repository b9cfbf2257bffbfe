"""The lines of a report for people. Pure.

Each line of a check or an operation begins with a sign: `+` is well, `!` a warning, `x` a problem,
`-` not checked.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from gateway.app.check.findings import Finding, Verdict
from gateway.app.check.operations import SEGMENTS, SEGMENTS_BY_ID, CheckedOperation
from gateway.app.check.results import CheckResult, CheckState

SIGNS: Final = {
    CheckState.OK: "+",
    CheckState.WARNING: "!",
    CheckState.PROBLEM: "x",
    CheckState.SKIPPED: "-",
}
VERDICT_SIGNS: Final = {
    Verdict.MAY: "+",
    Verdict.MAY_NOT: "!",
    Verdict.FAILED: "!",
    Verdict.NOT_TRIED: "-",
    Verdict.NOT_KNOWN: "-",
}
# What an answer to these shows has checks of its own: `page_size` and `ids_at_once`.
HAVE_CHECKS: Final = {SEGMENTS, SEGMENTS_BY_ID}
# The columns where what a check says, and the reason of an operation, begin.
SAYS: Final = 30
REASON: Final = 13
# A terminal that is narrower shows no methods and paths.
PATHS_WIDTH: Final = 100

Rows = Sequence[tuple[CheckedOperation, Finding]]


def text_of(
    groups: Mapping[str, Sequence[CheckResult]], rows: Rows, requests: int, width: int | None
) -> str:
    """Returns the report; without `rows` the operations are left out, as none was allowed."""
    lines: list[str] = []
    for title, results in groups.items():
        lines += [title, *_check_lines(results, width), ""]
    if rows:
        lines += ["Operations of the store's API", *_operation_lines(rows, width), ""]
    results = [result for group in groups.values() for result in group]
    for line in _summary(results, requests):
        lines += _wrapped("", line, 0, width)
    return "\n".join(lines)


def _check_lines(results: Sequence[CheckResult], width: int | None) -> Iterator[str]:
    is_skipped = [result for result in results if result.state is CheckState.SKIPPED]
    for result in results:
        if result not in is_skipped:
            start = f"{SIGNS[result.state]} {result.state:<9}{_name(result)}"
            yield from _wrapped(start, result.says, SAYS, width)
            if result.to_do:
                yield from _wrapped("", f"-> {result.to_do}", SAYS, width)
    # One line for all that were skipped for the same reason.
    for reason in dict.fromkeys(result.says for result in is_skipped):
        names = ", ".join(_name(result) for result in is_skipped if result.says == reason)
        start = f"{SIGNS[CheckState.SKIPPED]} {CheckState.SKIPPED:<9}"
        yield from _wrapped(start, f"{names}: {reason}", len(start), width)


def _operation_lines(rows: Rows, width: int | None) -> Iterator[str]:
    """Operations with the same finding share its reason."""
    for finding, group in groupby(rows, key=lambda row: row[1]):
        names = set()
        for operation, _ in group:
            names.add(operation.name)
            line = f"{VERDICT_SIGNS[finding.verdict]} {finding.verdict:<11}{operation.name}"
            if width is None or width >= PATHS_WIDTH:
                line = f"{line:<46}{operation.method:<8}{operation.path}"
            yield line
        if finding.verdict is Verdict.MAY and names <= HAVE_CHECKS:
            continue
        if finding.reason:
            yield from _wrapped("", finding.reason, REASON, width)
        # The reason of an operation that was not tried is another one, which has the remedy.
        if finding.remedy and finding.verdict is not Verdict.NOT_TRIED:
            yield from _wrapped("", f"-> {finding.remedy}", REASON, width)


def _summary(results: Sequence[CheckResult], requests: int) -> Iterator[str]:
    named = {
        state: [_name(result) for result in results if result.state is state]
        for state in (CheckState.PROBLEM, CheckState.WARNING)
    }
    counts = [
        f"{len(names)} {state}{'' if len(names) == 1 else 's'} ({', '.join(names)})"
        for state, names in named.items()
        if names
    ]
    yield f"{' and '.join(counts) if counts else 'All is well'}."
    if problems := named[CheckState.PROBLEM]:
        yield f"Exit status 1, because of the problem{'' if len(problems) == 1 else 's'}."
    else:
        yield "Exit status 0: segments can be read."
    yield f"Requests sent to the store: {requests}. All were reads."


def _name(result: CheckResult) -> str:
    return result.name.replace("_", " ")


def _wrapped(start: str, sentence: str, column: int, width: int | None) -> list[str]:
    """Returns the sentence in lines that begin at a column; the first one begins with `start`."""
    line = f"{start:<{column}}{sentence}"
    if width is None:
        return [line]
    return textwrap.wrap(
        line,
        max(width, column + 20),
        subsequent_indent=" " * column,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
