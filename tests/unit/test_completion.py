"""The scripts of `gateway completion`, in the shells that they are for."""

import os
import pty
import re
import select
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from gateway.cli import main

PATIENCE_SECONDS = 30.0
BASH = """
source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
_shtab_gateway 2>/dev/null  # compopt works in a completion alone
printf '%s\\n' "${COMPREPLY[@]}"
"""

Complete = Callable[[Path, str], set[str]]


def bash(folder: Path, line: str) -> set[str]:
    words = line.split(" ")
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH, "bash", str(folder / "bash"), *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return {word for word in done.stdout.splitlines() if word}


def fish(folder: Path, line: str) -> set[str]:
    script = f"source {folder / 'fish'}; complete -C '{line}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return {word.partition("\t")[0] for word in done.stdout.splitlines()}


def zsh(folder: Path, line: str) -> set[str]:
    """Types the line and Ctrl-D in a terminal: zsh completes only while it edits a line."""
    functions = folder / "functions"
    functions.mkdir(exist_ok=True)
    shutil.copy(folder / "zsh", functions / "_gateway")
    ours, its = pty.openpty()
    shell = subprocess.Popen(
        ["zsh", "-f", "-i"],
        stdin=its,
        stdout=its,
        stderr=its,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb"},
        start_new_session=True,
    )
    os.close(its)

    def typed(keys: str, last: str) -> str:
        """What the terminal shows until this pattern."""
        os.write(ours, keys.encode())
        shown, deadline = "", monotonic() + PATIENCE_SECONDS
        while not re.search(last, shown, re.DOTALL) and monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                shown += os.read(ours, 65536).decode()
        return shown

    try:
        start = f"PS1=; fpath=({functions} $fpath); autoload -Uz compinit; compinit -D -u"
        typed(f"{start}; echo rea''dy\n", r"ready.*\x1b\[\?2004h")  # it edits a line
        listed = typed(f"{line}\x04\x15echo do''ne\n", "done").partition("\r\r\n")[2]
        rows = listed.partition("\r\ngateway")[0].split("\r\n")
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)
    # A row is `word -- meaning`, or words alone.
    return {word for row in rows for word in re.split(r"\s+--\s.*|\s+", row) if word}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three scripts, a file of keys, and a folder whose name begins in the same way."""
    folder = tmp_path_factory.mktemp("completion")
    (folder / "keys.json").touch()
    (folder / "keys.d").mkdir()
    return folder


@pytest.mark.parametrize("complete", [bash, zsh, fish], ids=["bash", "zsh", "fish"])
def test_shell_completes_commands_options_choices_and_files(
    complete: Complete, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = complete.__name__
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed: on Debian, apt-get install {name}")
    assert main(["completion", name]) == 0
    (folder / name).write_text(capsys.readouterr().out, encoding="utf-8")
    assert complete(folder, "gateway se") == {"serve", "settings"}
    assert complete(folder, "gateway keys ") == {"create", "list", "revoke"}
    assert complete(folder, "gateway emulator --p") == {
        "--port",
        "--profiles",
        "--past-the-end",
        "--profile-segment-rows",
    }
    assert complete(folder, "gateway emulator --over-limit ") == {"clamp", "refuse"}
    assert complete(folder, "gateway completion ") == {"bash", "zsh", "fish"}
    files = complete(folder, "gateway keys list --file key")
    assert {file.rstrip("/") for file in files} == {"keys.json", "keys.d"}


def test_a_shell_that_is_not_known_is_refused_with_those_that_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["completion", "tcsh"])
    assert caught.value.code == 2
    assert capsys.readouterr().err == (
        "gateway completion: argument SHELL: 'tcsh' is none of bash, zsh, fish. "
        "`gateway completion --help` says more.\n"
    )
