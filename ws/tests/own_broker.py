"""A RabbitMQ of the test's own, to be stopped, killed, paused and put under alarm.

From the installed package where there is one, else from the image that docker-compose.yml names.
"""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from tests.rabbitmq import unused_port

__all__ = ["OwnBroker", "own_broker"]

COMPOSE = Path(__file__).resolve().parents[2] / "docker-compose.yml"
FOLDERS = "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin"


class OwnBroker(Protocol):
    """One broker on a port that stays the same, whatever happens to it."""

    port: int
    url: str

    def start(self) -> None:
        """Start it, and return when it takes connections."""

    def stop(self) -> None:
        """Stop it in good order; what is durable stays."""

    def kill(self) -> None:
        """SIGKILL."""

    def pause(self) -> None:
        """SIGSTOP: it holds its connections and says nothing."""

    def resume(self) -> None:
        """SIGCONT."""

    def ctl(self, *arguments: str) -> str:
        """What `rabbitmqctl` says."""

    def remove(self) -> None:
        """Leave nothing behind."""


class _Broker:
    port: int

    @property
    def url(self) -> str:
        # A short heartbeat: a paused broker is noticed within two of them (CHECKS F-05).
        return f"amqp://guest:guest@127.0.0.1:{self.port}/?heartbeat=4"

    def ctl(self, *arguments: str) -> str:
        raise NotImplementedError

    def _wait(self, within: float = 90.0) -> None:
        end = time.monotonic() + within
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as probe:
                # A broker that is only just up closes at once; one that is ready says its version.
                probe.settimeout(5)
                probe.sendall(b"AMQP\x00\x00\x09\x01")
                if probe.recv(1):
                    return
            time.sleep(0.1)
        raise AssertionError(f"the broker on port {self.port} does not answer")


class _Installed(_Broker):
    """The package's scripts, with node name, port mapper and folders of its own."""

    def __init__(self, scripts: Path, folder: Path) -> None:
        self._scripts, self._folder = scripts, folder
        self.port = unused_port()
        self._mapper = unused_port()
        for name, text in (
            ("plugins", "[]."),
            ("rabbitmq.conf", f"listeners.tcp.default = 127.0.0.1:{self.port}\n"),
            ("env.conf", ""),
        ):
            (folder / name).write_text(text)
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": f"levity-{secrets.token_hex(4)}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(unused_port()),
            "ERL_EPMD_PORT": str(self._mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "env.conf"),
        }
        self._process: subprocess.Popen[bytes] | None = None
        # Or the virtual machine starts one that outlives it.
        self._port_mapper = subprocess.Popen(
            ["epmd", "-port", str(self._mapper)],
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def start(self) -> None:
        assert self._process is None, "it runs"
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [self._scripts / "rabbitmq-server"],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._wait()

    def stop(self) -> None:
        assert self._process is not None, "it does not run"
        self.ctl("stop")
        self._process.wait(60)
        self._process = None

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(10)
            self._process = None

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        # The session: the script, the virtual machine, and what that one has started.
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def ctl(self, *arguments: str) -> str:
        ran = subprocess.run(
            [self._scripts / "rabbitmqctl", "--quiet", *arguments],
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def remove(self) -> None:
        self.resume()
        self.kill()
        self._port_mapper.terminate()
        self._port_mapper.wait(10)


class _Container(_Broker):
    """The same in a container, where the package is not installed."""

    def __init__(self, image: str) -> None:
        self.port = unused_port()
        self._name = f"levity-test-{secrets.token_hex(6)}"
        self._docker(
            "create", "--name", self._name, "--publish", f"127.0.0.1:{self.port}:5672", image
        )

    def _docker(self, *arguments: str) -> str:
        ran = subprocess.run(
            ["docker", *arguments], capture_output=True, text=True, timeout=300, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def start(self) -> None:
        self._docker("start", self._name)
        self._wait()

    def stop(self) -> None:
        self._docker("stop", self._name)

    def kill(self) -> None:
        self._docker("kill", self._name)

    def pause(self) -> None:
        self._docker("pause", self._name)

    def resume(self) -> None:
        self._docker("unpause", self._name)

    def ctl(self, *arguments: str) -> str:
        return self._docker("exec", self._name, "rabbitmqctl", "--quiet", *arguments)

    def remove(self) -> None:
        self._docker("rm", "--force", "--volumes", self._name)


@contextmanager
def own_broker(folder: Path) -> Iterator[OwnBroker]:
    """A broker that runs, and is gone without a trace afterwards. `folder` is for its data."""
    broker = _new(folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.remove()


def _new(folder: Path) -> OwnBroker:
    if found := sorted(Path("/").glob(FOLDERS[1:])):
        return _Installed(found[-1], folder)
    if shutil.which("docker"):
        image = re.search(r"image: (\S*rabbitmq\S*)", COMPOSE.read_text())
        assert image, f"{COMPOSE} names no image of RabbitMQ"
        return _Container(image[1])
    raise AssertionError("no RabbitMQ to start: install rabbitmq-server, or Docker")
