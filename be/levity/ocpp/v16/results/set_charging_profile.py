"""SetChargingProfile (OCPP 1.6, 5.16): the charger has taken a limit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from levity.ocpp.effects import ChargingProfileInstalled, Effect
from levity.ocpp.request import Result
from levity.ocpp.wire.fields import INT4_MAX, text, time_of

__all__ = ["installed", "set_charging_profile"]


def set_charging_profile(result: Result) -> tuple[Effect, ...]:
    """Which profile it has now; what was refused leaves no trace but the command."""
    if result.status != "Accepted":
        return ()
    profile = result.asked.get("csChargingProfiles")
    return installed(result, result.asked.get("connectorId"), profile)


def installed(result: Result, connector: Any, profile: Any) -> tuple[Effect, ...]:
    """The effect, if this is a profile that can be recorded."""
    if not isinstance(profile, Mapping):
        return ()
    number, level = profile.get("chargingProfileId"), profile.get("stackLevel")
    if type(number) is not int or abs(number) >= 2**63:
        return ()
    session = profile.get("transactionId")
    schedule = profile.get("chargingSchedule")
    there = type(connector) is int and 0 <= connector <= INT4_MAX
    return (
        ChargingProfileInstalled(
            command_id=result.command_id,
            connector=connector if there else 0,
            profile_id=number,
            stack_level=level if type(level) is int and abs(level) < 2**63 else 0,
            purpose=text(profile, "chargingProfilePurpose", 64),
            kind=text(profile, "chargingProfileKind", 64),
            recurrency=text(profile, "recurrencyKind", 64),
            valid_from=_time(profile, "validFrom"),
            valid_to=_time(profile, "validTo"),
            session=session if type(session) is int and abs(session) < 2**63 else None,
            schedule=schedule if isinstance(schedule, Mapping) else {},
        ),
    )


def _time(profile: Mapping[str, Any], name: str) -> datetime | None:
    return time_of(profile.get(name))
