"""The Calls that a central system sends, what is wrong with one, and which answers mean "done";
and what is peculiar to some Calls of chargers."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from levity.ocpp.v16.schemas import SCHEMAS

__all__ = [
    "ACTIONS",
    "ASKS_TIME",
    "BEGINS",
    "CARRIERS",
    "DONE",
    "ENDS",
    "FREQUENT",
    "LISTS",
    "MATTERS",
    "SAMPLES",
    "TELLING",
    "TIMELESS",
    "wrong_with",
]

# OCPP 1.6, chapter 5, and the security whitepaper.
ACTIONS = (
    "CancelReservation",
    "CertificateSigned",
    "ChangeAvailability",
    "ChangeConfiguration",
    "ClearCache",
    "ClearChargingProfile",
    "DataTransfer",
    "DeleteCertificate",
    "ExtendedTriggerMessage",
    "GetCompositeSchedule",
    "GetConfiguration",
    "GetDiagnostics",
    "GetInstalledCertificateIds",
    "GetLocalListVersion",
    "GetLog",
    "InstallCertificate",
    "RemoteStartTransaction",
    "RemoteStopTransaction",
    "ReserveNow",
    "Reset",
    "SendLocalList",
    "SetChargingProfile",
    "SignedUpdateFirmware",
    "TriggerMessage",
    "UnlockConnector",
    "UpdateFirmware",
)

MATTERS = frozenset(
    {
        *("CancelReservation", "ChangeAvailability", "ChangeConfiguration", "ClearCache"),
        *("DeleteCertificate", "InstallCertificate", "RemoteStartTransaction"),
        *("RemoteStopTransaction", "ReserveNow", "Reset", "SendLocalList", "SetChargingProfile"),
        *("SignedUpdateFirmware", "UnlockConnector", "UpdateFirmware"),
    }
)
"""Calls that change what a car may draw, who may charge, or what protects. (A certificate that is
refused is an alert of its own kind.)"""

CARRIERS = frozenset(
    {
        "ChangeConfiguration",
        "DataTransfer",
        "GetDiagnostics",
        "GetLog",
        "SignedUpdateFirmware",
        "UpdateFirmware",
    }
)
"""Calls that can hold a secret."""
LISTS: Mapping[str, str] = {"SendLocalList": "localAuthorizationList"}
"""Calls that name id tags, also of other sites -> the field with them."""
TELLING = frozenset({"GetConfiguration", "ChangeConfiguration", "DataTransfer"})
"""Calls whose answers may tell one: Grizzl-E Smart Connect (GWM-07.020) shows its password."""

TIMELESS = frozenset({"Authorize", "Heartbeat", "StatusNotification"})
"""Calls of chargers that may come again word for word, where the charger's ids begin anew, and mean
now."""
ASKS_TIME = "Heartbeat"
FREQUENT = frozenset({"Heartbeat", "MeterValues"})
"""Calls of chargers that come every few seconds or minutes."""
BEGINS, ENDS, SAMPLES = "StartTransaction", "StopTransaction", "MeterValues"
"""The Calls of chargers that begin a session, end it, and bring samples of it."""

DONE = frozenset({"", "Accepted", "Scheduled", "Unlocked", "RebootRequired"})
"""The `status` of answers with which the charger did, or will do, what it was asked for (OCPP 1.6,
chapter 6). Empty: an answer without one is an answer all the same (GetConfiguration)."""


def wrong_with(action: str, payload: Any) -> str:
    """Why this is no Call of OCPP 1.6, for people; empty if it is one."""
    if action not in ACTIONS:
        alike = get_close_matches(action.lower(), [name.lower() for name in ACTIONS], n=1)
        meant = next((name for name in ACTIONS if alike and name.lower() == alike[0]), "")
        names = f"did you mean {meant}?" if meant else f"there are {', '.join(ACTIONS)}"
        return f"{action[:64]!r} is not a command of OCPP 1.6: {names}"
    if not isinstance(payload, Mapping):
        return f"{action}: the payload must be an object, such as {{}}"
    wrong = SCHEMAS.wrong(action, payload)
    return f"{action}: {wrong}" if wrong else ""
