"""A process under test: started, listened to, signalled, and never left behind."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

__all__ = ["CHECKOUT", "Process", "Ran", "eventually", "python", "run"]

CHECKOUT = Path(__file__).resolve().parents[3]
T = TypeVar("T")
Ran = subprocess.CompletedProcess[str]


def python(*arguments: str | Path) -> list[str]:
    """A command line for the interpreter that runs the tests."""
    return [sys.executable, *map(str, arguments)]


def run(
    command: Sequence[str], environ: Mapping[str, str], cwd: Path, within: float = 180.0
) -> Ran:
    """Run a command to its end; the exit status is the caller's to judge."""
    return subprocess.run(
        command, env=environ, cwd=cwd, capture_output=True, text=True, timeout=within, check=False
    )


def eventually(probe: Callable[[], T], wanted: T, *, within: float = 60.0) -> T:
    """Ask until the answer is `wanted`, and return it; after `within` seconds the last answer.

    For what only a look can tell (a row in a database): `assert eventually(look, x) == x`.
    """
    end = time.monotonic() + within
    pause = threading.Event()
    while (answer := probe()) != wanted and time.monotonic() < end:
        pause.wait(0.05)
    return answer


class Process:
    """A child process in a session of its own, whose output is read as it comes."""

    def __init__(
        self, name: str, command: Sequence[str], environ: Mapping[str, str], cwd: Path
    ) -> None:
        self.name = name
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._ended = False
        self._child = subprocess.Popen(
            command,
            env={**environ, "PYTHONUNBUFFERED": "1"},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.pid = self._child.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._child.stdout is not None
        with self._child.stdout as output:
            for line in output:
                with self._news:
                    self.lines.append(line.rstrip("\n"))
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    @property
    def log(self) -> str:
        """Everything it has said so far."""
        return "\n".join(self.lines)

    def line(self, pattern: str, *, within: float = 120.0) -> re.Match[str]:
        """Wait for a line like this; fails with the log if the process ends or takes too long."""
        wanted, seen = re.compile(pattern), 0
        end = time.monotonic() + within
        with self._news:
            while True:
                while seen < len(self.lines):
                    if match := wanted.search(self.lines[seen]):
                        return match
                    seen += 1
                left = end - time.monotonic()
                if self._ended or left <= 0:
                    break
                self._news.wait(left)
        raise AssertionError(f"{self.name} did not say {pattern!r}; it said:\n{self.log}")

    def send_signal(self, number: signal.Signals) -> None:
        """Signal the process itself, not its children."""
        self._child.send_signal(number)

    def wait(self, within: float = 60.0) -> int:
        """Its exit status; fails with the log if it does not end."""
        try:
            status = self._child.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"{self.name} did not end within {within:g} s; it said:\n{self.log}"
            ) from None
        self._reader.join(30)
        return status

    def stop(self, number: signal.Signals = signal.SIGTERM, within: float = 60.0) -> int:
        """Ask it to end, and wait."""
        self.send_signal(number)
        return self.wait(within)

    def kill(self) -> None:
        """SIGKILL for it and all its children; nothing is left of it afterwards."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._child.wait(60)
        self._reader.join(30)

    @property
    def running(self) -> bool:
        """True until it has ended."""
        return self._child.poll() is None
