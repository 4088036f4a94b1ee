"""The Calls that Levity makes by itself, or that its buttons stand for: (action, payload).

Each is a question in the words of the domain; another version of OCPP asks it otherwise.
"""

from typing import Any

from levity.ocpp.v16.guards import CHANGE, SECURITY_PROFILE

__all__ = [
    "boot",
    "certificate_request",
    "interval",
    "key",
    "new_certificate",
    "security_profile",
    "start",
    "stop",
]

Ask = tuple[str, dict[str, Any]]


def boot() -> Ask:
    """Tell who you are (5.17)."""
    return "TriggerMessage", {"requestedMessage": "BootNotification"}


def interval(seconds: int) -> Ask:
    """Send a heartbeat every so many seconds (9.1.10)."""
    return CHANGE, {"key": "HeartbeatInterval", "value": str(seconds)}


def key(value: str) -> Ask:
    """Come with this key from now on (security whitepaper, A01)."""
    return CHANGE, {"key": "AuthorizationKey", "value": value}


def security_profile(level: int) -> Ask:
    """Come with this security profile from now on (security whitepaper, A05)."""
    return CHANGE, {"key": SECURITY_PROFILE, "value": str(level)}


def start(id_tag: str, connector: int) -> Ask:
    """Begin a session (5.11)."""
    return "RemoteStartTransaction", {"connectorId": connector, "idTag": id_tag}


def stop(transaction_id: int) -> Ask:
    """End a session (5.12)."""
    return "RemoteStopTransaction", {"transactionId": transaction_id}


def certificate_request() -> Ask:
    """Make a new key, and ask for a certificate (security whitepaper, A02)."""
    return "ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}


def new_certificate(chain: str) -> Ask:
    """Take this certificate (security whitepaper, A02)."""
    return "CertificateSigned", {"certificateChain": chain}
