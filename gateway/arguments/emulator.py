"""The options of `gateway emulator`."""

import argparse

from gateway.arguments.values import reading, whole_number
from gateway.emulator import Fault
from gateway.emulator.options import read_latency, read_operation, read_rule
from gateway.emulator.rate_limit_window import LONGEST_WINDOW_MILLISECONDS, WINDOW_MILLISECONDS


def add_emulator_options(command: argparse.ArgumentParser) -> None:
    """Adds the options for the store's contents, its limits and its faults."""
    for option, low, high, default, text in (
        ("--segments", 0, 1000, 120, "segments in the store"),
        ("--profiles", 0, 250_000, 20_000, "shopper profiles in the store"),
        ("--max-limit", 1, 250, 250, "the largest page"),
        ("--quota", 0, 1_000_000_000, 150, "requests in a window"),
        (
            "--window-ms",
            1,
            LONGEST_WINDOW_MILLISECONDS,
            WINDOW_MILLISECONDS,
            "length of a window in milliseconds",
        ),
    ):
        command.add_argument(
            option,
            type=whole_number(low, high),
            default=default,
            metavar="N",
            help=f"{text} (default {default})",
        )
    command.add_argument(
        "--latency-ms",
        dest="latency",
        type=reading(read_latency),
        default=0.0,
        metavar="N|LOW-HIGH",
        help="how long each answer takes, in milliseconds; LOW-HIGH draws for each (default 0)",
    )
    command.add_argument(
        "--over-limit",
        choices=("clamp", "refuse"),
        default="clamp",
        help="the answer to a larger limit: a smaller page (default), or 422",
    )
    command.add_argument(
        "--past-the-end",
        choices=("empty", "refuse"),
        default="empty",
        help="the answer to a page past the end: an empty one (default), or 422",
    )
    command.add_argument(
        "--token-scope",
        choices=("store_v2_customers", "store_v2_customers_read_only"),
        default="store_v2_customers",
        metavar="SCOPE",
        help="what the token may do: all (store_v2_customers, the default), or read all but the "
        "members of segments (store_v2_customers_read_only)",
    )
    command.add_argument(
        "--dialect",
        choices=("2025", "2026"),
        default="2026",
        help="the answers to writes: as published in 2025, or in 2026, with partial success "
        "(default 2026)",
    )
    command.add_argument(
        "--profile-segment-rows",
        choices=("segments", "ids"),
        default="segments",
        help="the list of a profile's segments: whole segments (default), or their ids alone",
    )
    command.add_argument(
        "--max-batch",
        type=whole_number(1, 1_000_000),
        metavar="N",
        help="the largest number of items in a write; more get 413 (default: any number)",
    )
    command.add_argument(
        "--forbid",
        dest="forbidden_operations",
        type=reading(read_operation),
        action="append",
        default=[],
        metavar="OPERATION",
        help="answer this operation with 403; may be repeated",
    )
    command.add_argument(
        "--fault",
        dest="faults",
        type=reading(read_rule),
        action="append",
        default=[],
        metavar="NAME[=NUMBER][:OFTEN][@OPERATION]",
        help="fail the first requests, or those of OPERATION, in this way: once, OFTEN times, or, "
        "as in 20%%, that part of all; may be repeated, for requests that no fault before it "
        "applies to. status takes a "
        f"number from 400 to 599, drip takes seconds: {', '.join(Fault)}",
    )
    command.add_argument(
        "--control",
        action="store_true",
        help="answer /_emulator/... too, to change faults and behaviour while it runs",
    )
