"""Every command with its options."""

import argparse
from importlib.metadata import version

from gateway.arguments.emulator import add_emulator_options
from gateway.arguments.keys import add_keys_actions
from gateway.arguments.parser import Parser
from gateway.arguments.values import listening_host, whole_number

DISTRIBUTION = "bigcommerce-segments-gateway"


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
        "--workers", type=whole_number(1, 64), default=1, metavar="N", help="processes (default 1)"
    )

    command = commands.add_parser(
        "emulator", help="serve an emulated store, for a gateway in front of it", allow_abbrev=False
    )
    _add_address(command, 8001)
    add_emulator_options(command)

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
    add_keys_actions(
        commands.add_parser("keys", help="make, list and revoke the API keys of clients")
    )
    return parser


def _add_address(command: argparse.ArgumentParser, port: int) -> None:
    command.add_argument(
        "--host",
        type=listening_host,
        default="127.0.0.1",
        help="address to listen on (default 127.0.0.1, this machine; 0.0.0.0 is every network by "
        "IPv4, :: by IPv6 too)",
    )
    command.add_argument(
        "--port",
        type=whole_number(0, 65535),
        default=port,
        metavar="N",
        help=f"port to listen on; 0 takes a free one (default {port})",
    )
