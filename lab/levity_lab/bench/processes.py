"""Starting and stopping the processes of a system that is measured."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

__all__ = ["BenchError", "Started", "answers", "free_port", "python", "running", "wait_until"]

STOP_SECONDS = 15.0
_LINES_SHOWN = 15


class BenchError(Exception):
    """It can't be measured; the text says what is missing or what failed, for people."""


class Started:
    """A process of ours and where it logs."""

    def __init__(self, name: str, process: "subprocess.Popen[str]", log: Path) -> None:
        self.name, self.process, self.log = name, process, log

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def check(self) -> None:
        """BenchError with the end of its log if it has ended."""
        if self.process.poll() is not None:
            raise BenchError(f"{self.name} ended with {self.process.returncode}:\n{self.tail()}")

    def finish(self, seconds: float) -> str:
        """Wait for its end; what it wrote, if that is kept. BenchError if it failed."""
        try:
            out, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise BenchError(f"{self.name} does not come to an end:\n{self.tail()}") from error
        if self.process.returncode:
            raise BenchError(f"{self.name} failed:\n{self.tail()}")
        return out or ""

    def tail(self) -> str:
        """The last lines of its log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LINES_SHOWN:])


def python(module: str, *arguments: str) -> list[str]:
    """The command line of one of our modules, with this very Python."""
    return [sys.executable, "-m", module, *arguments]


@contextlib.contextmanager
def running(
    name: str,
    command: Sequence[str],
    environ: Mapping[str, str],
    logs: Path,
    *,
    speaks: bool = False,
) -> Iterator[Started]:
    """The process, stopped afterwards whatever happens; Ctrl-C at the terminal is not for it.

    Where it `speaks`, its output is for us to read; else that goes to its log.
    """
    log = logs / f"{name}.log"
    with log.open("a") as out:
        process = subprocess.Popen(  # noqa: S603  # our own modules, with arguments of our own
            list(command),
            env={**os.environ, **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if speaks else out,
            stderr=out,
            text=True,
            start_new_session=True,
        )
    try:
        yield Started(name, process, log)
    finally:
        _stop(process)


def _stop(process: "subprocess.Popen[str]") -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def wait_until(
    ready: Callable[[], bool], what: str, processes: Sequence[Started], seconds: float = 30.0
) -> None:
    """Return when `ready`; BenchError if a process ends meanwhile, or when it takes too long."""
    deadline = time.monotonic() + seconds
    while not ready():
        for each in processes:
            each.check()
        if time.monotonic() > deadline:
            tails = "\n".join(each.tail() for each in processes)
            raise BenchError(f"{what} was not ready within {seconds:g} s:\n{tails}")
        time.sleep(0.1)


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def answers(port: int, path: str = "/readyz") -> bool:
    """True if an edge listens there and says that its backend answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
