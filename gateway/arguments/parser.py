"""A parser of the command line: its errors."""

import argparse
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """A parser that reports a mistake in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Ends the program with status 2."""
        self.exit(2, f"{self.prog}: {message}. `{self.prog} --help` says more.\n")
