"""The register of a connector in its newest MeterValues of no session, for a page."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from levity.ocpp.models import ChargePoint, Connector, Transaction
from levity.ocpp.rules.readings import REGISTER
from levity.ocpp.store.samples.moving import move_some
from levity.ocpp.store.samples.outside_sessions import newest_outside
from tests.kept import keep

DAY = datetime(2026, 11, 24, tzinfo=UTC)
ALL = DAY, DAY + timedelta(days=2)


@pytest.fixture
def connector(db: None) -> Connector:
    charger = ChargePoint.objects.create(identity="CP1")
    return charger.connectors.create(number=1)


def told(connector: Connector, hours: float, *values: tuple[str, dict[str, str]]) -> None:
    said = [
        {"measurand": REGISTER, "unit": "Wh", "raw_value": value, **more} for value, more in values
    ]
    keep(connector.charge_point, DAY + timedelta(hours=hours), *said)


def shown(connector: Connector, limit: int = 100) -> tuple[list[Decimal], bool]:
    points, is_cut = newest_outside(connector, *ALL, limit)
    return [point.wh for point in points], is_cut


def test_one_register_is_found_among_what_a_charger_tells(connector: Connector) -> None:
    told(connector, 1, ("100", {}), ("7000", {"measurand": "Power.Active.Import", "unit": "W"}))
    told(connector, 2, ("0.2", {"unit": "kWh"}))
    told(connector, 3, *((str(wh), {"phase": f"L{n}"}) for n, wh in ((1, 90), (2, 100), (3, 110))))
    told(connector, 4, ("400", {"location": "Outlet"}), ("9000", {"location": "Inlet"}))
    # Nothing of the meter: one phase, the station's inlet, what it showed at a start, no number.
    told(connector, 5, ("1", {"phase": "L1"}))
    told(connector, 6, ("9000", {"location": "Inlet"}))
    told(connector, 7, ("2", {"context": "Transaction.Begin"}))
    told(connector, 8, ("x", {}))
    assert shown(connector) == ([100, 200, 300, 400], False)


def test_the_newest_are_found_whether_they_have_moved_or_not(connector: Connector) -> None:
    for hour in range(6):
        told(connector, hour, (str(hour), {}))
    assert shown(connector, 4) == ([2, 3, 4, 5], True)
    while move_some(DAY + timedelta(days=30), 30, timedelta(days=2)):
        pass
    told(connector, 30, ("30", {}))
    assert shown(connector) == ([0, 1, 2, 3, 4, 5, 30], False)
    # A trace is shown as a whole.
    assert shown(connector, 2) == ([0, 1, 2, 3, 4, 5, 30], False)
    assert shown(connector, 1) == ([30], True)


def test_not_those_of_sessions_other_places_and_other_days(connector: Connector) -> None:
    session = Transaction.objects.create(
        charge_point=connector.charge_point, connector=1, started_at=DAY, meter_start=0
    )
    said = {"measurand": REGISTER, "unit": "Wh", "raw_value": "1"}
    keep(connector.charge_point, DAY, said, transaction=session)
    keep(connector.charge_point, DAY, said, connector=2)
    keep(ChargePoint.objects.create(identity="CP2"), DAY, said)
    keep(connector.charge_point, ALL[1], said)
    keep(connector.charge_point, DAY - timedelta(seconds=1), said)
    assert shown(connector) == ([], False)
