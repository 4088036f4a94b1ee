"""What chargers keep, through the API."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from levity.ocpp.models import Command, InstalledCertificate, InstalledProfile, LocalList
from tests.api.conftest import Caller
from tests.ocpp.open_line import OpenLine

pytestmark = pytest.mark.django_db
Callers = Callable[..., Caller]


@pytest.fixture
def line() -> OpenLine:
    one = OpenLine()
    one.site.take(one.charger.shows("Available"))
    return one


def test_a_connector_is_reserved_and_freed(caller: Callers, line: OpenLine) -> None:
    client = caller("operate")
    until = (timezone.now() + timedelta(hours=2)).replace(microsecond=0)
    body = {"charge_point": "CP1", "connector": 1, "id_tag": "TAG", "ends_at": until.isoformat()}
    made = client("POST", "reservations", body, Idempotency_Key="k1")
    assert made.status_code == 201, made.content
    row = made.json()
    assert (row["state"], row["charge_point"], row["connector"]) == ("requested", "CP1", 1)
    again = client("POST", "reservations", body, Idempotency_Key="k1")
    assert again.json()["id"] == row["id"]
    conflict = client("POST", "reservations", body)
    assert conflict.status_code == 409
    assert "cancel" in conflict.json()["detail"]
    line.answers({"status": "Accepted"})
    (shown,) = client.get("reservations", charge_point="cp1", state="active")["items"]
    assert shown["answer"] == "Accepted"
    seen = client("GET", f"reservations/{row['id']}")
    stale = client("POST", f"reservations/{row['id']}/cancel", If_Match='"other"')
    assert stale.status_code == 412
    cancelled = client("POST", f"reservations/{row['id']}/cancel", If_Match=seen["ETag"])
    assert cancelled.status_code == 200
    line.answers({"status": "Accepted"})
    assert client.get(f"reservations/{row['id']}")["state"] == "cancelled"


def test_a_key_of_another_program_or_for_something_else_is_no_repetition(
    caller: Callers, line: OpenLine
) -> None:
    """Both once got the reservation that the first had made, with 201 as if it were theirs."""
    line.site.take(line.charger.shows("Available", 2))
    until = (timezone.now() + timedelta(hours=2)).replace(microsecond=0)
    body = {"charge_point": "CP1", "connector": 1, "id_tag": "TAG", "ends_at": until.isoformat()}
    first, second = caller("operate"), caller("operate")
    made = first("POST", "reservations", body, Idempotency_Key="1").json()
    for other in ({"connector": 2}, {"id_tag": "TAG2"}):
        taken = first("POST", "reservations", body | other, Idempotency_Key="1")
        assert (taken.status_code, taken.json()["type"][-20:]) == (422, "idempotency-key-used")
    theirs = second("POST", "reservations", body | {"connector": 2}, Idempotency_Key="1")
    assert theirs.status_code == 201, theirs.content
    assert (theirs.json()["connector"], theirs.json()["id"] == made["id"]) == (2, False)


def test_a_token_that_reads_reserves_nothing(caller: Callers, line: OpenLine) -> None:
    body = {
        "charge_point": "CP1",
        "connector": 1,
        "id_tag": "TAG",
        "ends_at": "2036-01-01T00:00:00Z",
    }
    assert caller("read")("POST", "reservations", body).status_code == 403
    assert not Command.objects.exists()


def test_a_local_list_is_switched_on_sent_and_cleared(caller: Callers, line: OpenLine) -> None:
    client = caller("operate")
    path = "charge-points/CP1/local-list"
    assert client("GET", path).status_code == 404
    assert client("PUT", path, {"is_on": True}).json()["state"] == "behind"
    assert client("POST", f"{path}/send", {"full": True}).status_code == 200
    (row,) = client.get("local-lists", is_on=True)["items"]
    assert row["charge_point"] == "CP1"
    assert client("POST", f"{path}/clear").json()["is_on"] is False
    refused = client("POST", f"{path}/send", {})
    assert refused.status_code == 409
    assert LocalList.objects.get().state == "off"


def test_profiles_and_trusted_certificates(caller: Callers, line: OpenLine) -> None:
    client = caller("operate")
    now = timezone.now()
    profile = InstalledProfile.objects.create(
        charge_point=line.row,
        connector=1,
        profile_id=4,
        stack_level=0,
        purpose="TxDefaultProfile",
        schedule={"chargingRateUnit": "A"},
        installed_at=now,
    )
    (row,) = client.get("charging-profiles", state="installed")["items"]
    assert (row["profile_id"], row["schedule"]) == (4, {"chargingRateUnit": "A"})
    assert client("POST", f"charging-profiles/{profile.pk}/clear").status_code == 202
    assert line.answers({"status": "Accepted"}) == {"id": 4}
    trusted = InstalledCertificate.objects.create(charge_point=line.row, type="x")
    assert client.get(f"trusted-certificates/{trusted.pk}")["state"] == "installed"
    refused = client("POST", f"trusted-certificates/{trusted.pk}/delete")
    assert refused.status_code == 409
    asked = client("POST", "charge-points/CP1/trusted-certificates/ask")
    assert len(asked.json()["commands"]) == 2
    assert client.get("certificates")["items"] == []
