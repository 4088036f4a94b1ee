"""Charging profiles: what chargers have accepted, and dropped.

No statement in a batch that has nothing about one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from levity.db.prepared import Prepared
from levity.db.rows import insert_rows, update_rows
from levity.ocpp.effects import ChargingProfileInstalled, ChargingProfilesCleared
from levity.ocpp.models import InstalledProfile
from levity.ocpp.store.values import Outcome, each

__all__ = ["write_charging_profiles"]

State = InstalledProfile.State


@dataclass(slots=True)
class _Known:
    """A profile that is installed."""

    id: int
    charge_point_id: int
    connector: int
    profile_id: int
    stack_level: int
    purpose: str
    session: int | None


def write_charging_profiles(outcomes: Sequence[Outcome]) -> None:
    """Write what was installed and cleared. Of one charge point there is one answer in a batch."""
    told: list[tuple[int, datetime, ChargingProfileInstalled | ChargingProfilesCleared]] = []
    for outcome, charge_point, new in each(outcomes, ChargingProfileInstalled):
        told.append((charge_point.id, outcome.arrival.at, new))
    for outcome, charge_point, cleared in each(outcomes, ChargingProfilesCleared):
        told.append((charge_point.id, outcome.arrival.at, cleared))
    if not told:
        return
    known: dict[int, list[_Known]] = {}
    for row in _INSTALLED.rows(sorted({pk for pk, _, _ in told})):
        known.setdefault(row[1], []).append(_Known(*row))
    ended: list[tuple[Any, ...]] = []
    fresh: list[tuple[Any, ...]] = []
    for pk, at, effect in told:
        mine = known.get(pk, [])
        if isinstance(effect, ChargingProfileInstalled):
            over = [item for item in mine if _replaces(effect, item)]
            why = f"replaced by profile {effect.profile_id}"
            ended += [(item.id, State.REPLACED.value, why, at) for item in over]
            fresh.append(_row(pk, at, effect))
        else:
            over = [item for item in mine if _fits(effect, item)]
            why = (
                "cleared"
                if effect.said == "Accepted"
                else f"when it was cleared, the charger answered {effect.said}: it had none"
            )
            ended += [(item.id, State.CLEARED.value, why, at) for item in over]
    update_rows(InstalledProfile, ("id", "state", "reason", "ended_at"), ended)
    insert_rows(InstalledProfile, COLUMNS, fresh)


COLUMNS = (
    *("charge_point_id", "connector", "profile_id", "stack_level", "purpose", "kind"),
    *("recurrency", "valid_from", "valid_to", "session", "schedule", "state", "reason"),
    *("installed_at", "command_id"),
)


def _row(pk: int, at: datetime, new: ChargingProfileInstalled) -> tuple[Any, ...]:
    schedule: Mapping[str, Any] = new.schedule
    return (
        *(pk, new.connector, new.profile_id, new.stack_level, new.purpose, new.kind),
        *(new.recurrency, new.valid_from, new.valid_to, new.session),
        *(orjson.dumps(schedule).decode(), State.INSTALLED.value, "", at, new.command_id),
    )


def _replaces(new: ChargingProfileInstalled, item: _Known) -> bool:
    """OCPP 1.6, 5.16.2: the same id, or the same place, purpose and level."""
    if item.profile_id == new.profile_id:
        return True
    mine = (new.connector, new.purpose, new.stack_level, new.session)
    return (item.connector, item.purpose, item.stack_level, item.session) == mine


def _fits(cleared: ChargingProfilesCleared, item: _Known) -> bool:
    """OCPP 1.6, 5.3: with an id, just that; otherwise all that fit each filter that is given."""
    if cleared.profile_id is not None:
        return item.profile_id == cleared.profile_id
    return (
        cleared.connector in (None, item.connector)
        and cleared.purpose in (None, item.purpose)
        and cleared.stack_level in (None, item.stack_level)
    )


_INSTALLED = Prepared(
    lambda charge_points: (
        InstalledProfile.objects.filter(charge_point__any_of=charge_points, state="installed")
        .order_by("id")
        .values_list(
            *("id", "charge_point_id", "connector", "profile_id", "stack_level"),
            *("purpose", "session"),
        )
    )
)
