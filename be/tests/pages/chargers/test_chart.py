"""A session through time: what is drawn, in the table, and in the file."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from levity.ocpp.models import Transaction
from levity.ocpp.wire.fields import zone_of
from levity.pages.chargers.chart import Chart, chart_of
from tests.ocpp.charger import CentralSystem, Charger, at

pytestmark = pytest.mark.django_db

PHASES = ("L1", "L2", "L3")


def sample(seconds: float, wh: int, amps: int, soc: int | None = None) -> dict[str, Any]:
    values = [
        {"value": str(wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        {"value": "11.04", "measurand": "Power.Active.Import", "unit": "kW"},
        *(
            {"value": str(amps), "measurand": "Current.Import", "phase": phase, "unit": "A"}
            for phase in PHASES
        ),
        {"value": "231", "measurand": "Voltage", "phase": "L1-N", "unit": "V"},
    ]
    if soc is not None:
        values.append({"value": str(soc), "measurand": "SoC", "location": "EV", "unit": "Percent"})
    return {"timestamp": at(seconds).isoformat(), "sampledValue": values}


@pytest.fixture
def session(db: None) -> Transaction:
    """Two samples a minute apart, of everything."""
    system, charger = CentralSystem(), Charger()
    system.connect(charger)
    pk = system.start(charger)
    for seconds, wh, amps, soc in ((60, 1_000, 16, 40), (120, 1_180, 15, 41)):
        payload = {"connectorId": 1, "transactionId": pk}
        system.take(
            charger.calls(
                "MeterValues", {**payload, "meterValue": [sample(seconds, wh, amps, soc)]}
            )
        )
    return Transaction.objects.get(pk=pk)


def chart(session: Transaction) -> Chart:
    found = chart_of(session, zone_of("Europe/Berlin"))
    assert found is not None
    return found


def test_each_quantity_has_its_plot_with_axes_in_its_unit(session: Transaction) -> None:
    found = chart(session)
    plots = {plot.title: json.loads(plot.json) for plot in found.plots}
    assert list(plots) == ["Power and energy", "Current", "Voltage", "State of charge"]
    both = plots["Power and energy"]
    assert (both["unit"], both["unit2"], both["zone"]) == ("kW", "kWh", "CET")
    assert [series["name"] for series in plots["Current"]["series"]] == [
        *("Current L1", "Current L2", "Current L3")
    ]
    # 12:01 UTC is 13:01 in Berlin.
    start = 13 * 3600 + 60
    assert both["series"][1]["points"] == [{"x": start, "y": 0.0}, {"x": start + 60, "y": 0.18}]
    assert (both["min"], both["max"], both["step"]) == (start, start + 60, 60)


def test_the_table_and_the_file_say_what_the_plots_show(
    session: Transaction, admin_client: Client
) -> None:
    answer = admin_client.get(f"/admin/ocpp/transaction/{session.pk}/samples.csv")
    lines = b"".join(answer).decode().splitlines()
    assert lines[0] == (
        "time (UTC),time (local),Power (kW),Energy (kWh),State of charge (%),"
        "Current L1 (A),Current L2 (A),Current L3 (A),Voltage L1-N (V)"
    )
    assert lines[2].endswith("11.040,0.180,41.000,15.000,15.000,15.000,231.000")
    assert len(lines) == 3
    assert chart(session).rows[0][1:] == tuple(lines[2].split(",")[2:])
    page = admin_client.get(f"/admin/ocpp/transaction/{session.pk}/change/").content.decode()
    assert page.count("data-plot=") == 4


def test_a_session_of_a_single_moment_has_no_plot_and_an_empty_file(admin_client: Client) -> None:
    system, charger = CentralSystem(), Charger()
    system.connect(charger)
    pk = system.start(charger)
    assert chart_of(Transaction.objects.get(pk=pk)) is None
    answer = admin_client.get(f"/admin/ocpp/transaction/{pk}/samples.csv")
    assert b"".join(answer).decode().splitlines() == ["time (UTC),time (local)"]


def test_a_long_session_is_thinned_for_the_eye_and_whole_in_the_file() -> None:
    from levity.pages.chargers.chart import SHOWN, _thinned

    start = datetime(2026, 11, 22, tzinfo=UTC)
    points = [(start + timedelta(seconds=at), Decimal(at)) for at in range(6_000)]
    for some in (points, points[: 2 * SHOWN - 1]):
        assert SHOWN // 2 < len(_thinned(some)) <= SHOWN
        assert _thinned(some)[-1] == some[-1]
    assert _thinned(points[:SHOWN]) == points[:SHOWN]
