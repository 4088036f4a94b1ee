"""A process of the site: started, harmed, and started again as systemd or Docker would do it."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from levity_lab.soak.programs import SoakError

__all__ = ["Service", "free_port", "until"]

STOP_SECONDS = 20.0
RESTART_SECONDS = 1.0
LINES_SHOWN = 15


@dataclass(eq=False)
class Service:
    """One process, in a session of its own. While `kept`, it is started again when it ends.

    Its output goes to `log`. `happened(what)` is told of every start and end.
    """

    name: str
    command: Callable[[], Sequence[str]]
    environ: Mapping[str, str]
    log: Path
    happened: Callable[[str], None] = lambda _: None
    options: Mapping[str, Any] = field(default_factory=dict)
    """More for `subprocess.Popen`."""
    stop_signal: signal.Signals = signal.SIGTERM
    kept: bool = False
    starts: int = 0
    exits: list[int] = field(default_factory=list)
    _process: "subprocess.Popen[bytes] | None" = None
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _ended_at: float = 0.0

    @property
    def pid(self) -> int:
        """Its process id; SoakError while it does not run."""
        process = self._process
        if process is None or process.poll() is not None:
            raise SoakError(f"{self.name} does not run")
        return process.pid

    @property
    def running(self) -> bool:
        """True until it has ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, and keep it running from now on."""
        with self._lock:
            self.kept = True
            self._start()

    def _start(self) -> None:
        if self.running:
            return
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603  # our own command lines
                list(self.command()),
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                **self.options,
            )
        self.starts += 1
        self.happened("started")

    def keep(self) -> None:
        """Start it again if it has ended for a second; to be called often."""
        with self._lock:
            process = self._process
            if process is None or process.poll() is None:
                return
            if self._ended_at == 0.0:
                self._ended_at = time.monotonic()
                self.exits.append(process.returncode)
                self.happened(f"ended with {process.returncode}")
            if self.kept and time.monotonic() - self._ended_at >= RESTART_SECONDS:
                self._ended_at = 0.0
                self._start()

    def send(self, number: signal.Signals) -> None:
        """Signal the process itself; nothing if it has gone."""
        with contextlib.suppress(ProcessLookupError, SoakError):
            os.kill(self.pid, number)

    def send_all(self, number: signal.Signals) -> None:
        """Signal it and what it has started."""
        with contextlib.suppress(ProcessLookupError, SoakError):
            os.killpg(self.pid, number)

    def stop(self, number: signal.Signals | None = None, seconds: float = STOP_SECONDS) -> int:
        """Ask it to end, and not start it again; its exit status. Killed if it does not end."""
        with self._lock:
            self.kept = False
            process = self._process
        if process is None:
            return 0
        if process.poll() is None:
            self.happened("told to stop")
        # One that was stopped with SIGSTOP hears nothing else.
        self.send_all(signal.SIGCONT)
        self.send(number or self.stop_signal)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return process.wait()

    def kill(self) -> None:
        """SIGKILL for it and all its children, at once; whether it starts again is `kept`'s."""
        self.send_all(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(10)

    def check(self) -> None:
        """SoakError with the end of its log if it has ended."""
        if not self.running:
            raise SoakError(f"{self.name} has ended:\n{self.tail()}")

    def tail(self) -> str:
        """The last lines of its log."""
        if not self.log.exists():
            return ""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LINES_SHOWN:])


def until(
    ready: Callable[[], bool], what: str, services: Sequence[Service], seconds: float = 60.0
) -> None:
    """Return when `ready`; SoakError if it takes longer, or if one of these ends for good."""
    deadline = time.monotonic() + seconds
    while not ready():
        for service in services:
            if not service.kept:
                service.check()
        if time.monotonic() > deadline:
            said = "\n".join(f"{each.name}:\n{each.tail()}" for each in services)
            raise SoakError(f"{what} was not ready within {seconds:g} s:\n{said}")
        time.sleep(0.05)


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
