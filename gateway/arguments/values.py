"""The types of options."""

import argparse
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


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
    """Returns the type of an option that `read` parses; its `ValueError` is the message."""

    def value(text: str) -> Value:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return value
