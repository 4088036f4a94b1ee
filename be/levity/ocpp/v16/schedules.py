"""The charging schedules in Calls of OCPP 1.6 and in their answers."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from levity.ocpp.schedules import Period, Schedule
from levity.ocpp.v16.forms.limits import PURPOSES

__all__ = ["schedule_in"]

# OCPP 1.6, 7.12 RecurrencyKindType: how long until it begins anew.
EVERY = {"Daily": 86_400, "Weekly": 604_800}
MOST = 500
LARGEST = 2**31


def schedule_in(payload: Any, answer: Any) -> Schedule | None:
    """That of the answer, or of the profile in the Call; None if neither has one."""
    if isinstance(answer, Mapping) and isinstance(answer.get("chargingSchedule"), Mapping):
        begins = _time(answer.get("scheduleStart"))
        return _schedule(answer["chargingSchedule"], begins, {})
    if not isinstance(payload, Mapping):
        return None
    profile = payload.get("csChargingProfiles") or payload.get("chargingProfile")
    schedule = profile.get("chargingSchedule") if isinstance(profile, Mapping) else None
    if not isinstance(profile, Mapping) or not isinstance(schedule, Mapping):
        return None
    is_relative = profile.get("chargingProfileKind") == "Relative"
    begins = None if is_relative else _time(schedule.get("startSchedule"))
    return _schedule(schedule, begins, profile)


def _schedule(
    schedule: Mapping[str, Any], begins: datetime | None, profile: Mapping[str, Any]
) -> Schedule | None:
    listed = schedule.get("chargingSchedulePeriod")
    found = [_period(item) for item in listed[:MOST]] if isinstance(listed, list) else []
    periods = sorted((item for item in found if item is not None), key=lambda item: item.start)
    if not periods:
        return None
    unit = "W" if schedule.get("chargingRateUnit") == "W" else "A"
    is_recurring = profile.get("chargingProfileKind") == "Recurring"
    return Schedule(
        unit,
        tuple(periods),
        begins,
        _whole(schedule.get("duration")),
        EVERY.get(str(profile.get("recurrencyKind"))) if is_recurring else None,
        tuple(_facts(profile)),
    )


def _facts(profile: Mapping[str, Any]) -> list[tuple[str, str]]:
    purpose = str(profile.get("chargingProfilePurpose") or "")
    found = [("Applies to", dict(PURPOSES).get(purpose, purpose))] if purpose else []
    for name, title in (
        ("stackLevel", "Stack level"),
        ("chargingProfileId", "Number"),
        ("recurrencyKind", "Comes again"),
        ("validFrom", "Valid from"),
        ("validTo", "Valid until"),
    ):
        if profile.get(name) is not None:
            found.append((title, str(profile[name])[:64]))
    return found


def _period(item: Any) -> Period | None:
    if not isinstance(item, Mapping):
        return None
    start = _whole(item.get("startPeriod"))
    try:
        limit = Decimal(str(item.get("limit")))
    except InvalidOperation:
        return None
    if start is None or not limit.is_finite() or not 0 <= limit < LARGEST:
        return None
    return Period(start, limit, _whole(item.get("numberPhases")))


def _whole(value: Any) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 0 <= value < LARGEST else None


def _time(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else None
