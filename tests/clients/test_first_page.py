"""The sections "…, from an empty folder" of docs/clients.md, followed word by word in one.

Only what takes long or is fixed is another: a line that installs packages is left out, and those of
the client's app or of this environment are there in their place; port 8000 is that of a gateway.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from npm_tools import needs
from processes import emulator_on_a_port, gateway_over

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^## ([^\n]+), from an empty folder\n(.*?)(?=^## )", re.M | re.S)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)
FILE_NAME = re.compile(r"(?://|#|<!--) ([\w./-]+)")
INSTALL = re.compile(r"^(npm|pip) install (.+)\n", re.M)
MOST_LINES = 19


def app_of(client: str) -> Path:
    """The folder of a client's app, which has its packages."""
    return ROOT / "examples" / "clients" / client.split()[0].lower()


CLIENTS = [
    pytest.param(
        text, app_of(client), id=client, marks=needs(app_of(client)) if "npm " in text else []
    )
    for client, text in SECTION.findall(PAGE)
]


def test_each_client_has_its_section() -> None:
    assert [param.id for param in CLIENTS] == ["Apollo Client", "urql", "Relay", "gql"]


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    with emulator_on_a_port(120) as (upstream, _), gateway_over(upstream) as url:
        yield url


def without_installs(shell: str, app: Path) -> str:
    """The commands without those that install; checks that what these install is there."""
    for tool, names in INSTALL.findall(shell):
        for name in shlex.split(names):
            if tool == "npm" and not name.startswith("-"):
                assert (app / "node_modules" / name / "package.json").is_file()
            elif tool == "pip":
                assert version(name.partition("[")[0])
    return INSTALL.sub("", shell)


def run(shell: str, folder: Path) -> str:
    """What the commands print, run one after another as in a terminal."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-c", shell],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("text", "app"), CLIENTS)
def test_empty_folder_becomes_a_page_of_segments(
    text: str, app: Path, gateway: str, tmp_path: Path
) -> None:
    if (app / "node_modules").is_dir():
        (tmp_path / "node_modules").symlink_to(app / "node_modules")
    printed = ""
    lines = 0
    shown = []
    for language, block in BLOCK.findall(text):
        code = block.replace("http://127.0.0.1:8000", gateway)
        if language == "text":
            shown.append(printed.endswith(block))
            continue
        lines += sum(bool(line.strip()) for line in block.splitlines())
        if language == "sh":
            printed = run(without_installs(code, app), tmp_path)
        else:
            named = FILE_NAME.match(code)
            assert named, f"the first line of a file is a comment with its name: {block}"
            lines -= 1
            (tmp_path / named[1]).write_text(code, encoding="utf-8")
    assert shown == [True], printed
    assert lines <= MOST_LINES
