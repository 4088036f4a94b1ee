"""`levity close_statements`."""

import io
from datetime import UTC, datetime
from decimal import Decimal
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command

from levity.billing.models import Assignment, Household, Issuer, StatementRun, TariffUse
from levity.billing.tariffs import add_tariff
from levity.ocpp.models import ChargePoint, Transaction

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 3, 12, tzinfo=UTC)


def ran(*args):
    said = io.StringIO()
    call_command("close_statements", *args, stdout=said)
    return said.getvalue()


def test_a_month_is_looked_at_and_closed(tmp_path):
    document = {"time_zone": "UTC", "energy": [{"price_per_kwh": "0.40"}]}
    tariff = add_tariff("Garage", document, datetime(2026, 1, 1, tzinfo=UTC), None)
    TariffUse.objects.create(tariff=tariff)
    with pytest.raises(CommandError, match="say who bills first"):
        ran("2026-11")
    Issuer.objects.create(name="House")
    anna = Household.objects.create(name="Anna")
    Assignment.objects.create(household=anna, id_tag="04AA", first_day=START.date())
    for tag in ("04AA", "STRANGER"):
        Transaction.objects.create(
            charge_point=ChargePoint.objects.create(identity=f"garage-{tag}"),
            id_tag=tag,
            state="stopped",
            started_at=START,
            stopped_at=START.replace(hour=14),
            energy=Decimal(5000),
            meter_start=Decimal(0),
        )
    said = ran("2026-11", "--dry-run")
    assert "1 held back: It is no household's." in said
    assert "Anna: 1 lines, 5.000 kWh, 2.00 EUR with tax" in said
    assert not StatementRun.objects.exists()
    archive = tmp_path / "all.zip"
    assert "closed 1 statements" in ran("2026-11-01", "2026-11-30", "--zip", str(archive))
    assert ZipFile(archive).namelist() == ["000001.csv", "000001.pdf"]
    with pytest.raises(CommandError, match="are closed: begin after that"):
        ran("2026-11")


@pytest.mark.parametrize("words", [("2026-13",), ("2026-11-01",), ("yesterday", "today")])
def test_wrong_days_are_refused(words):
    Issuer.objects.create(name="House")
    with pytest.raises(CommandError, match=r"2026-11"):
        ran(*words)
