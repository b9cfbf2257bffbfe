import subprocess
import sys

import pytest

from gateway.server.open_files import NEEDED, allowed_connections

resource = pytest.importorskip("resource", reason="Windows has no limit of open files")
RAISE = """
import logging, resource, sys
from gateway.server.open_files import raise_open_files
logging.basicConfig(format="%(message)s")
soft, hard = (int(argument) for argument in sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(raise_open_files(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def after(soft: int, hard: int) -> tuple[list[int], str]:
    """Returns what a process with these limits returns, its limits then, and its warnings."""
    done = subprocess.run(
        [sys.executable, "-c", RAISE, str(soft), str(hard)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(word) for word in done.stdout.split()], done.stderr


def test_limit_that_may_be_raised_is_raised_without_a_word() -> None:
    assert after(256, NEEDED + 1) == ([NEEDED, NEEDED, NEEDED + 1], "")
    assert after(NEEDED + 1, NEEDED + 1) == ([NEEDED, NEEDED + 1, NEEDED + 1], "")


def test_limit_that_stays_too_low_is_a_warning() -> None:
    assert after(256, 1024) == (
        [1024, 1024, 1024],
        "a process may open 1024 files here: it accepts 864 connections. "
        "For 2048 raise the limit (ulimit -n) to 2208\n",
    )


@pytest.mark.parametrize(
    ("open_files", "connections"), [(NEEDED, 2048), (NEEDED + 9, 2048), (1024, 864), (64, 2)]
)
def test_connections_leave_room_for_other_files(open_files: int, connections: int) -> None:
    assert allowed_connections(open_files) == connections
