"""The actions of `gateway keys`."""

from pathlib import Path

from gateway.api_keys import parse_key_name, parse_scopes
from gateway.arguments.parser import Parser, add_command
from gateway.arguments.values import reading
from gateway.identity import AccessScope

PAGE = "docs/security.md#api-keys"


def add_keys_actions(command: Parser) -> None:
    """Adds `create`, `list` and `revoke`, and their options."""
    actions = command.add_subparsers(dest="action", metavar="ACTION", title="actions")
    create = add_command(
        actions,
        "create",
        "add a key to the file, and print it once",
        text="The file, which may not exist yet, has the key's hash alone. Running gateways read "
        "it again within seconds.",
        examples=[
            (
                "--name web --scope segments:read --file keys.json",
                "a client that reads segments",
            )
        ],
        read_on=PAGE,
    )
    revoke = add_command(
        actions,
        "revoke",
        "remove a key from the file",
        examples=[("--name web --file keys.json", "the client `web` may ask no more")],
        read_on=PAGE,
    )
    listing = add_command(
        actions,
        "list",
        "print the keys' names and scopes",
        examples=[("--file keys.json", "a line for each key")],
        read_on=PAGE,
    )
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
    for action in (create, revoke, listing):
        action.add_argument(
            "--file", type=Path, required=True, help="the file that GATEWAY_API_KEYS_FILE names"
        )
