"""`manage.py run_report transaction START END --tz ZONE`: sessions that began in a period."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from levity.ocpp.models import ChargePoint, IdTag, Transaction

pytestmark = pytest.mark.django_db
# 30 October 2026, 23:00 UTC is midnight in Berlin; winter time begins on the 25th.
MIDNIGHT = datetime(2026, 10, 31, 23, tzinfo=UTC)


def report(*args, **options):
    out, err = io.StringIO(), io.StringIO()
    call_command("run_report", "transaction", *args, stdout=out, stderr=err, **options)
    return list(csv.DictReader(io.StringIO(out.getvalue()))), err.getvalue().strip()


def session(charger, started_at, tag="04AA"):
    return Transaction.objects.create(
        charge_point=charger,
        connector=1,
        id_tag=tag,
        started_at=started_at,
        stopped_at=started_at + timedelta(hours=2),
        meter_start=Decimal(1000),
        meter_stop=Decimal(3500),
        energy=Decimal(2500),
        state="stopped",
        confidence="high",
    )


@pytest.fixture
def charger():
    return ChargePoint.objects.create(identity="garage-1", name="=Left")


def test_a_session_is_in_the_month_in_which_it_began_in_that_zone(charger):
    before = session(charger, MIDNIGHT - timedelta(seconds=1))
    first = session(charger, MIDNIGHT)
    rows, said = report("2026-11-01", "2026-12-01", tz="Europe/Berlin")
    assert [row["transaction"] for row in rows] == [str(first.pk)]
    assert rows[0]["started (local)"] == "2026-11-01 00:00:00+01:00"
    assert rows[0]["energy (kWh)"] == "2.500"
    assert said == "1 session"
    rows, said = report("2026-10-01", "2026-11-01", tz="Europe/Berlin")
    assert [row["transaction"] for row in rows] == [str(before.pk)]
    # By UTC, both began in October.
    assert len(report("2026-10-01", "2026-11-01", tz="UTC")[0]) == 2


def test_owners_are_named_and_formulas_stay_text(charger):
    IdTag.objects.create(id_tag="04aa", owner="Flat 3")
    session(charger, MIDNIGHT)
    rows, _ = report("2026-10-31T23:00+00:00", "2026-11-01T00:00+00:00")
    assert (rows[0]["owner"], rows[0]["name"]) == ("Flat 3", "'=Left")


def test_an_empty_period_has_a_header(charger, tmp_path):
    file = tmp_path / "report.csv"
    rows, said = report("2026-11-01", "2026-12-01", output=str(file), charge_point="GARAGE-1")
    assert (rows, said) == ([], "0 sessions")
    assert file.read_text().startswith("transaction,charge point,")


@pytest.mark.parametrize(
    ("start", "end", "zone", "what"),
    [
        ("2026-12-01", "2026-12-01", "UTC", "START must be before END"),
        ("November", "2026-12-01", "UTC", "no date"),
        ("2026-11-01", "2026-12-01", "Berlin", "no time zone"),
    ],
)
def test_what_is_wrong_is_said(start, end, zone, what):
    with pytest.raises(CommandError, match=what):
        report(start, end, tz=zone)
