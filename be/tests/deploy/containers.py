"""A compose file run without an engine: each image's root file system under bubblewrap.

Read-only root, the image's user, no capabilities, the volumes and the environment of the compose
file, and the commands of the images themselves. Postgres and RabbitMQ are Debian's. All of it is in
a network namespace of its own (tools/check-deploy makes it), where every name leads to 127.0.0.1.
"""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.deploy.front import tool
from tests.deploy.images import compose, image
from tests.system.processes import CHECKOUT, Process, Ran

__all__ = ["Project"]

LOOPBACK = "127.0.0.1"


class Project:
    """`docker compose` for this file, as far as a drill needs it."""

    def __init__(self, name: str, folder: Path, **settings: str) -> None:
        self.file, self.folder, self.settings = compose(name), folder, settings
        self.running: dict[str, Process] = {}
        (folder / "resolv.conf").write_text(f"nameserver {LOOPBACK}\n")
        for volume in self.file["volumes"]:
            (folder / volume).mkdir()
        self.helpers: list[Process] = []
        # The network's own DNS: be, ws, postgres, ... are all here.
        self.helpers.append(
            Process(
                "dns",
                [
                    *(tool("pebble-challtestsrv", "pebble"), "-dns01", f"{LOOPBACK}:53"),
                    *("-defaultIPv4", LOOPBACK, "-defaultIPv6", "", "-http01", ""),
                    *("-https01", "", "-tlsalpn01", "", "-management", f"{LOOPBACK}:8055"),
                ],
                {},
                folder,
            )
        )

    def environ(self, service: str) -> dict[str, str]:
        """What the image and the compose file say, and `settings` in the place of empty ones."""
        what = self.file["services"][service]
        built = image(str(what["build"]["dockerfile"]).rpartition("/")[0])
        found = {**built.environ, **what.get("environment", {})}
        return {
            **{name: str(value) for name, value in found.items()},
            **{name: value for name, value in self.settings.items() if name in found},
        }

    def words(
        self,
        service: str,
        command: Sequence[str] = (),
        *,
        entrypoint: Sequence[str] = (),
        extra: dict[str, str] | None = None,
        more_files: Sequence[Path] = (),
    ) -> list[str]:
        """The command line that starts this container."""
        what = self.file["services"][service]
        folder = str(what["build"]["dockerfile"]).rpartition("/")[0]
        built, root = image(folder), CHECKOUT / ".images" / folder
        assert root.is_dir(), "no images: make check-deploy builds them"
        user, _, group = built.user.partition(":")
        said = list(command or what.get("command") or built.command)
        said = [*entrypoint, *(command if entrypoint else [])] or [*built.entrypoint, *said]
        words = [
            *(tool("bwrap", "bubblewrap"), "--ro-bind", str(root), "/", "--dev", "/dev"),
            *("--proc", "/proc", "--unshare-user", "--unshare-pid", "--die-with-parent"),
            *("--uid", user, "--gid", group or user, "--cap-drop", "ALL", "--clearenv"),
            *("--ro-bind", str(self.folder / "resolv.conf"), "/etc/resolv.conf"),
        ]
        for place in what.get("tmpfs", []):
            words += ["--tmpfs", place.partition(":")[0]]
        for volume in what.get("volumes", []):
            if isinstance(volume, str):
                source, target = volume.split(":")
                words += ["--bind", str(self.folder / source), target]
            else:
                words += ["--ro-bind", str(self.folder / volume["source"]), volume["target"]]
        for path in more_files:
            words += ["--ro-bind", str(path), f"/tmp/{path.name}"]
        for name, value in {**self.environ(service), **(extra or {})}.items():
            words += ["--setenv", name, value]
        return [*words, "--chdir", built.workdir or "/", *said]

    def run(self, service: str, *command: str, within: float = 120, **options: Any) -> Ran:
        """`docker compose run --rm SERVICE COMMAND`."""
        return subprocess.run(
            self.words(service, command, **options),
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )

    def up(self, service: str, **extra: str) -> Process:
        """Start it, and wait until its own health check says that it is well."""
        process = Process(service, self.words(service, extra=extra), {"PATH": "/"}, self.folder)
        self.running[service] = process
        check = self.file["services"][service]["healthcheck"]["test"][1:]
        end = time.monotonic() + 150
        while True:
            assert process.running, f"{service} ended:\n{process.log}"
            if self.run(service, entrypoint=check).returncode == 0:
                return process
            assert time.monotonic() < end, f"{service} does not get well:\n{process.log}"
            threading.Event().wait(0.5)

    def ready(self) -> None:
        """Wait until the edge has a backend: then chargers are let in."""
        end = time.monotonic() + 60
        probe = ["levity-healthy", "http://127.0.0.1:9000/readyz"]
        while self.run("ws", entrypoint=probe).returncode != 0:
            assert time.monotonic() < end, self.running["ws"].log
            threading.Event().wait(0.5)

    def down(self, service: str) -> int:
        """SIGTERM, as `docker compose stop` sends it to what the container runs."""
        process = self.running.pop(service)
        children = subprocess.run(
            ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False
        ).stdout.split()
        inner = [
            int(pid)
            for child in children
            for pid in subprocess.run(
                ["pgrep", "-P", child], capture_output=True, text=True, check=False
            ).stdout.split()
        ] or [int(child) for child in children]
        for pid in inner:
            with suppress(ProcessLookupError):
                os.kill(pid, 15)
        return process.wait(35)

    def publish(self) -> None:
        """The ports of the compose file, but for those of its profiles."""
        for what in self.file["services"].values():
            for port in what.get("ports", []) if "profiles" not in what else []:
                outside, inside = port.split(":")
                self.helpers.append(
                    Process(
                        f"port {outside}",
                        [
                            *(tool("socat", "socat"), f"TCP-LISTEN:{outside},fork,reuseaddr"),
                            f"TCP:{LOOPBACK}:{inside}",
                        ],
                        {},
                        self.folder,
                    )
                )
                self._answers(int(outside))

    def start_postgres(self) -> None:
        """Debian's, with what the container is given: a user, a database, a password in a file."""
        (folder := self.folder / "postgres").chmod(0o700)
        secret = self.folder / "postgres-secret/password"
        password = self.folder / "pw"
        shutil.copy(secret, password)
        for path in (folder, password):
            shutil.chown(path, "postgres", "postgres")
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        assert found, "no Postgres: apt-get install postgresql"
        as_postgres = [tool("runuser", "util-linux"), "-u", "postgres", "--"]
        self.folder.chmod(0o755)
        arguments = self.file["services"]["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]
        subprocess.run(
            [
                *(*as_postgres, found[-1] / "initdb", "--pgdata", folder, "--username=levity"),
                *("--pwfile", password, "--auth-local=trust", *arguments.split()),
            ],
            check=True,
            capture_output=True,
        )
        self.helpers.append(
            Process(
                "postgres",
                [
                    *(*as_postgres, str(found[-1] / "postgres"), "-D", str(folder)),
                    *("-h", LOOPBACK, "-k", str(folder)),
                ],
                {"PATH": os.environ["PATH"]},
                self.folder,
            )
        )
        self._answers(5432)
        done = subprocess.run(
            ["createdb", "-h", LOOPBACK, "-U", "levity", "levity"],
            env={"PATH": os.environ["PATH"], "PGPASSWORD": secret.read_text()},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def start_rabbitmq(self) -> None:
        """Debian's, with the folder of settings that the container mounts."""
        scripts = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin"))
        assert scripts, "no RabbitMQ: apt-get install rabbitmq-server"
        data = self.folder / "rabbitmq"
        # This machine's own configuration is none of the container's.
        for name in ("env.conf", "rabbitmq.conf"):
            (data / name).write_text("")
        (data / "plugins").write_text("[].")
        self.rabbitmq_environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(data),
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": "rabbit@localhost",
            "RABBITMQ_MNESIA_BASE": str(data / "mnesia"),
            "RABBITMQ_LOG_BASE": str(data / "log"),
            "RABBITMQ_PID_FILE": str(data / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(data / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(data / "env.conf"),
            "RABBITMQ_CONFIG_FILE": str(data / "rabbitmq.conf"),
            "RABBITMQ_CONFIG_FILES": str(self.folder / "rabbitmq-conf"),
        }
        self._rabbitmqctl = scripts[-1] / "rabbitmqctl"
        self.helpers.append(
            Process("rabbitmq", [str(scripts[-1] / "rabbitmq-server")], self.rabbitmq_environ, data)
        )
        self._answers(5672, within=120)

    def rabbitmqctl(self, *arguments: str) -> str:
        done = subprocess.run(
            [self._rabbitmqctl, "--quiet", *arguments],
            env=self.rabbitmq_environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _answers(self, port: int, within: float = 60) -> None:
        end = time.monotonic() + within
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection((LOOPBACK, port), 1):
                return
            threading.Event().wait(0.1)
        logs = "\n".join(f"{each.name}: {each.log}" for each in self.helpers)
        raise AssertionError(f"nobody answers at port {port}:\n{logs}")

    def close(self) -> None:
        for process in [*self.running.values(), *reversed(self.helpers)]:
            process.kill()
        # Erlang's port mapper outlives its node; it goes with the namespace's last process.
        subprocess.run(["epmd", "-kill"], capture_output=True, check=False)
