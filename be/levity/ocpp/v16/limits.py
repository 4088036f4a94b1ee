"""A limit of a charge point that always holds: how OCPP 1.6 sets it, removes it, and asks what the
charger allows.

Two ways, because chargers differ: some refuse a profile of the whole charger (EVBox Elvi), some
accept it without any effect (Grizzl-E 03.09). A default for each session is known by all that know
profiles.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from levity.ocpp.wire.fields import wire_time
from levity.writing import gettext_noop

__all__ = [
    "ASKS",
    "UNIT_KEY",
    "WAYS",
    "check",
    "is_check",
    "remove",
    "said",
    "set_limit",
    "wanted",
    "way_of",
]

Ask = tuple[str, dict[str, Any]]

SET, REMOVE, CHECK = "SetChargingProfile", "ClearChargingProfile", "GetCompositeSchedule"
ASKS = frozenset({SET, REMOVE, CHECK})
WAYS: Mapping[str, str] = {
    "charger": gettext_noop("the whole charger (ChargePointMaxProfile)"),
    "session": gettext_noop("each session (TxDefaultProfile)"),
}
# The way -> (purpose, number of the profile, connector of which the schedule is asked for).
# Level 0: some chargers know no other (ABB Terra AC, EVBox Elvi).
_OF_WAY: Mapping[str, tuple[str, int, int]] = {
    "charger": ("ChargePointMaxProfile", 9001, 0),
    "session": ("TxDefaultProfile", 9002, 1),
}
UNIT_KEY = "chargingscheduleallowedchargingrateunit"
"""The key that names the units that the charger knows, in lower case."""
LEVEL = 0
VOLTS = 230
USUAL_PHASES = 3
"""Of W without a number of phases (OCPP 1.6, erratum 3.69): W counts all of them."""
SECONDS = 300
"""Of the schedule that is asked for."""
# The begin lies in the past, so that there is no gap (erratum 5.16.4) by a clock that is late.
BEGAN = timedelta(minutes=1)


def set_limit(way: str, amperes: Decimal, unit: str, phases: int, now: datetime) -> Ask:
    """At most so many A on each phase, from now on, without an end."""
    purpose, number, _ = _OF_WAY[way]
    period: dict[str, Any] = {"startPeriod": 0, "limit": float(amperes)}
    if unit == "W":
        period |= {"limit": float(amperes * VOLTS * phases), "numberPhases": phases}
    return SET, {
        "connectorId": 0,
        "csChargingProfiles": {
            "chargingProfileId": number,
            "stackLevel": LEVEL,
            "chargingProfilePurpose": purpose,
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "chargingRateUnit": unit,
                "startSchedule": wire_time((now - BEGAN).replace(microsecond=0)),
                "chargingSchedulePeriod": [period],
            },
        },
    }


def remove(way: str) -> Ask:
    """Only our own: a Call without any field would remove all (erratum 3.25)."""
    return REMOVE, {"id": _OF_WAY[way][1]}


def check(way: str) -> Ask:
    """Which limit does the charger go by?"""
    return CHECK, {"connectorId": _OF_WAY[way][2], "duration": SECONDS, "chargingRateUnit": "A"}


def is_check(action: str, payload: Any) -> bool:
    """True for a Call that asks so."""
    return action == CHECK and isinstance(payload, Mapping)


def way_of(action: str, payload: Any) -> str:
    """The way in which this Call sets or removes our limit; empty for every other Call."""
    if not isinstance(payload, Mapping) or action not in (SET, REMOVE):
        return ""
    profile = payload.get("csChargingProfiles") if action == SET else payload
    number = profile.get("chargingProfileId" if action == SET else "id") if profile else None
    return next((way for way, (_, own, _) in _OF_WAY.items() if own == number), "")


def wanted(action: str, payload: Any) -> Decimal | None:
    """How many A this Call of ours sets; None if it removes the limit."""
    if action != SET:
        return None
    return _amperes(payload["csChargingProfiles"]["chargingSchedule"])


def said(result: Any) -> Decimal | None:
    """How many A on a phase the charger allows now, by its answer; None if it does not tell."""
    schedule = result.get("chargingSchedule") if isinstance(result, Mapping) else None
    return _amperes(schedule)


def _amperes(schedule: Any) -> Decimal | None:
    periods = schedule.get("chargingSchedulePeriod") if isinstance(schedule, Mapping) else None
    first = periods[0] if isinstance(periods, list) and periods else None
    if not isinstance(first, Mapping):
        return None
    limit = _number(first.get("limit"))
    if limit is None or schedule.get("chargingRateUnit") != "W":
        return limit
    phases = _number(first.get("numberPhases")) or Decimal(USUAL_PHASES)
    return round(limit / (VOLTS * phases), 1)


def _number(value: Any) -> Decimal | None:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and 0 <= found < 1_000_000 else None
