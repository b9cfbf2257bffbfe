"""Every `--help`, and the sentences for mistakes in the command line."""

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.arguments import create_parser

ROOT = Path(__file__).parents[3]
COST = re.compile(r"^Requests to the store: (.+)\.$", re.MULTILINE)


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser, and those of all commands below it."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from parsers(command)


ROOT_PARSER, *COMMANDS = parsers(create_parser())


def test_help_of_each_command_says_what_it_costs_the_store() -> None:
    costs = {parser.prog: COST.findall(parser.format_help()) for parser in COMMANDS}
    free = ("schema", "settings", "keys", "keys create", "keys revoke", "keys list", "completion")
    assert costs == {f"gateway {name}": ["none"] for name in free} | {
        "gateway serve": ["none at the start, then those of docs/requests.md"],
        "gateway emulator": ["none: it is a store of its own"],
        "gateway check": ["at least 1, usually 7, all reads"],
        "gateway demo": ["none: it starts an emulated store of its own"],
    }


def test_the_list_of_commands_has_what_each_costs() -> None:
    listed = " ".join(ROOT_PARSER.format_help().split())
    assert "check settings, store, token and Redis, and say what to do store requests: at" in listed
    assert listed.count("store requests: ") == 8


def test_every_help_fits_a_terminal_of_80_columns() -> None:
    lines = [
        line for parser in parsers(create_parser()) for line in parser.format_help().split("\n")
    ]
    assert [line for line in lines if len(line) > 80] == []


def test_every_help_has_examples_that_are_understood_and_pages_that_exist() -> None:
    for parser in parsers(create_parser()):
        text = parser.format_help()
        examples = re.findall(r"^  gateway(.*)$", text.partition("\nexamples:")[2], re.MULTILINE)
        assert examples, parser.prog
        for example in examples:
            command = re.split(r" [>|&]", example)[0]
            if "--help" not in command:
                create_parser().parse_args(shlex.split(command))
        pages = re.findall(r"[\w/]+\.md", text.partition("\nRead on:")[2])
        assert pages, parser.prog
        assert [page for page in pages if not (ROOT / page).is_file()] == []


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "sevre",
            "gateway: argument COMMAND: 'sevre' is none of serve, emulator, schema, settings, "
            "check, keys, demo, completion. Did you mean serve? `gateway --help` says more.",
        ),
        (
            "",
            "gateway: COMMAND is missing: one of serve, emulator, schema, settings, check, keys, "
            "demo, completion. `gateway --help` says more.",
        ),
        (
            "keys",
            "gateway keys: ACTION is missing: one of create, revoke, list. "
            "`gateway keys --help` says more.",
        ),
        (
            "keys creat",
            "gateway keys: argument ACTION: 'creat' is none of create, revoke, list. "
            "Did you mean create? `gateway keys --help` says more.",
        ),
        (
            "serve --worker=2",
            "gateway serve: there is no option --worker. Did you mean --workers? "
            "`gateway serve --help` says more.",
        ),
        (
            "check -v",
            "gateway check: there is no option -v. `gateway check --help` says more.",
        ),
        (
            "--verison",
            "gateway: there is no option --verison. Did you mean --version? "
            "`gateway --help` says more.",
        ),
        (
            "schema api",
            "gateway schema: 'api' is one argument too many. `gateway schema --help` says more.",
        ),
        (
            "emulator --dialect 2024",
            "gateway emulator: argument --dialect: '2024' is none of 2025, 2026. "
            "Did you mean 2026? `gateway emulator --help` says more.",
        ),
        (
            "keys list",
            "gateway keys list: the following arguments are required: --file. "
            "`gateway keys list --help` says more.",
        ),
    ],
)
def test_a_mistake_names_the_nearest_word_and_the_next_step(
    line: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        create_parser().parse_args(line.split())
    assert caught.value.code == 2
    assert capsys.readouterr() == ("", f"{sentence}\n")
