"""The Makefile on a machine without Node.js."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("make") is None, reason="There is no make on this machine.")
@pytest.mark.parametrize(
    ("is_built", "said"),
    [
        (True, ""),
        (False, "GraphiQL is not built: that needs Node.js 20.19 or newer with npm.\n"),
    ],
)
def test_without_node_a_page_that_is_built_is_used(
    is_built: bool, said: str, tmp_path: Path
) -> None:
    page = tmp_path / "index.html"
    if is_built:
        page.touch()
    done = subprocess.run(
        ["make", "graphiql-if-possible", "HAS_NODE=false", f"GRAPHIQL={page}"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},  # not the variables of a make that runs the tests
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == (said, "")
