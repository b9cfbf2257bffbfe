"""The types of options."""

import argparse
import re
from collections.abc import Callable
from typing import TypeVar

from gateway.arguments.parser import did_you_mean

Value = TypeVar("Value")

NONE_OF = re.compile("'(?P<text>.*)' is none of (?P<known>.*)", re.DOTALL)


def listening_host(text: str) -> str:
    """Refuses an empty host, as of an unset shell variable: it would mean every network."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; 0.0.0.0 listens on every network")
    return text


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Returns the type of an option that is a whole number from `low` to `high`."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return number


def reading(read: Callable[[str], Value]) -> Callable[[str], Value]:
    """Returns the type of an option that `read` parses; its `ValueError` is the message.

    To a message of the form "'x' is none of a, b", the nearest of these is added.
    """

    def value(text: str) -> Value:
        try:
            return read(text)
        except ValueError as error:
            found = NONE_OF.fullmatch(str(error))
            close = did_you_mean(found["text"], found["known"].split(", ")) if found else ""
            raise argparse.ArgumentTypeError(f"{error}{close}") from None

    return value
