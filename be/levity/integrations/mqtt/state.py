"""The state of chargers as MQTT tells it, read in bulk from the tables."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from levity.integrations.mqtt.commands import limit_of
from levity.integrations.mqtt.topics import NO_SITE, level
from levity.ocpp.chargers.faults import is_fault
from levity.ocpp.events import plain
from levity.ocpp.models import PLAUSIBLE, ChargePoint, Connector, InstalledProfile, Transaction
from levity.ocpp.store.samples.plotting import plotted
from levity.ocpp.store.samples.shapes import Names
from levity_ws.frozen import frozen

__all__ = ["NONE", "STATUSES", "ChargerNow", "ConnectorNow", "read", "values_of"]

STATUSES = (
    *("Available", "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"),
    *("Reserved", "Unavailable", "Faulted", "Unknown"),
)
REASONS = {"SuspendedEV": "paused by the car", "SuspendedEVSE": "paused by the charger"}
CURRENT = "Current.Import"
PHASES = {"L1": "l1", "L2": "l2", "L3": "l3", "L1-N": "l1", "L2-N": "l2", "L3-N": "l3"}
FOR_ALL = ("ChargePointMaxProfile", "TxDefaultProfile")
NONE = "none"
LINES = ("l1", "l2", "l3")
NEWEST = 24
Place = tuple[int, int]


@frozen
class ConnectorNow:
    """One connector."""

    place: Place
    """(EVSE, connector)."""
    status: str
    error_code: str
    session: int | None
    power: Decimal
    energy: Decimal
    """Wh of all its sessions together."""
    session_energy: Decimal | None
    currents: Mapping[str, Decimal]
    limit: Decimal | None = None

    @property
    def name(self) -> str:
        """Its level in the topics."""
        evse, number = self.place
        return f"{evse}-{number}" if evse else str(number)


@frozen
class ChargerNow:
    """One charger with its connectors."""

    pk: int
    identity: str
    name: str
    site: str
    vendor: str
    model: str
    firmware: str
    serial: str
    is_online: bool
    connectors: tuple[ConnectorNow, ...]

    @property
    def base(self) -> str:
        """Where its topics are, behind the prefix."""
        return f"{level(self.site) if self.site else NO_SITE}/{level(self.identity)}"


def read(pks: Collection[int] | None = None) -> list[ChargerNow]:
    """These charge points, or all that are in use."""
    rows = ChargePoint.objects.filter(retired_at=None).select_related("site").order_by("pk")
    if pks is not None:
        rows = rows.filter(pk__in=pks)
    found = list(rows)
    keys = [row.pk for row in found]
    connectors: dict[int, list[Connector]] = {pk: [] for pk in keys}
    among = Connector.objects.filter(charge_point__in=keys, number__gt=0)
    for connector in among.select_related("transaction").order_by("evse", "number"):
        connectors[connector.charge_point_id].append(connector)
    sums, limits = _energy(keys), _limits(keys)
    return [
        ChargerNow(
            row.pk,
            row.identity,
            row.name or row.identity,
            row.site.name if row.site else "",
            row.vendor,
            row.model,
            row.firmware_version,
            row.serial_number,
            row.online,
            tuple(_connector(item, sums, limits) for item in connectors[row.pk]),
        )
        for row in found
    ]


def values_of(charger: ChargerNow, connector: ConnectorNow) -> dict[str, Any]:
    """Topic below the connector -> value; None: nothing is known."""
    status = connector.status if connector.status in STATUSES else "Unknown"
    return {
        "status": status,
        "power": plain(connector.power),
        **{
            f"current/{phase}": plain(connector.currents.get(phase)) for phase in ("l1", "l2", "l3")
        },
        "energy": plain(connector.energy),
        "limit": plain(connector.limit),
        "reason": _reason(charger, connector),
        "session": connector.session or 0,
    }


def _connector(
    row: Connector,
    sums: Mapping[tuple[int, int, int], Decimal],
    limits: Mapping[tuple[int, int], Decimal],
) -> ConnectorNow:
    running = row.transaction
    if running is not None and running.state != Transaction.State.ACTIVE:
        running = None
    return ConnectorNow(
        (row.evse, row.number),
        row.status,
        row.error_code,
        running.pk if running else None,
        (running.power if running else None) or Decimal(0),
        sums.get((row.charge_point_id, row.evse, row.number), Decimal(0)),
        running.energy if running else None,
        # Without a session nothing flows, whether or not the charger says so.
        _currents(running.pk) if running else dict.fromkeys(LINES, Decimal(0)),
        _least(limits.get((row.charge_point_id, number)) for number in (0, row.number)),
    )


def _energy(keys: Collection[int]) -> dict[tuple[int, int, int], Decimal]:
    """In one statement, running sessions included: none is counted twice, or left out, because it
    ends in this moment."""
    rows = Transaction.objects.filter(
        PLAUSIBLE, charge_point__in=keys, connector__isnull=False, energy__isnull=False
    ).order_by()
    sums = rows.values_list("charge_point_id", "evse", "connector").annotate(Sum("energy"))
    return {(pk, evse, number or 0): Decimal(wh) for pk, evse, number, wh in sums}


def _limits(keys: Collection[int]) -> dict[tuple[int, int], Decimal]:
    """A, by (charge point, connector), of the profiles for all sessions that are installed."""
    rows = InstalledProfile.objects.filter(
        charge_point__in=keys, state=InstalledProfile.State.INSTALLED, purpose__in=FOR_ALL
    ).order_by()
    found: dict[tuple[int, int], Decimal] = {}
    for pk, number, schedule in rows.values_list("charge_point_id", "connector", "schedule"):
        if (limit := limit_of(schedule)) is not None:
            found[pk, number] = min(limit, found.get((pk, number), limit))
    return found


def _least(values: Iterable[Decimal | None]) -> Decimal | None:
    return min((value for value in values if value is not None), default=None)


def _currents(session: int) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for names, _, value in plotted(session, _is_current, NEWEST):
        phase = PHASES.get(names.phase, "")
        if phase and value is not None:
            found.setdefault(phase, value)
    return found


def _is_current(names: Names) -> bool:
    return names.measurand == CURRENT and names.location != "EV" and names.phase in PHASES


def _reason(charger: ChargerNow, connector: ConnectorNow) -> str:
    """Why it does not charge, for people; `none` while it does, or nothing is plugged in."""
    if not charger.is_online:
        return "not connected"
    if is_fault(connector.status, connector.error_code):
        return connector.error_code if connector.error_code not in ("", "NoError") else "fault"
    return REASONS.get(connector.status, NONE)
