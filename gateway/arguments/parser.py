"""A parser of the command line: the form of its help, and the sentences for mistakes.

`argparse` has no public way to word its errors for choices and options; `Parser` overrides the two
methods that find them.
"""

import argparse
import textwrap
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    SubParsers = argparse._SubParsersAction["Parser"]

WIDTH = 80


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of descriptions, and those of the help of a command."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=24, width=WIDTH)

    def _split_lines(self, text: str, width: int) -> list[str]:
        lines: list[str] = []
        for part in text.split("\n"):
            lines += super()._split_lines(part, width)
        return lines


class Parser(argparse.ArgumentParser):
    """A parser that reports a mistake in one sentence, with the nearest word that it knows."""

    def __init__(self, *, prog: str, description: str = "", epilog: str = "") -> None:
        super().__init__(
            prog,
            description=description,
            epilog=epilog,
            formatter_class=HelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Ends the program with status 2."""
        end = "" if message.endswith("?") else "."
        self.exit(2, f"{self.prog}: {message}{end} `{self.prog} --help` says more.\n")

    def parse_known_args(  # type: ignore[override]  # argparse returns any namespace
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Refuses unknown arguments here, where the options of the command are known."""
        parsed, unknown = super().parse_known_args(args, namespace)
        option = next((text for text in unknown if text.startswith("-")), None)
        if option is not None:
            name = option.partition("=")[0]
            self.error(
                f"there is no option {name}{did_you_mean(name, self._option_string_actions)}"
            )
        if unknown:
            self.error(f"{unknown[0]!r} is one argument too many")
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction) and not vars(parsed)[action.dest]:
                self.error(f"{action.metavar} is missing: one of {', '.join(action.choices)}")
        return parsed, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            close = did_you_mean(str(value), known)
            raise argparse.ArgumentError(action, f"{value!r} is none of {', '.join(known)}{close}")


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Returns the end of a sentence that names the nearest of the known words, or nothing."""
    close = get_close_matches(text, known, n=1)
    return f". Did you mean {close[0]}?" if close else ""


def add_command(
    commands: "SubParsers",
    name: str,
    does: str,
    *,
    store: str = "none",
    text: str = "",
    examples: Sequence[tuple[str, str]],
    read_on: str,
) -> Parser:
    """Adds a command, and its part of every help.

    `does` begins with a verb in lower case, without a period. `store` says how many requests the
    command sends to the store. `text` is a second paragraph. Each example is the end of a command
    line and its meaning. `read_on` names a page.
    """
    sentence = f"{does[0].upper()}{does[1:]}."
    paragraphs = [sentence, text, f"Requests to the store: {store}."]
    command = commands.add_parser(
        name,
        help=f"{does}\nstore requests: {store}",
        description="\n\n".join(filled(paragraph) for paragraph in paragraphs if paragraph),
    )
    command.epilog = epilog(command.prog, examples, read_on)
    return command


def epilog(prog: str, examples: Sequence[tuple[str, str]], read_on: str) -> str:
    """Returns the end of a help: examples, and where to read on."""
    lines = ["examples:"]
    for rest, meaning in examples:
        lines += [f"  # {meaning}", f"  {prog} {rest}".rstrip()]
    return "\n".join([*lines, "", f"Read on: {read_on}"])


def filled(paragraph: str) -> str:
    """Returns a paragraph in lines of the width of a help; lines that are indented stay."""
    return "\n".join(
        line if line.startswith(" ") else textwrap.fill(line, WIDTH - 2)
        for line in paragraph.split("\n")
    )
