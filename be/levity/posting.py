"""A POST to an address that an administrator gave, and nowhere else.

The name is looked up once, every address it has is checked, and the connection is made to the
very address that was checked: no redirect is followed, and no second look-up can lead elsewhere.
"""

import http.client
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from levity.inner_addresses import ipv4_within
from levity_ws.frozen import frozen

__all__ = ["Answer", "BadWebhook", "Unreached", "check_url", "post", "shown_host"]

TIMEOUT = 10.0
"""Seconds for the connection, and for each step of the exchange."""
LONGEST = 20.0
"""Seconds for all of it: an answer may come byte by byte."""
ANSWER_BYTES = 4096
# Where clouds serve secrets to machines, in addition to 169.254.169.254, which is link-local.
_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)


class BadWebhook(Exception):
    """It can't be sent there; the text says why, without secrets."""


class Unreached(BadWebhook):
    """No answer came: the receiver, or the way to it, is down."""


@frozen
class Answer:
    """What the receiver answered."""

    status: int
    reason: str
    retry_after: str = ""

    @property
    def is_taken(self) -> bool:
        """2xx."""
        return http.HTTPStatus.OK <= self.status < http.HTTPStatus.MULTIPLE_CHOICES


def check_url(url: str) -> tuple[str, str, int, str]:
    """(scheme, host, port, path with query) of a usable URL, or `BadWebhook`."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise BadWebhook(f"this is not a web address: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadWebhook("a webhook must begin with https:// or http://")
    if parts.username or parts.password:
        raise BadWebhook(
            "no user or password in the address: use the secret or a token in the address"
        )
    if not url.isascii() or not url.isprintable() or " " in url:
        raise BadWebhook("percent-encode special characters")
    path = parts.path or "/"
    return parts.scheme, parts.hostname, port, f"{path}?{parts.query}" if parts.query else path


def shown_host(url: str) -> str:
    """The part of a webhook's address that is shown: the rest may contain a token."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or "a webhook"
    except ValueError:
        return "a webhook"


def allowed_from_environ(environ: Mapping[str, str]) -> frozenset[str]:
    """LEVITY_WEBHOOK_ALLOWED: host names and addresses that are allowed nevertheless."""
    words = environ.get("LEVITY_WEBHOOK_ALLOWED", "").replace(",", " ").split()
    return frozenset(word.lower() for word in words)


def addresses(host: str, port: int, allowed: frozenset[str]) -> list[str]:
    """The addresses of this name; raises `BadWebhook` if one is this machine or a cloud's
    metadata, `Unreached` if the name is unknown.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreached(f"{host} can't be resolved: {error}") from error
    texts = [str(item[4][0]).partition("%")[0] for item in found]
    if host.lower() not in allowed:
        for text in texts:
            if text not in allowed and not _may_be_called(text):
                named = host if host == text else f"{host} ({text})"
                raise BadWebhook(
                    f"{named}: this machine and link-local addresses are not called "
                    "(LEVITY_WEBHOOK_ALLOWED permits one)"
                )
    return texts


def _may_be_called(text: str) -> bool:
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and (inside := ipv4_within(address)):
        return _may_be_called(str(inside))
    return not (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
        or address in _METADATA
    )


def post(url: str, body: bytes, headers: Mapping[str, str], longest: float = LONGEST) -> Answer:
    """Send it; raises `BadWebhook` if it may not be sent there, `Unreached` if no answer came."""
    scheme, host, port, path = check_url(url)
    reached = addresses(host, port, allowed_from_environ(os.environ))
    connection = _connection(scheme, host, port, reached)
    late = threading.Event()
    end = threading.Timer(longest, _hang_up, (connection, late))
    end.daemon = True
    end.start()
    try:
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        answer.read(ANSWER_BYTES)
    except (OSError, ValueError, AttributeError, http.client.HTTPException) as error:
        said = f"took longer than {longest:.0f} s" if late.is_set() else _line(error)
        raise Unreached(f"{host}: {said}") from error
    finally:
        end.cancel()
        connection.close()
    if late.is_set():
        raise Unreached(f"{host}: took longer than {longest:.0f} s")
    return Answer(answer.status, answer.reason, answer.headers.get("Retry-After") or "")


def _hang_up(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    late.set()
    line = connection.sock
    if line is not None:
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)


def _connection(
    scheme: str, host: str, port: int, reached: Sequence[str]
) -> http.client.HTTPConnection:
    """A connection to one of the checked addresses; TLS verifies the name, as usual."""
    connection: http.client.HTTPConnection
    if scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)

    def connect(*_: Any, **__: Any) -> socket.socket:
        error: OSError = OSError("no address")
        for address in reached:
            try:
                return socket.create_connection((address, port), TIMEOUT)
            except OSError as failed:
                error = failed
        raise error

    # HTTPConnection.connect calls this; HTTPS wraps the result in TLS for `host`.
    connection._create_connection = connect  # type: ignore[attr-defined]  # noqa: SLF001
    return connection


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
