"""The actions of `gateway keys`."""

import argparse
from pathlib import Path

from gateway.api_keys import parse_key_name, parse_scopes
from gateway.arguments.values import reading
from gateway.identity import AccessScope


def add_keys_actions(command: argparse.ArgumentParser) -> None:
    """Adds `create`, `list` and `revoke`, and their options."""
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = actions.add_parser(
        "create", help="add a key to the file, and print it once", allow_abbrev=False
    )
    revoke = actions.add_parser("revoke", help="remove a key from the file", allow_abbrev=False)
    for action in (create, revoke):
        action.add_argument(
            "--name",
            type=reading(parse_key_name),
            required=True,
            help="the name of the client: letters, digits, -, _ and .",
        )
    create.add_argument(
        "--scope",
        dest="scopes",
        type=reading(parse_scopes),
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
