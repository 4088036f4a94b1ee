"""What a charger answers to the central system: a Call goes in, a reply and deeds come out.

Pure: the deeds are done by `charge_point.py`, after the reply is on its way.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from levity.simulator.connector import Connector
from levity.simulator.kept import Free, KeepList, Kept, Reservation, cancel, reserve, updated_list
from levity.simulator.profiles import Profile

__all__ = [
    "BootAgain",
    "ChangeOperative",
    "Deed",
    "LimitPower",
    "Reboot",
    "Reply",
    "RunDiagnostics",
    "RunFirmwareUpdate",
    "SetKey",
    "StartRemotely",
    "State",
    "StopRemotely",
    "Trigger",
    "Unlock",
    "answer_to",
]


@dataclass(frozen=True, slots=True)
class StartRemotely:
    """Close the contactor of this connector for this tag."""

    connector: int
    id_tag: str


@dataclass(frozen=True, slots=True)
class StopRemotely:
    """End this connector's transaction with reason Remote."""

    connector: int


@dataclass(frozen=True, slots=True)
class Reboot:
    """Stop all transactions with `reason` (None: as a power cut) and boot again."""

    reason: str | None


@dataclass(frozen=True, slots=True)
class BootAgain:
    """Send BootNotification without a reboot."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Send this message, for this connector (None: all of them)."""

    action: str
    connector: int | None


@dataclass(frozen=True, slots=True)
class RunDiagnostics:
    """Upload: the sequence of DiagnosticsStatusNotifications, or of what `action` says."""

    location: str = ""
    name: str = ""
    action: str = "DiagnosticsStatusNotification"
    request_id: int | None = None


@dataclass(frozen=True, slots=True)
class RunFirmwareUpdate:
    """Download and install: the sequence of FirmwareStatusNotifications, and a reboot."""

    location: str = ""


@dataclass(frozen=True, slots=True)
class ChangeOperative:
    """Make a connector (0: all) available or not, once no transaction runs on it."""

    connector: int
    operative: bool


@dataclass(frozen=True, slots=True)
class Unlock:
    """Release the cable: ends the transaction of that connector with reason UnlockCommand."""

    connector: int


@dataclass(frozen=True, slots=True)
class SetKey:
    """Store a configuration key."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class LimitPower:
    """Limit a connector (0: all) to so many W; None lifts the limit."""

    connector: int
    watts: float | None


Deed = (
    StartRemotely
    | StopRemotely
    | Reboot
    | BootAgain
    | Trigger
    | RunDiagnostics
    | RunFirmwareUpdate
    | ChangeOperative
    | Unlock
    | SetKey
    | LimitPower
    | Reservation
    | Free
    | KeepList
)


@dataclass(frozen=True, slots=True)
class Reply:
    """A CALLRESULT with `payload`, or a CALLERROR with `error` if that is not empty."""

    payload: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    description: str = ""
    deeds: tuple[Deed, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """What an answer depends on. `fixed` keys are read-only."""

    profile: Profile
    connectors: Sequence[Connector]
    keys: Mapping[str, str]
    fixed: frozenset[str]
    now: datetime
    kept: Kept = field(default_factory=Kept)


_Handler = Callable[[State, Mapping[str, Any]], Reply]


def answer_to(state: State, action: str, payload: Mapping[str, Any]) -> Reply:
    """The reply to one Call. One that cannot be understood is a CALLERROR, never an exception."""
    if action not in _HANDLERS:
        return Reply(error="NotImplemented", description=f"no action {action!r}"[:255])
    feature, handler = _HANDLERS[action]
    if feature not in state.profile.feature_profiles:
        return Reply(error="NotSupported", description=f"{feature} is not supported")
    try:
        return handler(state, payload)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Reply(error="FormationViolation", description=f"{action}: {error!r}"[:255])


def _status(status: str, *deeds: Deed | None) -> Reply:
    return Reply({"status": status}, deeds=tuple(deed for deed in deeds if deed is not None))


def _found(state: State, number: int) -> Connector | None:
    return next((each for each in state.connectors if each.number == number), None)


def _remote_start(state: State, payload: Mapping[str, Any]) -> Reply:
    habit = state.profile.remote_start
    tag = str(payload["idTag"])
    if habit.refuses_charging_profile and "chargingProfile" in payload:
        return Reply(error="ProtocolError", description="chargingProfile is not supported")
    if habit.required_tag is not None and tag != habit.required_tag:
        return _status("Rejected")
    wanted = payload.get("connectorId")
    fitting = [
        each
        for each in state.connectors
        if wanted in (None, each.number)
        and each.transaction is None
        and each.operative
        and (each.status in ("Available", "Preparing", "Finishing") or each.is_held_for(tag))
    ]
    fitting.sort(key=lambda each: not each.plugged)
    if not fitting:
        return _status("Rejected")
    prepared_at = fitting[0].prepared_at
    if prepared_at is not None and (state.now - prepared_at).total_seconds() < habit.deaf_for:
        return _status("Accepted")
    return _status("Accepted", StartRemotely(fitting[0].number, tag))


def _remote_stop(state: State, payload: Mapping[str, Any]) -> Reply:
    for connector in state.connectors:
        running = connector.transaction
        if running is not None and running.id == payload["transactionId"]:
            return _status("Accepted", StopRemotely(connector.number))
    return _status("Rejected")


def _reset(state: State, payload: Mapping[str, Any]) -> Reply:
    kind = payload["type"]
    if kind not in ("Hard", "Soft"):
        return Reply(error="PropertyConstraintViolation", description="type is Hard or Soft")
    return _status("Accepted", Reboot(f"{kind}Reset"))


def _change_availability(state: State, payload: Mapping[str, Any]) -> Reply:
    number, operative = int(payload["connectorId"]), payload["type"] == "Operative"
    concerned = [each for each in state.connectors if number in (0, each.number)]
    if not concerned:
        return _status("Rejected")
    busy = any(each.transaction is not None for each in concerned)
    return _status("Scheduled" if busy else "Accepted", ChangeOperative(number, operative))


def _get_configuration(state: State, payload: Mapping[str, Any]) -> Reply:
    wanted = payload.get("key") or list(state.keys)
    known = [
        {"key": key, "readonly": key in state.fixed, "value": state.keys[key]}
        for key in wanted
        if key in state.keys
    ]
    answer: dict[str, Any] = {"configurationKey": known}
    unknown = [key for key in wanted if key not in state.keys]
    if unknown:
        answer["unknownKey"] = unknown
    return Reply(answer)


def _change_configuration(state: State, payload: Mapping[str, Any]) -> Reply:
    key, value = payload["key"], str(payload["value"])
    if key not in state.keys:
        return _status("NotSupported")
    if key in state.fixed or (key.endswith("Interval") and not value.isdecimal()):
        return _status("Rejected")
    if key in state.profile.reboots_after_configuring:
        return _status("Accepted", SetKey(key, value), Reboot(None))
    return _status("Accepted", SetKey(key, value))


def _trigger_message(state: State, payload: Mapping[str, Any]) -> Reply:
    wanted, number = payload["requestedMessage"], payload.get("connectorId")
    if number is not None and _found(state, number) is None:
        return _status("Rejected")
    if wanted == "BootNotification":
        return _status("Accepted", BootAgain())
    if wanted in (
        "Heartbeat",
        "StatusNotification",
        "MeterValues",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
    ):
        return _status("Accepted", Trigger(wanted, number))
    return _status("NotImplemented")


def _unlock_connector(state: State, payload: Mapping[str, Any]) -> Reply:
    connector = _found(state, payload["connectorId"])
    return (
        _status("NotSupported")
        if connector is None
        else _status("Unlocked", Unlock(connector.number))
    )


def _set_charging_profile(state: State, payload: Mapping[str, Any]) -> Reply:
    schedule = payload["csChargingProfiles"]["chargingSchedule"]
    limit = float(schedule["chargingSchedulePeriod"][0]["limit"])
    if schedule["chargingRateUnit"] == "A":
        limit *= 230.0 * state.profile.phases
    return _status("Accepted", LimitPower(payload["connectorId"], limit))


def _get_composite_schedule(state: State, payload: Mapping[str, Any]) -> Reply:
    number = int(payload["connectorId"])
    concerned = [each for each in state.connectors if number in (0, each.number)]
    limits = [each.meter.limit for each in concerned if each.meter.limit is not None]
    if not limits:
        return _status("Rejected")
    unit = payload.get("chargingRateUnit", "A")
    limit = min(limits) if unit == "W" else min(limits) / (230.0 * state.profile.phases)
    schedule = {
        "duration": int(payload["duration"]),
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": round(limit, 1)}],
    }
    answer = {
        "status": "Accepted",
        "connectorId": number,
        "scheduleStart": state.now.isoformat(),
        "chargingSchedule": schedule,
    }
    return Reply(answer)


def _clear_charging_profile(state: State, payload: Mapping[str, Any]) -> Reply:
    if all(each.meter.limit is None for each in state.connectors):
        return _status("Unknown")
    return _status("Accepted", LimitPower(payload.get("connectorId", 0), None))


def _get_diagnostics(state: State, payload: Mapping[str, Any]) -> Reply:
    name = f"diagnostics-{state.now:%Y%m%d}.log"
    return Reply({"fileName": name}, deeds=(RunDiagnostics(str(payload["location"]), name),))


def _get_log(state: State, payload: Mapping[str, Any]) -> Reply:
    name = f"{payload['logType']}-{state.now:%Y%m%d}.log".lower()
    deed = RunDiagnostics(
        str(payload["log"]["remoteLocation"]),
        name,
        "LogStatusNotification",
        int(payload["requestId"]),
    )
    return Reply({"status": "Accepted", "filename": name}, deeds=(deed,))


_HANDLERS: Mapping[str, tuple[str, _Handler]] = {
    "ChangeAvailability": ("Core", _change_availability),
    "ChangeConfiguration": ("Core", _change_configuration),
    "ClearCache": ("Core", lambda state, payload: _status("Accepted")),
    "DataTransfer": ("Core", lambda state, payload: _status("UnknownVendorId")),
    "GetConfiguration": ("Core", _get_configuration),
    "RemoteStartTransaction": ("Core", _remote_start),
    "RemoteStopTransaction": ("Core", _remote_stop),
    "Reset": ("Core", _reset),
    "UnlockConnector": ("Core", _unlock_connector),
    "TriggerMessage": ("RemoteTrigger", _trigger_message),
    "GetDiagnostics": ("FirmwareManagement", _get_diagnostics),
    "GetLog": ("FirmwareManagement", _get_log),
    "UpdateFirmware": (
        "FirmwareManagement",
        lambda state, payload: Reply(deeds=(RunFirmwareUpdate(str(payload["location"])),)),
    ),
    "SetChargingProfile": ("SmartCharging", _set_charging_profile),
    "ClearChargingProfile": ("SmartCharging", _clear_charging_profile),
    "GetCompositeSchedule": ("SmartCharging", _get_composite_schedule),
    "GetLocalListVersion": (
        "LocalAuthListManagement",
        lambda state, payload: Reply({"listVersion": state.kept.local_list.version}),
    ),
    "SendLocalList": (
        "LocalAuthListManagement",
        lambda state, payload: _status(*updated_list(state.kept, state.keys, payload)),
    ),
    "ReserveNow": (
        "Reservation",
        lambda state, payload: _status(*reserve(state.kept, state.connectors, payload)),
    ),
    "CancelReservation": (
        "Reservation",
        lambda state, payload: _status(*cancel(state.kept, payload)),
    ),
}
