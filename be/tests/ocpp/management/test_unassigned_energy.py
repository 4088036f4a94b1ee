"""`levity unassigned_energy`: stretch by stretch, as text or CSV."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from levity.ocpp.models import ChargePoint, Site, Transaction
from tests.ocpp.clock_unset import play
from tests.ocpp.ledger_chargers import NOW

pytestmark = pytest.mark.django_db


def told(*args: Any) -> tuple[str, str]:
    out, error = io.StringIO(), io.StringIO()
    call_command("unassigned_energy", *args, stdout=out, stderr=error)
    return out.getvalue(), error.getvalue()


def test_nothing() -> None:
    month = f"{timezone.localtime():%Y-%m}"
    assert told() == ("", f"{month}: 0.000 kWh in 0 stretches on 0 connectors\n")


def test_the_stretches_of_a_month() -> None:
    play(NOW)
    out, error = told("--month", "2026-03")
    first, second = out.splitlines()
    assert first.startswith("MO16 · 1: 0.200 kWh, 2026-03-09 11:55:3")
    assert second.startswith("MO16 · 1: 0.122 kWh, 2026-03-09 11:59:0")
    last = Transaction.objects.latest("pk").pk
    assert second.endswith(f"; samples outside sessions: 398 to 520 Wh (after session {last})")
    assert error == "2026-03: 0.322 kWh in 2 stretches on 1 connector\n"
    assert told("--month", "2026-03", "--charge-point", "mo16") == (out, error)


def test_as_csv(tmp_path: Path) -> None:
    play(NOW, "=1+1")
    ChargePoint.objects.update(
        site=Site.objects.create(name="=2+2", time_zone="Europe/Berlin"), name="=3+3"
    )
    file = tmp_path / "march.csv"
    told("--month", "2026-03", "--csv", str(file))
    header, _, second = csv.reader(file.read_text(encoding="utf-8").splitlines())
    row = dict(zip(header, second, strict=True))
    assert row["from (local)"].startswith("2026-03-09 12:59:0")
    assert row.pop("from (UTC)").startswith("2026-03-09 11:59:0")
    assert row.pop("to (UTC)").startswith("2026-03-09 11:59:4")
    assert row.pop("to (local)").endswith("+01:00")
    row.pop("from (local)")
    assert row == {
        "charge point": "'=1+1",
        "name": "'=3+3",
        "site": "'=2+2",
        "connector": "1",
        "month": "2026-03",
        "register from (Wh)": "398.000",
        "register to (Wh)": "520.000",
        "unassigned energy (kWh)": "0.122",
        "shown by": "samples outside sessions",
        "session before": str(Transaction.objects.latest("pk").pk),
        "session after": "",
    }
    assert told("--month", "2026-03", "--csv", "-")[0].startswith("charge point,name,")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--month", "March"), "'March' is not a month such as 2026-11"),
        (("--charge-point", "X"), "no charge point 'X'"),
        (("--csv", "/nowhere/there.csv"), "/nowhere/there.csv: "),
    ],
)
def test_what_can_not_be_listed(args: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        told(*args)
