"""Where Levity keeps its files, and what it is called on the network."""

import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from levity_ws.environ import value_or_file

__all__ = ["allowed_hosts", "data_dir", "flag", "kept_secret", "secret"]


def data_dir(environ: Mapping[str, str]) -> Path:
    """LEVITY_DATA_DIR; else `data` in a checkout, else the user's own data folder.

    The same whichever folder the command is typed in, so that `levity send_command` finds the
    database of `levity serve`.
    """
    if given := environ.get("LEVITY_DATA_DIR"):
        return Path(given).expanduser().resolve()
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "be" / "manage.py").exists():
        return checkout / "data"
    base = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "levity"


def flag(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    """An on/off setting from the environment; an unclear word is an error that names it."""
    word = environ.get(name, "").strip().lower()
    if word in ("", "none"):
        return default
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off"):
        return False
    raise ImproperlyConfigured(f"{name}={environ[name]!r}: write true or false")


def secret(environ: Mapping[str, str], name: str) -> str:
    """NAME, or what stands in the file that NAME_FILE names, as containers get their secrets."""
    try:
        return value_or_file(environ, name)
    except ValueError as error:
        raise ImproperlyConfigured(str(error)) from error


def kept_secret(path: Path) -> str:
    """The secret in this file; made at the first call, readable for its owner alone."""
    try:
        if secret := path.read_text().strip():
            return secret
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ImproperlyConfigured(f"{path} can't be read ({error}): set SECRET_KEY") from error
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written aside and linked: of two processes that start at once, one wins and both
        # read the same whole secret.
        aside = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
        aside.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{path} can't be written ({error}): set LEVITY_DATA_DIR to a folder of yours"
        ) from error


def allowed_hosts(environ: Mapping[str, str], machine: str) -> list[str]:
    """Host names the web pages answer to: this machine's own, HOSTNAME, LEVITY_ALLOWED_HOSTS."""
    hosts = ["localhost", "127.0.0.1", "[::1]", machine, f"{machine}.local"]
    hosts += [environ.get("HOSTNAME", "")]
    hosts += environ.get("LEVITY_ALLOWED_HOSTS", "").replace(",", " ").split()
    return list(dict.fromkeys(host.strip().lower() for host in hosts if host.strip()))
