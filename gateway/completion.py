"""Scripts that complete the command line in a shell."""

import argparse
from pathlib import Path
from typing import Literal


def completion_script(
    parser: argparse.ArgumentParser, shell: Literal["bash", "zsh", "fish"]
) -> str:
    """Returns the script: commands, options, choices, and files for each option with a path."""
    # Here, because no other command needs it.
    import shtab

    _complete_files(parser, shtab.FILE)
    return shtab.complete(parser, shell)


def _complete_files(parser: argparse.ArgumentParser, files: object) -> None:
    """Sets shtab's attribute of the options that are paths, in every command."""
    for action in parser._actions:
        if action.type is Path:
            action.complete = files  # type: ignore[attr-defined]
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _complete_files(command, files)
