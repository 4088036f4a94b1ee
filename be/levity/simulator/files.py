"""Uploads and downloads of simulated chargers: only to and from the places that Levity makes.

Any other URL is merely played. The simulator may run beside a server, in a network in which not
everything may be fetched.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

__all__ = ["fetch", "is_real", "upload", "version_in"]

PATIENCE = 30.0
"""Seconds that one transfer may take."""
DROP = "lvdrop-"
"""As levity.ocpp.wire.scanning has it: the simulator knows nothing of the backend."""
MARK = b"levity-firmware "
"""A file that begins so names its version in its first line."""


def is_real(location: str) -> bool:
    """True for a place that Levity has made."""
    parts = urlsplit(location)
    if parts.scheme == "ftp":
        return (parts.username or "").startswith("job")
    return parts.scheme in ("http", "https") and parts.path.startswith(f"/files/{DROP}")


async def upload(location: str, name: str, content: bytes, protocols: tuple[str, ...]) -> bool:
    """Put this file there; False if that fails, or this charger does not know the protocol."""
    scheme = urlsplit(location).scheme
    if scheme not in protocols:
        return False
    put = _ftp_put if scheme == "ftp" else _http_put
    return await _tried(put, location, name, content) is not None


async def fetch(location: str, protocols: tuple[str, ...]) -> bytes | None:
    """What is there; None if that fails."""
    scheme = urlsplit(location).scheme
    if scheme not in protocols:
        return None
    return await _tried(_ftp_get if scheme == "ftp" else _http_get, location)


def version_in(content: bytes, location: str) -> str:
    """The version that this firmware calls itself."""
    if content.startswith(MARK):
        return content[len(MARK) :].split(b"\n")[0].decode("ascii", "replace").strip()[:50]
    return unquote(urlsplit(location).path.rpartition("/")[2])[:50]


async def _tried(work: Callable[..., bytes], *values: Any) -> bytes | None:
    try:
        async with asyncio.timeout(PATIENCE):
            return await asyncio.to_thread(work, *values)
    except (OSError, EOFError, ValueError, TimeoutError):
        return None
    except Exception as error:
        if type(error).__module__ in ("ftplib", "http.client"):
            return None
        raise


def _http(method: str, location: str, path: str, content: bytes | None = None) -> bytes:
    from http.client import HTTPConnection, HTTPSConnection

    parts = urlsplit(location)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE)
    try:
        connection.request(method, path, content)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status not in (200, 201):
        raise ValueError(f"HTTP {response.status}")
    return body


def _http_put(location: str, name: str, content: bytes) -> bytes:
    return _http("PUT", location, f"{urlsplit(location).path.rstrip('/')}/{name}", content)


def _http_get(location: str) -> bytes:
    return _http("GET", location, urlsplit(location).path)


def _ftp(location: str) -> Any:
    import ftplib

    parts = urlsplit(location)
    client = ftplib.FTP(timeout=PATIENCE)  # noqa: S321  # as chargers do
    client.connect(parts.hostname or "", parts.port or 21)
    client.login(unquote(parts.username or ""), unquote(parts.password or ""))
    return client


def _ftp_put(location: str, name: str, content: bytes) -> bytes:
    import io

    with _ftp(location) as client:
        client.storbinary(f"STOR {name}", io.BytesIO(content))
    return content


def _ftp_get(location: str) -> bytes:
    got: list[bytes] = []
    with _ftp(location) as client:
        client.retrbinary(f"RETR {urlsplit(location).path}", got.append)
    return b"".join(got)
