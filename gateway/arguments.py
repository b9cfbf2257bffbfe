"""The command line: the options of each command."""

import argparse
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Literal, NoReturn, TypeVar

from gateway.api_keys import parse_key_name, parse_scopes
from gateway.emulator import Fault, Latency, Rule
from gateway.emulator.operation_names import OperationName
from gateway.emulator.options import read_latency, read_operation, read_rule
from gateway.emulator.rate_limit_window import LONGEST_WINDOW_MILLISECONDS, WINDOW_MILLISECONDS
from gateway.identity import AccessScope

DISTRIBUTION = "bigcommerce-segments-gateway"

Value = TypeVar("Value")


class Arguments(argparse.Namespace):
    """The parsed options; each command reads its own."""

    command: Literal["serve", "emulator", "schema", "settings", "check", "keys", "demo"]
    host: str
    port: int
    workers: int
    segments: int
    profiles: int
    latency: Latency
    max_limit: int
    over_limit: Literal["clamp", "refuse"]
    past_the_end: Literal["empty", "refuse"]
    token_scope: Literal["store_v2_customers", "store_v2_customers_read_only"]
    dialect: Literal["2025", "2026"]
    profile_segment_rows: Literal["segments", "ids"]
    max_batch: int | None
    forbidden_operations: list[OperationName]
    faults: list[Rule]
    quota: int
    window_ms: int
    control: bool
    api: bool
    json: bool
    action: Literal["create", "list", "revoke"]
    name: str
    scopes: list[AccessScope]
    file: Path


class Parser(argparse.ArgumentParser):
    """A parser that reports a mistake in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Ends the program with status 2."""
        self.exit(2, f"{self.prog}: {message}. `{self.prog} --help` says more.\n")


def create_parser() -> Parser:
    """Returns the parser of the whole command line."""
    parser = Parser(
        prog="gateway",
        description="A GraphQL gateway in front of BigCommerce's Customer Segmentation API.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version(DISTRIBUTION)}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    command = commands.add_parser("serve", help="serve the graph over HTTP", allow_abbrev=False)
    _add_address(command, 8000)
    command.add_argument(
        "--workers", type=_number(1, 64), default=1, metavar="N", help="processes (default 1)"
    )

    command = commands.add_parser(
        "emulator", help="serve an emulated store, for a gateway in front of it", allow_abbrev=False
    )
    _add_address(command, 8001)
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
            type=_number(low, high),
            default=default,
            metavar="N",
            help=f"{text} (default {default})",
        )
    command.add_argument(
        "--latency-ms",
        dest="latency",
        type=_reading(read_latency),
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
        help="what the token may do: all (default), or read all but the members of segments",
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
        type=_number(1, 1_000_000),
        metavar="N",
        help="the largest number of items in a write; more get 413 (default: any number)",
    )
    command.add_argument(
        "--forbid",
        dest="forbidden_operations",
        type=_reading(read_operation),
        action="append",
        default=[],
        metavar="OPERATION",
        help="answer this operation with 403; may be repeated",
    )
    command.add_argument(
        "--fault",
        dest="faults",
        type=_reading(read_rule),
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

    command = commands.add_parser(
        "schema", help="print the subgraph's schema, for composers", allow_abbrev=False
    )
    command.add_argument(
        "--api", action="store_true", help="the schema that clients see, without directives"
    )
    commands.add_parser("settings", help="print every setting with its value and meaning")
    command = commands.add_parser(
        "check",
        help="read the store, and report what the token may do; writes nothing to it",
        allow_abbrev=False,
    )
    command.add_argument("--json", action="store_true", help="the report as one JSON object")
    _add_keys(commands.add_parser("keys", help="make, list and revoke the API keys of clients"))
    text = "do the same tasks by REST and through the gateway, and count what they cost the store"
    commands.add_parser(
        "demo",
        help=text,
        description=f"{text[0].upper()}{text[1:]}. The stores are emulated, on free ports of this "
        "machine: your own store gets no request, and no setting is read. Takes half a minute.",
        allow_abbrev=False,
    )
    return parser


def _add_keys(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = actions.add_parser(
        "create", help="add a key to the file, and print it once", allow_abbrev=False
    )
    revoke = actions.add_parser("revoke", help="remove a key from the file", allow_abbrev=False)
    for action in (create, revoke):
        action.add_argument(
            "--name",
            type=_reading(parse_key_name),
            required=True,
            help="the name of the client: letters, digits, -, _ and .",
        )
    create.add_argument(
        "--scope",
        dest="scopes",
        type=_reading(parse_scopes),
        required=True,
        metavar="SCOPE[,SCOPE]",
        help=f"what the client may do: {', '.join(AccessScope)}",
    )
    for action in (
        create,
        revoke,
        actions.add_parser("list", help="print the keys' names and scopes", allow_abbrev=False),
    ):
        action.add_argument(
            "--file", type=Path, required=True, help="the file that GATEWAY_API_KEYS_FILE names"
        )


def _add_address(command: argparse.ArgumentParser, port: int) -> None:
    command.add_argument(
        "--host",
        type=_host,
        default="127.0.0.1",
        help="address to listen on (default 127.0.0.1, this machine; 0.0.0.0 is every network by "
        "IPv4, :: by IPv6 too)",
    )
    command.add_argument(
        "--port",
        type=_number(0, 65535),
        default=port,
        metavar="N",
        help=f"port to listen on; 0 takes a free one (default {port})",
    )


def _host(text: str) -> str:
    """Refuses an empty host, as of an unset shell variable: it would mean every network."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; 0.0.0.0 listens on every network")
    return text


def _number(low: int, high: int) -> Callable[[str], int]:
    """Returns the type of an option that is a whole number from `low` to `high`."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return number


def _reading(read: Callable[[str], Value]) -> Callable[[str], Value]:
    """Returns the type of an option that `read` parses; its `ValueError` is the message."""

    def value(text: str) -> Value:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return value
