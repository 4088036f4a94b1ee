"""Why a charger may have said no: what its own keys say about a Call that it has refused.

Hints for people, never a decision.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["TELLS_KEYS", "hints", "keys_in"]

Keys = Mapping[str, tuple[str, bool]]
"""Key in lower case -> (value, it is read-only)."""
TELLS_KEYS = "GetConfiguration"
"""The Call whose answers tell keys."""
ASK_FOR_KEYS = (
    "Send GetConfiguration: the charger's configuration keys may show why and will be evaluated "
    "here."
)

# Calls -> the feature profile of OCPP 1.6 that has them.
_PROFILE_OF: Mapping[str, str] = {
    "CancelReservation": "Reservation",
    "ClearChargingProfile": "SmartCharging",
    "GetCompositeSchedule": "SmartCharging",
    "GetDiagnostics": "FirmwareManagement",
    "GetLocalListVersion": "LocalAuthListManagement",
    "ReserveNow": "Reservation",
    "SendLocalList": "LocalAuthListManagement",
    "SetChargingProfile": "SmartCharging",
    "TriggerMessage": "RemoteTrigger",
    "UpdateFirmware": "FirmwareManagement",
}
_BY_STATUS: Mapping[tuple[str, str], str] = {
    ("SendLocalList", "VersionMismatch"): (
        "Its list has another version: query it with GetLocalListVersion, or send a Full list."
    ),
    ("SendLocalList", "Failed"): "Send a Full list: a Differential one needs the entries before.",
    ("ReserveNow", "Occupied"): "The connector is in use or reserved.",
    ("ReserveNow", "Faulted"): "The connector has a fault.",
    ("ReserveNow", "Unavailable"): "The connector is out of service: see ChangeAvailability.",
    ("UnlockConnector", "NotSupported"): (
        "It has no lock to open: the cable is attached, or held by the car."
    ),
    ("RemoteStopTransaction", "Rejected"): "It has no running session with this transactionId.",
}


def keys_in(answer: Any) -> dict[str, tuple[str, bool]]:
    """The keys in an answer to GetConfiguration."""
    keys: dict[str, tuple[str, bool]] = {}
    listed = answer.get("configurationKey") if isinstance(answer, Mapping) else None
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, Mapping) and isinstance(item.get("key"), str):
            value = str(item.get("value") or "")[:500]
            keys.setdefault(item["key"].lower(), (value, item.get("readonly") is True))
    return keys


def hints(
    action: str,
    payload: Mapping[str, Any],
    status: str,
    keys: Keys,
    *,
    runs: bool,
    has_all: bool = False,
) -> list[str]:
    """What may be the reason why this was not done, a sentence each; empty: no idea.

    `runs`: a session runs there. `has_all`: the charger was asked for all of its keys.
    """
    found = [
        *_by_keys(action, payload, keys, has_all=has_all),
        *_by_sessions(action, payload, runs=runs),
    ]
    if said := _BY_STATUS.get((action, status)):
        found.append(said)
    return found if found or keys else [ASK_FOR_KEYS]


def _by_keys(
    action: str, payload: Mapping[str, Any], keys: Keys, *, has_all: bool
) -> Iterator[str]:
    profiles, _ = keys.get("supportedfeatureprofiles", ("", True))
    wanted = _PROFILE_OF.get(action)
    if wanted and profiles and wanted not in _listed(profiles):
        yield f"Its SupportedFeatureProfiles are “{profiles}”: {wanted} is not among them."
    if action in ("SetChargingProfile", "RemoteStartTransaction"):
        profile = payload.get("csChargingProfiles") or payload.get("chargingProfile")
        if isinstance(profile, Mapping):
            yield from _of_profile(profile, keys)
    elif action == "ChangeConfiguration":
        yield from _of_key(str(payload.get("key", "")), keys, has_all=has_all)
    elif action == "SendLocalList":
        yield from _of_list(payload, keys)
    elif action == "ReserveNow" and payload.get("connectorId") == 0:
        zero, _ = keys.get("reserveconnectorzerosupported", ("", True))
        if zero.lower() == "false":
            yield "It reserves no connector 0 (ReserveConnectorZeroSupported is false): name one."


def _of_profile(profile: Mapping[str, Any], keys: Keys) -> Iterator[str]:
    schedule = profile.get("chargingSchedule")
    schedule = schedule if isinstance(schedule, Mapping) else {}
    unit = schedule.get("chargingRateUnit")
    allowed, _ = keys.get("chargingscheduleallowedchargingrateunit", ("", True))
    # The words are Current and Power; some say A and W.
    words = {"A": ("current", "a"), "W": ("power", "w")}
    listed = {word.lower() for word in _listed(allowed)}
    if unit in words and listed and not listed.intersection(words[unit]):
        other = "W" if unit == "A" else "A"
        yield (
            f"It accepts limits in {other} only (ChargingScheduleAllowedChargingRateUnit is "
            f"“{allowed}”), and this one is in {unit}."
        )
    level, most = profile.get("stackLevel"), _number(keys, "chargeprofilemaxstacklevel")
    if isinstance(level, int) and most is not None and level > most:
        yield f"It accepts stack levels up to {most} (ChargeProfileMaxStackLevel), not {level}."
    periods, most = (
        schedule.get("chargingSchedulePeriod"),
        _number(keys, "chargingschedulemaxperiods"),
    )
    if isinstance(periods, Sequence) and most is not None and len(periods) > most:
        yield f"It accepts at most {most} periods (ChargingScheduleMaxPeriods), not {len(periods)}."


def _of_key(key: str, keys: Keys, *, has_all: bool) -> Iterator[str]:
    known = keys.get(key.lower())
    if known is not None and known[1]:
        yield f"It reports {key[:50]} as read-only."
    elif known is None and has_all and keys:
        yield f"{key[:50]} is not among the keys that it reported."


def _of_list(payload: Mapping[str, Any], keys: Keys) -> Iterator[str]:
    if keys.get("localauthlistenabled", ("", True))[0].lower() == "false":
        yield "Its local list is off (LocalAuthListEnabled is false)."
    tags = payload.get("localAuthorizationList")
    for name in ("SendLocalListMaxLength", "LocalAuthListMaxLength"):
        most = _number(keys, name.lower())
        if isinstance(tags, Sequence) and most is not None and len(tags) > most:
            yield f"It accepts {most} id tags ({name}), not {len(tags)}."


def _by_sessions(action: str, payload: Mapping[str, Any], *, runs: bool) -> Iterator[str]:
    if action != "SetChargingProfile":
        return
    profile = payload.get("csChargingProfiles")
    if not isinstance(profile, Mapping):
        return
    if profile.get("chargingProfilePurpose") != "TxProfile":
        return
    if not runs:
        yield "A TxProfile requires a running session, and there is none."


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _number(keys: Keys, name: str) -> int | None:
    value = keys.get(name, ("", True))[0].strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
