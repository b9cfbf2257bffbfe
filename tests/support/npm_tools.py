"""Tools of npm's that `make test` installs where Node.js is; what needs one skips elsewhere."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def needs(folder: Path) -> list[pytest.MarkDecorator]:
    """Skips where Node.js or what the folder's lock file names is not installed."""
    return [
        pytest.mark.npm,
        pytest.mark.skipif(shutil.which("node") is None, reason="This needs Node.js 20 or newer."),
        pytest.mark.skipif(
            not (folder / "node_modules").is_dir(),
            reason=f"Run `npm ci` in {folder.relative_to(ROOT)} to install what this needs.",
        ),
    ]


def answer_of(script: Path, question: object) -> bytes:
    """What the script prints for a question, which it reads as JSON on its standard input."""
    run = subprocess.run(
        ["node", script],
        input=json.dumps(question).encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout
