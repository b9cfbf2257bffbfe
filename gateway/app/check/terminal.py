"""The report on a terminal: wrapped to its width, and in colours where it has them."""

import os
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from gateway.app.check.report import CheckReport

STYLES = {"+ ": "green", "! ": "yellow", "x ": "bold red", "- ": "dim"}
TITLE_STYLE = "bold"
# The width of the sign and the state of a line.
MARK = 11


def report_for(stream: TextIO, report: "CheckReport") -> str:
    """Returns the text for a stream: plain unless it is a terminal.

    `NO_COLOR`, `TERM=dumb` and `FORCE_COLOR` have their usual meanings.
    """
    if not (stream.isatty() or os.environ.get("FORCE_COLOR")):
        return report.as_text()
    # Here, because only a terminal needs it.
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream)
    plain = report.as_text(console.width if stream.isatty() else None)
    if console.no_color or console.color_system is None:
        return plain
    coloured = Text()
    for line in plain.split("\n"):
        style = STYLES.get(line[:2], "")
        is_title = bool(line) and line[0].isupper() and not line.endswith(".")
        coloured.append(line[:MARK], TITLE_STYLE if is_title else style)
        coloured.append(line[MARK:], TITLE_STYLE if is_title else "")
        coloured.append("\n")
    with console.capture() as captured:
        console.print(coloured, end="", soft_wrap=True)
    return captured.get().removesuffix("\n")
