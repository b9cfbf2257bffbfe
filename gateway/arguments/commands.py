"""Every command with its options."""

import argparse
from importlib.metadata import version

from gateway.arguments.emulator import add_emulator_options
from gateway.arguments.keys import add_keys_actions
from gateway.arguments.parser import Parser, add_command, epilog
from gateway.arguments.values import listening_host, whole_number

DISTRIBUTION = "bigcommerce-segments-gateway"
SHELLS = ("bash", "zsh", "fish")


def create_parser() -> Parser:
    """Returns the parser of the whole command line."""
    parser = Parser(
        prog="gateway",
        description="A GraphQL gateway in front of BigCommerce's Customer Segmentation API.\n"
        "Settings are environment variables: `gateway settings` prints them.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version(DISTRIBUTION)}")
    parser.epilog = epilog(
        "gateway",
        [
            ("serve", "try it: without settings it serves an emulated store"),
            ("check", "is everything right? Reads the store, with what to do"),
            ("serve --help", "what a command does, costs and takes"),
        ],
        "README.md, and docs/deployment.md for the exit statuses",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    command = add_command(
        commands,
        "serve",
        "serve the graph over HTTP",
        store="none at the start, then those of docs/requests.md",
        text="Without GATEWAY_STORE_HASH and GATEWAY_ACCESS_TOKEN it serves an emulated store "
        "inside the process.",
        examples=[
            ("", "on this machine: http://127.0.0.1:8000/graphql"),
            ("--host 0.0.0.0 --workers 4", "on every network, by four processes"),
        ],
        read_on="docs/deployment.md, docs/settings.md",
    )
    _add_address(command, 8000)
    command.add_argument(
        "--workers", type=whole_number(1, 64), default=1, metavar="N", help="processes (default 1)"
    )

    command = add_command(
        commands,
        "emulator",
        "serve an emulated store, for a gateway in front of it",
        store="none: it is a store of its own",
        text="Prints the settings with which a gateway reads it.",
        examples=[
            ("--segments 1000 --latency-ms 80-300", "a large store that answers slowly"),
            ("--fault status=503:20%", "a store that fails one request in five"),
        ],
        read_on="docs/emulator.md",
    )
    _add_address(command, 8001)
    add_emulator_options(command)

    command = add_command(
        commands,
        "schema",
        "print the subgraph's schema, for composers",
        examples=[
            ("> schema.graphql", "the subgraph, for rover or wgc"),
            ("--api > api.graphql", "the schema for clients and their code generators"),
        ],
        read_on="docs/federation.md, docs/clients.md",
    )
    command.add_argument(
        "--api", action="store_true", help="the schema that clients see, without directives"
    )

    add_command(
        commands,
        "settings",
        "print every setting with its value and meaning",
        text="Secrets are masked. Wrong settings get a line each, and status 2.",
        examples=[("| grep CACHE", "the settings of the cache")],
        read_on="docs/settings.md",
    )

    command = add_command(
        commands,
        "check",
        "check settings, store, token and Redis, and say what to do",
        store="at least 1, usually 7, all reads",
        text="Writes nothing to the store. To Redis, if it is set, it writes one key that expires "
        "after a second. Status 0 is well, 1 has a problem, 2 are wrong settings.",
        examples=[
            ("", "before the first start, and after a change of the token"),
            ("--json | jq .problems", "for a program"),
        ],
        read_on="docs/check.md",
    )
    command.add_argument("--json", action="store_true", help="the report as one JSON object")

    command = add_command(
        commands,
        "keys",
        "make, list and revoke the API keys of clients",
        examples=[
            (
                "create --name web --scope segments:read --file keys.json",
                "a key for a client that reads segments",
            ),
            ("list --file keys.json", "names, ages and scopes; keys are not stored"),
        ],
        read_on="docs/security.md#api-keys",
    )
    add_keys_actions(command)

    add_command(
        commands,
        "demo",
        "do the same tasks by REST and through the gateway, side by side",
        store="none: it starts an emulated store of its own",
        text="The stores are on free ports of this machine, and no setting is read. Takes half a "
        "minute.",
        examples=[("", "watch what the gateway saves")],
        read_on="docs/demo.md",
    )

    command = add_command(
        commands,
        "completion",
        "print a script that completes this command line in a shell",
        text=(
            "Where a new shell finds it (make the folder first: mkdir -p):\n"
            "  bash  ~/.local/share/bash-completion/completions/gateway\n"
            "        (needs the package bash-completion)\n"
            "  zsh   ~/.zfunc/_gateway\n"
            "        (with fpath+=~/.zfunc before compinit in ~/.zshrc)\n"
            "  fish  ~/.config/fish/completions/gateway.fish"
        ),
        examples=[
            ("zsh > ~/.zfunc/_gateway", "for every zsh that starts later"),
            ("bash > /tmp/gateway && source /tmp/gateway", "for this bash alone"),
        ],
        read_on="docs/deployment.md#completion-in-the-shell",
    )
    command.add_argument("shell", choices=SHELLS, help="the shell: %(choices)s", metavar="SHELL")
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
