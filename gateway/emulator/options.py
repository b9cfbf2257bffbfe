"""Parses faults and latencies on the command line."""

import re

from gateway.emulator.app import Latency
from gateway.emulator.faults import MAXIMUM_SECONDS, Fault, Rule
from gateway.emulator.operation_names import OPERATION_NAMES, OperationName


def read_rule(text: str) -> Rule:
    """Returns the rule in `NAME[=NUMBER][:TIMES][@OPERATION]`, or with `PERCENT%` for `TIMES`.

    Raises `ValueError` with a message for other text.
    """
    text, at, operation = text.partition("@")
    what, colon, often = text.partition(":")
    name, equals, value = what.partition("=")
    if name not in [*Fault]:
        raise ValueError(f"{name!r} is none of {', '.join(Fault)}")
    fault = Fault(name)
    example = {Fault.STATUS: "status=503", Fault.DRIP: "drip=2"}.get(fault)
    if example is None and equals:
        raise ValueError(f"{name} takes no number")
    if example is not None and not equals:
        raise ValueError(f"{name} needs a number, as in {example}")
    is_percent = often.endswith("%")
    return Rule(
        fault,
        status=_whole(value, 400, 599) if fault is Fault.STATUS else None,
        seconds=_decimal(value, MAXIMUM_SECONDS) if fault is Fault.DRIP else None,
        probability=_decimal(often[:-1], 100) / 100 if is_percent else 1.0,
        times=None if is_percent else _whole(often, 1, 1_000_000) if colon else 1,
        operation=read_operation(operation) if at else None,
    )


def read_operation(text: str) -> OperationName:
    """Returns the operation of this name; raises `ValueError` with a message for other text."""
    for name in OPERATION_NAMES:
        if name == text:
            return name
    raise ValueError(f"{text!r} is none of {', '.join(OPERATION_NAMES)}")


def read_latency(text: str) -> Latency:
    """Returns the seconds of `N` or `LOW-HIGH` milliseconds.

    Raises `ValueError` with a message for other text.
    """
    low, dash, high = text.partition("-")
    first = _whole(low, 0, 600_000) / 1000
    if not dash:
        return first
    last = _whole(high, 0, 600_000) / 1000
    if first > last:
        raise ValueError(f"{low} is above {high}: the lower number comes first")
    return first, last


def _whole(text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise ValueError(f"{text!r} is not a whole number from {low} to {high}")
    return int(text)


def _decimal(text: str, high: float) -> float:
    if not (re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) and float(text) <= high):
        raise ValueError(f"{text!r} is not a number from 0 to {high:g}")
    return float(text)
