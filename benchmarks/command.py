"""A command as a process of its own: the one helper of tests and benchmarks.

It is here because `python -m benchmarks.chaos` does not see tests/support, and tests see both.
"""

import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Condition, Thread
from typing import IO

PATIENCE_SECONDS = 30.0


class Lines:
    """The lines of a pipe, read by a thread as they come, and appended to the file `log`."""

    def __init__(self, pipe: IO[str], log: Path | None = None) -> None:
        self.lines: list[str] = []
        self._pipe = pipe
        self._log = log
        self._searched = 0
        self._has_ended = False
        self._changed = Condition()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, part: str = "") -> str:
        """Returns the next line that holds `part`; raises `AssertionError` after 30 s or the end.

        Lines up to the one that the last call returned are not searched again.
        """
        with self._changed:
            while True:
                while self._searched < len(self.lines):
                    line = self.lines[self._searched]
                    self._searched += 1
                    if part in line:
                        return line
                if self._has_ended or not self._changed.wait(PATIENCE_SECONDS):
                    raise AssertionError(f"no line with {part!r}: {''.join(self.lines)}")

    def text(self) -> str:
        """Returns all lines, after the end of the pipe."""
        self._reader.join(PATIENCE_SECONDS)
        return "".join(self.lines)

    def _read(self) -> None:
        with self._pipe, open(self._log or os.devnull, "a", encoding="utf-8") as log:
            for line in self._pipe:
                log.write(line)
                with self._changed:
                    self.lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()


class Command:
    """A command that may be started several times; Ctrl-C in the terminal does not reach it.

    Its environment is this process's own without GATEWAY_ variables, and `environment`.
    """

    process: subprocess.Popen[str]
    output: Lines
    errors: Lines

    def __init__(
        self,
        *command: str,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        log: Path | None = None,
    ) -> None:
        bare = {name: value for name, value in os.environ.items() if name[:8] != "GATEWAY_"}
        self._command = command
        self._environment = {**bare, **(environment or {})}
        self.folder = folder or Path()
        self._log = log

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return hasattr(self, "process") and self.process.poll() is None

    def start(self) -> None:
        """Starts it."""
        self.process = subprocess.Popen(
            self._command,
            env=self._environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.output = Lines(self.process.stdout, self._log)
        self.errors = Lines(self.process.stderr, self._log)

    def end(self) -> tuple[int, str, str]:
        """Waits for its end; returns exit status, standard output and standard error."""
        status = self.process.wait(PATIENCE_SECONDS)
        return status, self.output.text(), self.errors.text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Sends a signal, and waits for its end as `end` does."""
        if self.is_running:
            self.process.send_signal(number)
        return self.end()

    def freeze(self) -> None:
        """Halts it (SIGSTOP): connections are taken, nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Ends `freeze`."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kills it and the processes that it has started; does nothing where it has ended."""
        if self.is_running:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.end()


def free_port() -> int:
    """Returns a port of loopback on which no process listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
