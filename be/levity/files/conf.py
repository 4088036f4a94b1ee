"""The settings of this app (docs/files.md); `levity.settings` has them from the environment."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from levity import installation

__all__ = ["at_once", "by_nginx", "folder", "ftp_host", "ftp_port", "ftp_ports", "limits", "urls"]

MEGABYTE = 1_000_000
_DEFAULTS = {
    "LEVITY_FILES_MAX_MB": 200,
    "LEVITY_FILES_TOTAL_MB": 5_000,
    "LEVITY_FILES_DAYS": 90,
    "LEVITY_FIRMWARE_MAX_MB": 1_000,
    "LEVITY_FTP_PORT": 2121,
}


def _text(name: str) -> str:
    return str(getattr(settings, name, "") or "")


def number(name: str) -> int:
    """One of the numbers."""
    given: Any = getattr(settings, name, None)
    return int(_DEFAULTS[name] if given is None else given)


def folder() -> Path:
    """LEVITY_FILES_DIR, else `files` in the data folder: all processes that use files share it."""
    given = _text("LEVITY_FILES_DIR")
    return Path(given).expanduser() if given else installation.data_dir() / "files"


def by_nginx() -> bool:
    """LEVITY_FILES_BY_NGINX: nginx in front of us sends firmware; it can read our folder."""
    return bool(getattr(settings, "LEVITY_FILES_BY_NGINX", False))


def at_once() -> int:
    """Files that move through the web pages of one process at the same time: half of its threads,
    as many as may wait for chargers' answers."""
    return max(1, int(getattr(settings, "OCPP_WAITING_REQUESTS", 2)))


def urls() -> tuple[str, ...]:
    """LEVITY_FILES_URL: how chargers reach the web pages, such as http://chargers.example.net; the
    first is preferred."""
    found = []
    for word in _text("LEVITY_FILES_URL").replace(",", " ").split():
        if not word.startswith(("http://", "https://")):
            raise ImproperlyConfigured(
                f"LEVITY_FILES_URL={word!r}: use a URL such as http://chargers.example.net"
            )
        found.append(word.rstrip("/"))
    return tuple(found)


def limits() -> tuple[int, int, int]:
    """Bytes: of one upload, of all uploads together, of one firmware."""
    names = ("LEVITY_FILES_MAX_MB", "LEVITY_FILES_TOTAL_MB", "LEVITY_FIRMWARE_MAX_MB")
    one, total, firmware = (number(name) * MEGABYTE for name in names)
    return one, total, firmware


def days() -> int:
    """For how long uploads are kept; 0: for ever."""
    return number("LEVITY_FILES_DAYS")


def ftp_host() -> str:
    """The address at which chargers reach the FTP server, where that is not this machine's own."""
    return _text("LEVITY_FTP_HOST")


def ftp_port() -> int:
    """0: no FTP."""
    return number("LEVITY_FTP_PORT")


def ftp_ports() -> range:
    """The ports for the data connections."""
    word = _text("LEVITY_FTP_PASSIVE_PORTS") or "2122-2141"
    first, dash, last = word.partition("-")
    if not (
        dash and first.isdecimal() and last.isdecimal() and 0 < int(first) <= int(last) < 65536
    ):
        raise ImproperlyConfigured(
            f"LEVITY_FTP_PASSIVE_PORTS={word!r}: use a range of ports such as 2122-2141"
        )
    return range(int(first), int(last) + 1)
