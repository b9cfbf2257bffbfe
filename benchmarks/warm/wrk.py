"""The load: wrk with one thread, 16 connections, and a script for each kind of request."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from time import time

from benchmarks.warm.works import Rows, Work

CONNECTIONS = 16
INSTALL = (
    "The load comes from wrk, which is not installed: `apt install wrk` on Debian and Ubuntu, "
    "`brew install wrk` on macOS, or https://github.com/wg/wrk."
)
RATE = re.compile(r"^ +(\d+) requests in .*^Requests/sec: +([\d.]+)$", re.MULTILINE | re.DOTALL)
FAILED = re.compile(r"^ +(?:Non-2xx|Socket errors).*$", re.MULTILINE)
# The first argument is a number that no other run has: it seeds the random choice, and makes the
# numbers of the requests. Pieces at even places are the names of holes.
SCRIPT = """\
local rows = {{ id = {{{ids}}}, cursor = {{{cursors}}} }}
local pieces = {{{pieces}}}
local head, number = "", 0
local random = math.random

function init(args)
  math.randomseed(tonumber(args[1]))
  number = tonumber(args[1]) * 1000000
  head = "{method} " .. wrk.path .. {query_string} .. " HTTP/1.1\\r\\nHost: " .. wrk.headers["Host"]
    .. "\\r\\n" .. {headers}
end

function request()
  local body = {{}}
  for at = 1, #pieces do
    local piece = pieces[at]
    if at % 2 == 1 then
      body[at] = piece
    elseif piece == "number" then
      number = number + 1
      body[at] = string.format("%.0f", number)
    else
      local choice = rows[piece]
      body[at] = choice[random(#choice)]
    end
  end
  local text = table.concat(body)
  if #text == 0 then return head .. "\\r\\n" end
  return head .. "Content-Length: " .. #text .. "\\r\\n\\r\\n" .. text
end
"""


class LoadFailed(Exception):
    """wrk did not run, or some answers were errors; the message has its output."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk has sent."""

    requests: int
    a_second: float


def is_installed() -> bool:
    """Returns whether wrk is there."""
    return which("wrk") is not None


def headers_of(work: Work, etag: str | None = None) -> dict[str, str]:
    """Returns the request headers of a kind of request."""
    headers = {"Accept": "application/json"}
    if not work.is_get:
        headers["Content-Type"] = "application/json"
    elif etag:
        headers["If-None-Match"] = etag
    return headers


def script(work: Work, rows: Rows, headers: Mapping[str, str]) -> str:
    """Returns the Lua script that sends this kind of request."""
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return SCRIPT.format(
        ids=",".join(map(_quoted, rows.ids)),
        cursors=",".join(map(_quoted, rows.cursors)),
        pieces=",".join(map(_quoted, work.pieces)),
        method="GET" if work.is_get else "POST",
        query_string=_quoted(work.query_string),
        headers=_quoted(head),
    )


def put_load(script_path: Path, url: str, seconds: int, core: int | None) -> Load:
    """Runs a script against a URL. Raises `LoadFailed`."""
    options = ("-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s")
    command = ("wrk", *options, "-s", str(script_path), url, "--", f"{time():.0f}")
    with on_core(core):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return load_of(done.stdout + done.stderr)


def load_of(output: str) -> Load:
    """Returns what wrk's output says; raises `LoadFailed` if any request has failed."""
    found = RATE.search(output)
    if not found or FAILED.search(output):
        raise LoadFailed(output.strip())
    return Load(int(found[1]), float(found[2]))


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Pins this thread, and the processes that it starts, to a core; None pins nothing."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cores() -> tuple[int | None, int | None]:
    """Returns the cores of the server and of the load; None where they cannot be apart."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[-1]) if len(usable) > 1 else (None, None)


def _quoted(text: str) -> str:
    """Returns text as a string of Lua."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\r", "\\r").replace("\n", "\\n") + '"'
