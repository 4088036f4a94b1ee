"""Charge points with keys, and chargers that present them."""

import base64
from typing import Any

from levity.ocpp.chargers.security.keys import digest_of
from levity.ocpp.models import ChargePoint, Credential
from levity_ws.rpc.envelope import Accept, Authenticate, Refuse
from tests.ocpp.charger import CentralSystem, Charger

__all__ = ["KEY", "asks", "basic", "charge_point", "status"]

KEY = "00112233445566778899aabbccddeeff00112233"
"""20 bytes in hexadecimal, as AuthorizationKey."""


def charge_point(
    identity: str = "CP1", profile: int = 1, key: str | bytes | None = KEY, **more: Any
) -> ChargePoint:
    """A charge point that is on the books with this key (None: none)."""
    row = ChargePoint.objects.create(identity=identity, security_profile=profile)
    raw = key.encode() if isinstance(key, str) else key
    Credential.objects.create(
        charge_point=row, digest="" if raw is None else digest_of(raw), **more
    )
    return row


def basic(username: str | bytes = "CP1", password: str | bytes = KEY) -> str:
    """The Authorization header."""
    name = username.encode() if isinstance(username, str) else username
    secret = password.encode() if isinstance(password, str) else password
    return "Basic " + base64.b64encode(name + b":" + secret).decode()


def asks(
    site: CentralSystem,
    identity: str = "CP1",
    *,
    remote: str = "192.0.2.1",
    at: float | None = None,
    **more: Any,
) -> Accept | Refuse:
    """What a charger is told that connects so."""
    charger = Charger(identity)
    if at is not None:
        charger.now = at
    event: Authenticate = charger.asks(remote=remote, **more)
    (verdict,) = [
        item for item in site.take(event).reply.commands if isinstance(item, Accept | Refuse)
    ]
    return verdict


def status(verdict: Accept | Refuse) -> int:
    """The HTTP status."""
    return 101 if isinstance(verdict, Accept) else verdict.status
