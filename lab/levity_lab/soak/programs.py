"""Where the programs of RabbitMQ, Postgres and libfaketime are, and as whom they run."""

import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Programs", "SoakError", "as_user", "find_programs"]

POSTGRES = Path("/usr/lib/postgresql")
RABBITMQ = Path("/usr/lib/rabbitmq/bin")
FAKETIME = "libfaketime.so.1"


class SoakError(Exception):
    """It can't go on; the text says what is missing or what failed, and what to do."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where to find what a run starts."""

    postgres: Path
    """The folder with initdb, postgres and pg_controldata."""
    rabbitmq: Path
    """The folder with rabbitmq-server and rabbitmqctl."""
    faketime: Path | None
    """The library that steps the clock of one process; None where it is not installed."""


def find_programs() -> Programs:
    """Debian's programs, else those on the PATH; SoakError names every package that is missing."""
    postgres = _newest_postgres()
    rabbitmq = RABBITMQ if (RABBITMQ / "rabbitmq-server").exists() else _folder("rabbitmq-server")
    missing = []
    if postgres is None:
        missing.append("postgresql")
    if rabbitmq is None:
        missing.append("rabbitmq-server")
    if postgres is None or rabbitmq is None:
        raise SoakError(
            "this starts a RabbitMQ and a Postgres of its own, whose programs are not here. "
            f"Debian, Ubuntu: sudo apt-get install {' '.join(missing)}"
        )
    return Programs(postgres, rabbitmq, _faketime())


def as_user(name: str) -> dict[str, Any]:
    """What to give `subprocess` so that a server runs as this user, or as us if we are not root.

    Postgres refuses to run as root.
    """
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        entry = pwd.getpwnam("nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _newest_postgres() -> Path | None:
    found = [path for path in POSTGRES.glob("*/bin") if (path / "initdb").exists()]
    if found:
        return max(found, key=lambda path: _version_of(path.parent.name))
    return _folder("initdb")


def _version_of(name: str) -> float:
    return float("".join(sign for sign in name if sign.isdigit() or sign == ".") or 0)


def _folder(program: str) -> Path | None:
    found = shutil.which(program)
    return Path(found).resolve().parent if found else None


def _faketime() -> Path | None:
    for folder in (Path("/usr/lib"), Path("/usr/lib64"), Path("/usr/local/lib")):
        for pattern in (f"*/faketime/{FAKETIME}", f"faketime/{FAKETIME}"):
            for path in folder.glob(pattern):
                return path
    return None
