"""Tariffs and statements over the API: read, previewed, closed as they were looked at."""

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256

import pytest

from levity.billing.models import Assignment, Household, Issuer, Statement, StatementRun
from levity.ocpp.models import AuditEntry, ChargePoint, Transaction
from tests.api.conftest import Caller

START = datetime(2026, 11, 3, 12, tzinfo=UTC)
TARIFF = {
    "name": "Garage",
    "begins": "2026-01-01T00:00:00Z",
    "document": {"time_zone": "UTC", "vat_percent": "19", "energy": [{"price_per_kwh": "0.40"}]},
}


@pytest.mark.django_db
def test_a_month_is_closed_by_a_program(caller: Callable[..., Caller]) -> None:
    admin, reader = caller("admin"), caller("read")
    assert reader("POST", "billing/tariffs", TARIFF).status_code == 403
    made = admin("POST", "billing/tariffs", TARIFF)
    assert made.status_code == 201, made.content
    tariff = made.json()["id"]
    dearer = {key: TARIFF[key] for key in ("document",)} | {"begins": "2027-01-01T00:00:00Z"}
    admin("POST", f"billing/tariffs/{tariff}/versions", dearer)
    versions = reader.get(f"billing/tariffs/{tariff}")["versions"]
    assert [each["number"] for each in versions] == [2, 1]
    use = {"tariff_id": tariff}
    assert reader("POST", "billing/tariff-uses", use).status_code == 403
    made = admin("POST", "billing/tariff-uses", use)
    assert made.status_code == 201, made.content
    assert admin("POST", "billing/tariff-uses", use).status_code == 422
    issuer = Issuer.objects.create(name="House", prefix="E-")
    anna = Household.objects.create(name="Anna")
    Assignment.objects.create(household=anna, id_tag="04AA", first_day=START.date())
    Transaction.objects.create(
        charge_point=ChargePoint.objects.create(identity="garage-1"),
        id_tag="04AA",
        state="stopped",
        started_at=START,
        stopped_at=START.replace(hour=14),
        energy=Decimal(5000),
        meter_start=Decimal(0),
    )
    days = {"issuer": issuer.pk, "first_day": "2026-11-01", "last_day": "2026-11-30"}
    preview = admin("POST", "billing/runs/preview", days).json()
    assert [each["gross"] for each in preview["statements"]] == ["2.38"]
    assert admin("POST", "billing/runs", days | {"fingerprint": "other"}).status_code == 409
    assert admin("POST", "billing/runs", days | {"fingerprint": ""}).status_code == 422
    closed = admin("POST", "billing/runs", days | {"fingerprint": preview["fingerprint"]})
    assert closed.status_code == 201, closed.content
    (row,) = reader.get("billing/statements", run=closed.json()["id"])["items"]
    assert (row["number"], row["household"], row["gross"]) == ("E-000001", "Anna", "2.38")
    whole = reader.get(f"billing/statements/{row['id']}")
    assert [each["wh"] for each in whole["document"]["sessions"]] == ["5000.000"]
    file = reader("GET", f"billing/statements/{row['id']}/files/csv")
    (stored,) = [
        each["sha256"]
        for each in reader.get(f"billing/statements/{row['id']}")["files"]
        if each["kind"] == "csv"
    ]
    assert sha256(file.content).hexdigest() == stored
    assert reader("GET", f"billing/statements/{row['id']}/files/exe").status_code == 422
    archive = reader("GET", f"billing/runs/{row['run_id']}/files")
    names = zipfile.ZipFile(io.BytesIO(archive.content)).namelist()
    assert names == ["E-000001.csv", "E-000001.pdf"]


@pytest.mark.django_db
def test_a_program_says_which_tariff_is_for_whom_and_until_when(
    caller: Callable[..., Caller],
) -> None:
    admin = caller("admin")
    tariff = admin("POST", "billing/tariffs", TARIFF).json()["id"]
    ChargePoint.objects.create(identity="garage-1")
    given = {"tariff_id": tariff, "charge_point": "GARAGE-1", "first_day": "2026-11-01"}
    made = admin("POST", "billing/tariff-uses", given).json()
    assert (made["charge_point"], made["last_day"], made["id_tag"]) == ("garage-1", None, "")
    both = admin("POST", "billing/tariff-uses", given | {"id_tag": "04AA"})
    assert (both.status_code, "Choose one" in both.json()["detail"]) == (422, True)
    at = f"billing/tariff-uses/{made['id']}"
    assert admin("PATCH", at, {"last_day": "2026-11-30"}).json()["last_day"] == "2026-11-30"
    later = given | {"first_day": "2026-12-01", "tariff_id": None}
    assert admin("POST", "billing/tariff-uses", later).status_code == 201
    assert admin("PATCH", at, {"last_day": None}).status_code == 422
    assert [each["tariff_id"] for each in admin.get("billing/tariff-uses")["items"]] == [
        tariff,
        None,
    ]
    assert admin("DELETE", at).status_code == 204
    assert admin("GET", at).status_code == 404
    said = AuditEntry.objects.filter(kind="billing.tariffuse").order_by("pk")
    assert [each.what for each in said] == ["added", "changed: last_day", "added", "deleted"]


@pytest.mark.django_db
@pytest.mark.parametrize(("currency", "gross"), [("JPY", "2"), ("KWD", "2.380"), ("EUR", "2.38")])
def test_money_has_the_digits_of_its_currency(
    caller: Callable[..., Caller], currency: str, gross: str
) -> None:
    run = StatementRun.objects.create(
        issuer=Issuer.objects.create(name="House"),
        first_day="2026-11-01",
        last_day="2026-11-30",
        time_zone="UTC",
        balance={},
    )
    Statement.objects.create(
        run=run,
        household=Household.objects.create(name="Anna"),
        label="1",
        currency=currency,
        wh=5000,
        net=Decimal("2.000"),
        tax=Decimal("0.380"),
        gross=Decimal("2.380"),
        document={},
    )
    (row,) = caller("read").get("billing/statements")["items"]
    assert row["gross"] == gross
