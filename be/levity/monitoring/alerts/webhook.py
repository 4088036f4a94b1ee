"""A signed POST to an address that an administrator gave, and nowhere else.

The name is looked up once, every address it has is checked, and the connection is made to the
very address that was checked: no redirect is followed, and no second look-up can lead elsewhere.
"""

import hashlib
import hmac
import http.client
import ipaddress
import json
import os
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from levity_ws import __version__

__all__ = [
    "BadWebhook",
    "allowed_from_environ",
    "check_url",
    "post",
    "shown_host",
    "signature",
]

TIMEOUT = 10.0
ANSWER_BYTES = 4096
# Where clouds serve secrets to machines, in addition to 169.254.169.254, which is link-local.
_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)


class BadWebhook(Exception):
    """It can't be sent there; the text says why, without secrets."""


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
    metadata.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise BadWebhook(f"{host} can't be resolved: {error}") from error
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
    if isinstance(address, ipaddress.IPv6Address) and (inside := address.ipv4_mapped):
        return _may_be_called(str(inside))
    return not (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
        or address in _METADATA
    )


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What the receiver computes and compares: HMAC-SHA256 over `timestamp.body`, as hex."""
    signed = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def post(url: str, secret: str, delivery: str, payload: Mapping[str, Any]) -> None:
    """Send it; raises `BadWebhook` unless the receiver answers 2xx within ten seconds."""
    scheme, host, port, path = check_url(url)
    body = json.dumps(payload).encode()
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Levity/{__version__}",
        "X-Levity-Delivery": delivery,
        "X-Levity-Timestamp": timestamp,
    }
    if secret:
        headers["X-Levity-Signature"] = signature(secret, timestamp, body)
    reached = addresses(host, port, allowed_from_environ(os.environ))
    connection = _connection(scheme, host, port, reached)
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read(ANSWER_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise BadWebhook(f"{host}: {_line(error)}") from error
    finally:
        connection.close()
    if not http.HTTPStatus.OK <= answer.status < http.HTTPStatus.MULTIPLE_CHOICES:
        raise BadWebhook(f"{host} answered {answer.status} {answer.reason}"[:200])


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
