"""The Calls that Levity makes by itself, or that its buttons stand for: (action, payload).

Each is a question in the words of the domain; another version of OCPP asks it otherwise.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from levity.ocpp.effects import CertificateHash
from levity.ocpp.rules.asking import Booking, KeptProfile
from levity.ocpp.rules.local_list import Entry, Part
from levity.ocpp.v16.guards import CHANGE, SECURITY_PROFILE
from levity.ocpp.wire.fields import wire_time

__all__ = [
    "boot",
    "cancel_reservation",
    "certificate_request",
    "clear_profile",
    "current_limit",
    "diagnostics",
    "firmware",
    "interval",
    "key",
    "list_limits",
    "list_part",
    "list_version",
    "log",
    "new_certificate",
    "no_root_certificate",
    "profile",
    "reserve",
    "root_certificates",
    "security_profile",
    "signed_firmware",
    "start",
    "stop",
]

Ask = tuple[str, dict[str, Any]]
# Of an upload or a download that fails: seconds between two tries.
RETRIES = {"retries": 2, "retryInterval": 60}


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


def stop(transaction_id: int | str) -> Ask:
    """End a session (5.12)."""
    return "RemoteStopTransaction", {"transactionId": transaction_id}


def certificate_request() -> Ask:
    """Make a new key, and ask for a certificate (security whitepaper, A02)."""
    return "ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}


def new_certificate(chain: str) -> Ask:
    """Take this certificate (security whitepaper, A02)."""
    return "CertificateSigned", {"certificateChain": chain}


def diagnostics(location: str, since: datetime | None, until: datetime | None) -> Ask:
    """Upload diagnostics into this place (5.9)."""
    return "GetDiagnostics", {
        "location": location,
        **({"startTime": wire_time(since)} if since else {}),
        **({"stopTime": wire_time(until)} if until else {}),
        **RETRIES,
    }


def log(
    location: str, kind: str, request: int, since: datetime | None, until: datetime | None
) -> Ask:
    """Upload this log (DiagnosticsLog, SecurityLog) into this place (whitepaper, N01)."""
    return "GetLog", {
        "logType": kind,
        "requestId": request,
        "log": {
            "remoteLocation": location,
            **({"oldestTimestamp": wire_time(since)} if since else {}),
            **({"latestTimestamp": wire_time(until)} if until else {}),
        },
        **RETRIES,
    }


def firmware(location: str, at: datetime) -> Ask:
    """Fetch this firmware from then on, and install it (5.19)."""
    return "UpdateFirmware", {"location": location, "retrieveDate": wire_time(at), **RETRIES}


def signed_firmware(
    location: str, at: datetime, request: int, certificate: str, signature: str
) -> Ask:
    """Fetch this firmware, check its signature, and install it (security whitepaper, L01)."""
    return "SignedUpdateFirmware", {
        "requestId": request,
        "firmware": {
            "location": location,
            "retrieveDateTime": wire_time(at),
            "signingCertificate": certificate,
            "signature": signature,
        },
        **RETRIES,
    }


def reserve(booking: Booking) -> Ask:
    """Keep a connector for somebody (5.13)."""
    payload: dict[str, Any] = {
        "connectorId": booking.connector,
        "expiryDate": wire_time(booking.until),
        "idTag": booking.id_tag,
        "reservationId": booking.number,
    }
    if booking.parent:
        payload["parentIdTag"] = booking.parent
    return "ReserveNow", payload


def cancel_reservation(number: int) -> Ask:
    """Keep it no longer (5.2)."""
    return "CancelReservation", {"reservationId": number}


def list_version() -> Ask:
    """Which version has your local list? (5.10)"""
    return "GetLocalListVersion", {}


def list_limits() -> Ask:
    """How much do you take? (9.2)"""
    keys = ["LocalAuthListEnabled", "LocalAuthListMaxLength", "SendLocalListMaxLength"]
    return "GetConfiguration", {"key": keys}


def list_part(part: Part) -> Ask:
    """Put these entries on your local list, or take them off it (5.15)."""
    return "SendLocalList", {
        "listVersion": part.version,
        "localAuthorizationList": [_listed(tag, entry) for tag, entry in part.entries],
        "updateType": "Full" if part.is_full else "Differential",
    }


def _listed(tag: str, entry: Entry | None) -> dict[str, Any]:
    if entry is None:
        return {"idTag": tag}
    info: dict[str, Any] = {"status": entry.status}
    if entry.expires_at is not None:
        info["expiryDate"] = wire_time(entry.expires_at)
    if entry.parent:
        info["parentIdTag"] = entry.parent
    return {"idTag": tag, "idTagInfo": info}


def clear_profile(profile_id: int) -> Ask:
    """Drop the charging profile of this id (5.3)."""
    return "ClearChargingProfile", {"id": profile_id}


def profile(kept: KeptProfile) -> Ask:
    """Have this charging profile (5.16)."""
    given: dict[str, Any] = {
        "chargingProfileId": kept.number,
        "stackLevel": kept.level,
        "chargingProfilePurpose": kept.purpose,
        "chargingProfileKind": kept.kind,
        "chargingSchedule": dict(kept.schedule),
    }
    if kept.recurrency:
        given["recurrencyKind"] = kept.recurrency
    if kept.valid_from is not None:
        given["validFrom"] = wire_time(kept.valid_from)
    if kept.valid_to is not None:
        given["validTo"] = wire_time(kept.valid_to)
    return "SetChargingProfile", {"connectorId": kept.connector, "csChargingProfiles": given}


def current_limit(connector: int, amps: Decimal, profile_id: int) -> Ask:
    """Let no session take more than this, each phase, until this profile is cleared (5.16)."""
    period = {"startPeriod": 0, "limit": float(amps)}
    return "SetChargingProfile", {
        "connectorId": connector,
        "csChargingProfiles": {
            "chargingProfileId": profile_id,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [period]},
        },
    }


def root_certificates(kind: str) -> Ask:
    """Which certificates of this type do you have? (security whitepaper, M03)"""
    return "GetInstalledCertificateIds", {"certificateType": kind}


def no_root_certificate(named: CertificateHash) -> Ask:
    """Trust this authority no longer (security whitepaper, M04)."""
    return "DeleteCertificate", {
        "certificateHashData": {
            "hashAlgorithm": named.algorithm,
            "issuerNameHash": named.issuer_name,
            "issuerKeyHash": named.issuer_key,
            "serialNumber": named.serial_number,
        }
    }
