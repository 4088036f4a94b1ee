"""Where Levity keeps its files, and what it is called on the network."""

import contextlib
import ipaddress
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

from levity_ws.environ import value_or_file

__all__ = [
    "allowed_hosts",
    "data_dir",
    "email_settings",
    "flag",
    "kept_secret",
    "networks",
    "number",
    "public_name",
    "secret",
    "time_zone",
]

# A host name, an IPv4 address, an IPv6 address in brackets, or a domain with all that is below it
# (.example.net). An asterisk is let through here: production.py refuses it, with its reason.
_IN_WORD = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")
_IN_HOST = _IN_WORD | {".", "-"}
_IN_BRACKETS = frozenset("0123456789abcdef:.")
_MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
# Every container runtime sets HOSTNAME to the container's id where nobody sets it.
_CONTAINER_ID = frozenset("0123456789abcdef")


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
    raise ImproperlyConfigured(f"{name}={environ[name]!r}: use true or false")


def security_profile(environ: Mapping[str, str]) -> int:
    """LEVITY_SECURITY_PROFILE, what new charge points begin with; 0 without it."""
    word = environ.get("LEVITY_SECURITY_PROFILE", "").strip() or "0"
    if word not in ("0", "1", "2", "3"):
        raise ImproperlyConfigured(f"LEVITY_SECURITY_PROFILE={word!r}: use 0, 1, 2 or 3")
    return int(word)


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
        # Empty, as a full disk leaves it: as good as none.
        path.unlink()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ImproperlyConfigured(f"{path} can't be read ({error}): set SECRET_KEY") from error
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
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
            f"{path} can't be written ({error}): set LEVITY_DATA_DIR to a folder that you own"
        ) from error


def number(environ: Mapping[str, str], name: str, *, default: int, least: int = 0) -> int:
    """A whole number from the environment; anything else is an error that names it."""
    word = environ.get(name, "").strip()
    if not word:
        return default
    if not (word.isascii() and word.isdigit() and len(word) < 10 and int(word) >= least):
        raise ImproperlyConfigured(f"{name}={word!r}: use a whole number, {least} or more")
    return int(word)


def time_zone(environ: Mapping[str, str], etc: Path = Path("/etc"), chosen: str = "") -> str:
    """TIME_ZONE, or what was `chosen` on the pages, or the computer's own; UTC where that can't be
    told.

    A name in TIME_ZONE that nobody knows is an error.
    """
    name = environ.get("TIME_ZONE", "").strip()
    if not name:
        known = filter(_is_zone, (chosen, *_zones_of_this_computer(environ, etc)))
        return next(known, "UTC")
    if not _is_zone(name):
        raise ImproperlyConfigured(
            f"TIME_ZONE={name!r}: unknown time zone; use one such as Europe/Berlin"
        )
    return name


def _zones_of_this_computer(environ: Mapping[str, str], etc: Path) -> Iterator[str]:
    """What may be its name: TZ, where /etc/localtime leads, what /etc/timezone says."""
    yield _below_zoneinfo(environ.get("TZ", "").strip().removeprefix(":"))
    with contextlib.suppress(OSError):
        yield _below_zoneinfo(str((etc / "localtime").readlink()))
    with contextlib.suppress(OSError, UnicodeDecodeError):
        yield (etc / "timezone").read_text().strip()


def _below_zoneinfo(path: str) -> str:
    """/usr/share/zoneinfo/Europe/Berlin is Europe/Berlin; so on every system."""
    name = path.rpartition("/zoneinfo/")[2]
    return name.removeprefix("posix/").removeprefix("right/")


def _is_zone(name: str) -> bool:
    try:
        # ZoneInfoNotFoundError is a KeyError; the others: odd paths, the name of a folder.
        return bool(name) and ZoneInfo(name) is not None
    except (KeyError, ValueError, OSError):
        return False


def networks(
    environ: Mapping[str, str], name: str
) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Addresses and networks from the environment, separated by commas or spaces."""
    try:
        return [
            ipaddress.ip_network(word, strict=False)
            for word in environ.get(name, "").replace(",", " ").split()
        ]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name}: {error}; use addresses or networks, such as 127.0.0.1, 10.0.0.0/8"
        ) from error


def public_name(environ: Mapping[str, str], machine: str) -> str:
    """The name or address that somebody chose in HOSTNAME; empty without one.

    Not what shells and container runtimes set by themselves.
    """
    own = machine.strip().lower()
    words = environ.get("HOSTNAME", "").replace(",", " ").lower().split()
    for word in words:
        if word in (own, f"{own}.local", "localhost") or word.startswith("."):
            continue
        if not _is_container_id(word):
            return word
    return ""


def allowed_hosts(environ: Mapping[str, str], machine: str) -> list[str]:
    """Host names the web pages answer to: this machine's own, HOSTNAME, LEVITY_ALLOWED_HOSTS.

    HOSTNAME adds a name and never replaces the local ones. A container's id is no name of a site.
    """
    own = [machine.strip().lower(), f"{machine.strip().lower()}.local"]
    # A machine may be called anything, and then nobody reaches it by its name.
    known = ["localhost", "127.0.0.1", "[::1]", *filter(_is_host, own)]
    given = {
        "HOSTNAME": environ.get("HOSTNAME", ""),
        "LEVITY_ALLOWED_HOSTS": environ.get("LEVITY_ALLOWED_HOSTS", ""),
    }
    if given["HOSTNAME"].strip().lower() in own:
        del given["HOSTNAME"]
    for variable, text in given.items():
        for word in text.replace(",", " ").split():
            host = word.lower()
            if variable == "HOSTNAME" and _is_container_id(host):
                continue
            if host.count(":") > 1 and not host.startswith("["):
                host = f"[{host}]"
            if not _is_host(host):
                raise ImproperlyConfigured(
                    f"{variable}={word!r}: use the name alone, without http://, port and path, "
                    "such as chargers.example.net"
                )
            known.append(host)
    return list(dict.fromkeys(known))


def _is_host(name: str) -> bool:
    if "*" in name:
        return True
    if name.startswith("[") and name.endswith("]"):
        return len(name) > 2 and _IN_BRACKETS.issuperset(name[1:-1])
    word = name.removeprefix(".")
    return bool(word) and _IN_HOST.issuperset(word) and {word[0], word[-1]} <= _IN_WORD


def _is_container_id(name: str) -> bool:
    return len(name) in (12, 64) and _CONTAINER_ID.issuperset(name)


def email_settings(environ: Mapping[str, str], host: str) -> dict[str, Any]:
    """Django's EMAIL_... settings; raises ValueError, without the password, if EMAIL_URL is
    invalid.

    `smtps://user:password@mail.example.net` is TLS from the start (port 465), `smtp+tls://` is
    STARTTLS (587), `smtp://` is neither (25). Without EMAIL_URL no mail can be sent.
    """
    chosen: dict[str, Any] = {
        "EMAIL_TIMEOUT": 15,
        "DEFAULT_FROM_EMAIL": environ.get("LEVITY_EMAIL_FROM") or f"levity@{host}",
    }
    chosen["SERVER_EMAIL"] = chosen["DEFAULT_FROM_EMAIL"]
    url = environ.get("EMAIL_URL", "").strip()
    if not url:
        return {**chosen, "EMAIL_HOST": ""}
    try:
        parts = urlsplit(url)
        port = parts.port or _MAIL_PORTS[parts.scheme]
        if not parts.hostname or parts.scheme not in _MAIL_PORTS:
            raise ValueError
    except (ValueError, KeyError):
        raise ValueError(
            "EMAIL_URL: expected smtps://user:password@host:465, smtp+tls://user:password@host:587 "
            "or smtp://host:25 (special characters in the password percent-encoded)"
        ) from None
    return {
        **chosen,
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
    }
