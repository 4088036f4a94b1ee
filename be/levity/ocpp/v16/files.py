"""Uploads of diagnostics and logs, and firmware updates: which Call asks for which job, and what
the statuses in the messages about them mean (OCPP 1.6, 7.24 and 7.25; security whitepaper)."""

from collections.abc import Mapping
from typing import Any

from levity.ocpp.effects import FileAsked, FileReported
from levity.ocpp.rules.file_jobs import (
    DIAGNOSTICS,
    DONE,
    FAILED,
    FIRMWARE,
    LOG,
    RUNNING,
    SIGNED_FIRMWARE,
)
from levity.ocpp.wire.fields import INT4_MAX
from levity.ocpp.wire.words import FIRMWARE as FIRMWARE_STATUSES
from levity.ocpp.wire.words import UPLOADS

__all__ = ["LOCATIONS", "asked", "firmware_report", "location", "request_id", "upload_report"]

LOCATIONS: Mapping[str, tuple[str, ...]] = {
    "GetDiagnostics": ("location",),
    "UpdateFirmware": ("location",),
    "GetLog": ("log", "remoteLocation"),
    "SignedUpdateFirmware": ("firmware", "location"),
}
"""Where the URL stands in each payload that has one."""

_KINDS: Mapping[str, str] = {
    "GetDiagnostics": DIAGNOSTICS,
    "UpdateFirmware": FIRMWARE,
    "GetLog": LOG,
    "SignedUpdateFirmware": SIGNED_FIRMWARE,
}
_UPLOADS: Mapping[str, str] = {
    "BadMessage": FAILED,
    "NotSupportedOperation": FAILED,
    "PermissionDenied": FAILED,
    "Uploaded": DONE,
    "UploadFailed": FAILED,
    "UploadFailure": FAILED,
    "Uploading": RUNNING,
}
_FIRMWARE: Mapping[str, str] = {
    "Downloaded": RUNNING,
    "DownloadFailed": FAILED,
    "Downloading": RUNNING,
    "DownloadPaused": RUNNING,
    "DownloadScheduled": RUNNING,
    "InstallationFailed": FAILED,
    "Installed": DONE,
    "Installing": RUNNING,
    "InstallRebooting": RUNNING,
    "InstallScheduled": RUNNING,
    "InstallVerificationFailed": FAILED,
    "InvalidSignature": FAILED,
    "SignatureVerified": RUNNING,
}
# Idle, and words of a vendor's own, say nothing about a job.


def asked(action: str, payload: Mapping[str, Any]) -> FileAsked | None:
    """The job that this Call asks for; None for every other Call."""
    kind = _KINDS.get(action)
    if kind is None:
        return None
    return FileAsked(kind, request_id(payload), location(action, payload))


def location(action: str, payload: Mapping[str, Any]) -> str:
    """The URL in this payload; empty if there is none."""
    value: Any = payload
    for name in LOCATIONS.get(action, ("",)):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""


def request_id(payload: Mapping[str, Any]) -> int | None:
    """Which GetLog or SignedUpdateFirmware something is about; None: it does not say.

    A charger that reports on nobody's request, such as after a TriggerMessage, may say -1.
    """
    value = payload.get("requestId")
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= INT4_MAX else None


def upload_report(kinds: tuple[str, ...], payload: Mapping[str, Any], said: str) -> FileReported:
    """What this status of an upload means."""
    status = UPLOADS.meant(said)
    return FileReported(kinds, status, _UPLOADS.get(status, ""), request_id(payload))


def firmware_report(kinds: tuple[str, ...], payload: Mapping[str, Any], said: str) -> FileReported:
    """What this status of an update means."""
    status = FIRMWARE_STATUSES.meant(said)
    return FileReported(kinds, status, _FIRMWARE.get(status, ""), request_id(payload))
