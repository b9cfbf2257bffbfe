"""The gateway that fuzzing asks: a real process, whose every answer is checked."""

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import parse_headers
from pathlib import Path
from time import monotonic
from typing import TypeVar

import msgspec
from hypothesis import HealthCheck, Phase, settings
from processes import EMULATOR_TOKEN, controlled_emulator
from running import Running

from gateway.errors import ErrorCode

# Of all fuzz tests together: `make fuzz` sets more, with a seed of its own each time.
SHORT = "FUZZ_CASES" not in os.environ
CASES = int(os.environ.get("FUZZ_CASES", "500"))
REQUEST_TIMEOUT_SECONDS = 2.0
ALLOWED_SECONDS = REQUEST_TIMEOUT_SECONDS + 1
ALLOWED_BYTES = 400 * 1024**2
# A message that is incomplete gets no answer until its connection ends.
SILENCE_SECONDS = 0.05
PYTHON = re.compile(r"Traceback| object at 0x|<class '|\bNoneType\b|File \"/")

Test = TypeVar("Test", bound=Callable[..., object])


def fuzz(part: float) -> Callable[[Test], Test]:
    """Gives a test this part of all cases; the short run has the same ones each time."""
    return settings(
        max_examples=max(5, int(CASES * part)),
        derandomize=SHORT,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


class Target:
    """A gateway over an emulated store, and a connection to it that is kept.

    Each answer is checked: not status 500, no masked error, a code for every error, no word of
    Python, and in time. So are the log and the memory of the process.
    """

    def __init__(self, gateway: Running) -> None:
        self._gateway = gateway
        self._address = ("127.0.0.1", gateway.port)
        self._lines_seen = 0
        self._connection: socket.socket | None = None

    def ask(self, head: bytes, body: bytes = b"") -> tuple[int, object]:
        """Returns status and JSON of the answer to a request; adds the last headers to its head."""
        sent = head + b"Host: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        began = monotonic()
        if self._connection is None:
            self._connection = socket.create_connection(self._address, ALLOWED_SECONDS)
        self._connection.sendall(sent)
        with self._connection.makefile("rb") as stream:
            first = stream.readline()
            assert first, "the connection was closed without an answer"
            headers = parse_headers(stream)
            content = stream.read(int(headers["Content-Length"]))
        if headers["Connection"] == "close":
            self.close()
        self._check(first + b"\r\n" + content, monotonic() - began)
        is_json = "json" in headers.get_content_type()
        return int(first.split()[1]), msgspec.json.decode(content) if is_json else None

    def throw(self, *pieces: bytes) -> bytes:
        """Returns all that comes back on a connection of its own, before it is closed."""
        began = monotonic()
        received = b""
        with closing(socket.create_connection(self._address, ALLOWED_SECONDS)) as connection:
            try:
                for piece in pieces:
                    connection.sendall(piece)
                connection.settimeout(SILENCE_SECONDS)
                try:
                    while more := connection.recv(65536):
                        received += more
                except TimeoutError:
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(ALLOWED_SECONDS)
                    while more := connection.recv(65536):
                        received += more
            except ConnectionError:
                pass  # it may be reset where what was sent is not read to its end
        self._check(received, monotonic() - began)
        return received

    def check_process(self) -> None:
        """Checks that the process lives, answers, has logged no stack, and is small."""
        assert self._gateway.is_running
        status, _ = self.ask(b"GET /health/live HTTP/1.1\r\n")
        assert status == 200
        assert self._memory() < ALLOWED_BYTES
        self._check_log()

    def close(self) -> None:
        """Closes the kept connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _check(self, received: bytes, seconds: float) -> None:
        assert seconds < ALLOWED_SECONDS
        if b"INTERNAL_SERVER_ERROR" in received:  # its stack is logged for this case, not the next
            self._gateway.wait_for_line("Traceback")
            self._lines_seen = len(self._gateway.lines)
        for answer in re.split(rb"^(?=HTTP/1\.1 \d)", received, flags=re.MULTILINE):
            _check_answer(answer)
        self._check_log()

    def _check_log(self) -> None:
        lines = self._gateway.lines
        new = "".join(lines[self._lines_seen :])
        self._lines_seen = len(lines)
        assert "Traceback" not in new, new

    def _memory(self) -> int:
        """Returns the bytes of memory that the process has."""
        status = Path(f"/proc/{self._gateway.process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def _check_answer(answer: bytes) -> None:
    assert not answer.startswith(b"HTTP/1.1 500"), answer
    content = answer.partition(b"\r\n\r\n")[2]
    if not content.startswith(b'{"errors"') and b'"errors":' not in content:
        return
    try:
        errors = msgspec.json.decode(content)["errors"]
    except msgspec.DecodeError:
        return  # not JSON, or cut off with its connection
    for error in errors:
        code = ErrorCode(error["extensions"]["code"])
        assert code is not ErrorCode.INTERNAL_SERVER_ERROR, error
        assert not PYTHON.search(error["message"]), error


@contextmanager
def fuzz_target(**settings: str) -> Iterator[Target]:
    """Yields a gateway in a process of its own; `settings` are variables without their prefix."""
    with controlled_emulator("--quota", "100000000") as store:
        gateway = Running(
            "serve",
            GATEWAY_STORE_HASH="emulator",
            GATEWAY_ACCESS_TOKEN=EMULATOR_TOKEN,
            GATEWAY_UPSTREAM_URL=store,
            GATEWAY_REQUEST_TIMEOUT_SECONDS=str(REQUEST_TIMEOUT_SECONDS),
            **{f"GATEWAY_{name}": value for name, value in settings.items()},
        )
        try:
            target = Target(gateway)
            target.check_process()
            yield target
            target.check_process()
            target.close()
            gateway.stop()
        finally:
            gateway.kill()
