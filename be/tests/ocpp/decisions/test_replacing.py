"""New hardware takes over the place and who may charge there; the history stays with the old."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from levity.ocpp.deciding import NotPossible
from levity.ocpp.decisions.replacing import replace
from levity.ocpp.models import (
    ChargePoint,
    Command,
    IdTag,
    InstalledProfile,
    LocalList,
    Reservation,
    Site,
    Transaction,
)
from levity.ocpp.versions import V16
from tests.ocpp.decisions.people import audit_of, chief

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def old() -> ChargePoint:
    site = Site.objects.create(name="Garage", time_zone="Europe/Berlin")
    row = ChargePoint.objects.create(
        identity="garage-7", name="Bay 7", site=site, authorization="known", security_profile=1
    )
    Transaction.objects.create(charge_point=row, connector=1, started_at=NOW, meter_start=0)
    Command.objects.create(charge_point=row, action="Reset")
    LocalList.objects.create(charge_point=row, is_on=True)
    return row


def test_a_charger_that_has_connected_takes_over_the_place(old: ChargePoint) -> None:
    new = ChargePoint.objects.create(identity="new-7", vendor="Acme")
    tags = [IdTag.objects.create(id_tag=f"CARD{number}") for number in range(2)]
    for tag in tags:
        tag.charge_points.add(old)
    tags[1].charge_points.add(new)
    who = chief()
    replace(old, "NEW-7", who, NOW)
    old.refresh_from_db()
    new.refresh_from_db()
    assert (new.name, new.site, new.authorization, new.vendor) == (
        "Bay 7",
        old.site,
        "known",
        "Acme",
    )
    assert old.retired_at == NOW
    assert old.name.startswith("Bay 7 (until 2")
    assert Transaction.objects.get().charge_point == old
    assert Command.objects.get().state == "cancelled"
    assert [list(tag.charge_points.all()) for tag in tags] == [[new], [new]]
    assert [LocalList.objects.get(charge_point=row).is_on for row in (old, new)] == [False, True]
    assert audit_of(new)[0] == ("chief", "took the place of garage-7")
    assert [what for _, what in audit_of(old)] == ["replaced by new-7", "retired"]
    assert audit_of(tags[0]) == [("chief", "valid at new-7 instead of garage-7")]


def test_one_that_nobody_knows_is_added_with_the_profile_of_the_old(old: ChargePoint) -> None:
    done = replace(old, "garage-7b", None, NOW)
    assert (done.new.security_profile, done.new.name) == (1, "Bay 7")
    assert "In the place of garage-7 since" in done.new.notes


def test_under_the_same_identity_the_old_one_is_renamed(old: ChargePoint) -> None:
    done = replace(old, "Garage-7", None, NOW)
    assert (done.new.identity, done.new.pk != old.pk) == ("garage-7", True)
    assert done.old.identity == f"garage-7-until-{done.day}"
    again = replace(done.new, "garage-7", None, NOW)
    assert again.old.identity == f"garage-7-until-{done.day}-2"
    assert Transaction.objects.get().charge_point_id == old.pk


@pytest.mark.parametrize(
    ("which", "values"),
    [
        ("garage-7", {"connection": uuid.uuid4()}),
        ("garage-7", {"retired_at": NOW}),
        ("new-7", {"retired_at": NOW}),
    ],
)
def test_nothing_is_done_where_one_is_connected_or_retired(
    old: ChargePoint, which: str, values: dict[str, object]
) -> None:
    ChargePoint.objects.create(identity="new-7")
    ChargePoint.objects.filter(identity=which).update(**values)
    with pytest.raises(NotPossible):
        replace(old, "new-7", None, NOW)
    assert ChargePoint.objects.get(identity="new-7").name == ""


def test_reservations_and_limits_go_on_with_the_new_hardware(old: ChargePoint) -> None:
    """A fuse is protected by a profile that the new charger does not have yet."""
    until = (NOW + timedelta(days=2)).replace(microsecond=0)
    for number, connector in enumerate((1, 2)):
        old.reservations.create(
            number=number, connector=connector, id_tag="CARD", ends_at=until, state="active"
        )
    schedule = {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
    }
    for number, purpose, end in (
        (9001, "ChargePointMaxProfile", None),
        (7, "TxProfile", None),
        (8, "TxDefaultProfile", NOW - timedelta(days=1)),
    ):
        InstalledProfile.objects.create(
            charge_point=old,
            profile_id=number,
            stack_level=0,
            connector=0,
            purpose=purpose,
            kind="Absolute",
            valid_to=end,
            schedule=schedule,
            installed_at=NOW,
        )
    done = replace(old, "new-7", None, NOW)
    assert (done.taken.reservations, done.taken.profiles, done.taken.left) == (2, 1, ())
    assert list(
        Reservation.objects.order_by("pk").values_list(
            "charge_point__identity", "connector", "state", "ends_at", "detail"
        )
    ) == [
        ("garage-7", 1, "cancelled", until, "moved to new-7"),
        ("garage-7", 2, "cancelled", until, "moved to new-7"),
        ("new-7", 1, "requested", until, ""),
        ("new-7", 2, "requested", until, ""),
    ]
    sent = Command.objects.filter(charge_point=done.new).order_by("pk")
    assert [row.action for row in sent] == ["ReserveNow", "ReserveNow", "SetChargingProfile"]
    assert all(V16.schemas.finding(row.action, row.payload) is None for row in sent)
    limit = sent[2]
    assert limit.payload == {
        "connectorId": 0,
        "csChargingProfiles": {
            "chargingProfileId": 9001,
            "stackLevel": 0,
            "chargingProfilePurpose": "ChargePointMaxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": schedule,
        },
    }
    assert limit.expires_at is not None
    assert limit.expires_at - limit.not_before == timedelta(days=7)
    assert "2 reservations and 1 charging profile" in done.taken.sentence


def test_what_the_new_hardware_can_not_keep_is_said(old: ChargePoint) -> None:
    new = ChargePoint.objects.create(identity="new-7")
    new.connectors.create(number=1)
    old.reservations.create(
        number=1, connector=2, id_tag="CARD", ends_at=NOW + timedelta(days=2), state="active"
    )
    done = replace(old, "new-7", None, NOW)
    [left] = done.taken.left
    assert left.startswith("The reservation for CARD is not moved: ")
    assert "no connector 2" in left
    assert Reservation.objects.get().state == "cancelled"
    assert not Command.objects.filter(charge_point=new).exists()
