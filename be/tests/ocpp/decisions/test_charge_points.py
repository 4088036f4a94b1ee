"""Charge points as people enter and change them."""

import pytest

from levity.ocpp.decisions import charge_points, onboarding
from levity.ocpp.decisions.charge_points import HasSessions
from levity.ocpp.models import AuditEntry, ChargePoint, Installation, Site, Transaction
from tests.ocpp.decisions.people import audit_of, chief

pytestmark = pytest.mark.django_db


def test_a_new_one_begins_with_the_profile_of_its_site() -> None:
    site = Site.objects.create(name="mine", security_profile=1)
    row = charge_points.add(ChargePoint(identity="CP1", site=site), chief())
    row.refresh_from_db()
    assert row.security_profile == 1
    assert charge_points.needs_key(row)
    assert audit_of(row) == [("chief", "added")]


def test_only_what_changes_is_written_and_noted() -> None:
    row = ChargePoint.objects.create(identity="CP1", name="old")
    ChargePoint.objects.filter(pk=row.pk).update(model="said meanwhile")
    changed = charge_points.change(row, {"name": "new", "quirk_profile": ""}, None)
    changed.refresh_from_db()
    assert (changed.name, changed.model) == ("new", "said meanwhile")
    entry = AuditEntry.objects.get()
    assert (entry.what, entry.before, entry.after) == (
        "changed: name",
        {"name": "old"},
        {"name": "new"},
    )


def test_the_quirk_profile_and_the_site_are_noted_with_what_they_were() -> None:
    site = Site.objects.create(name="mine")
    row = ChargePoint.objects.create(identity="CP1")
    charge_points.change(row, {"quirk_profile": "grizzl-e", "site": site}, None)
    entry = AuditEntry.objects.get()
    assert entry.before == {"quirk_profile": "", "site_id": None}
    assert entry.after == {"quirk_profile": "grizzl-e", "site_id": site.pk}


def test_one_with_sessions_is_not_deleted() -> None:
    row = ChargePoint.objects.create(identity="CP1")
    session = Transaction.objects.create(
        charge_point=row, connector=1, started_at="2026-01-01T00:00Z", meter_start=0
    )
    with pytest.raises(HasSessions, match="retire it instead"):
        charge_points.delete_charge_point(row, None)
    session.delete()
    key = row.pk
    charge_points.delete_charge_point(row, None)
    entry = AuditEntry.objects.get()
    assert (entry.object_id, entry.object_name, entry.what) == (str(key), "CP1", "deleted")


def test_who_stops_admitting_new_ones_is_noted() -> None:
    who = chief()
    onboarding.close(who, closed=True)
    assert Installation.get().closed_by == who
    onboarding.close(None, closed=False)
    assert Installation.get().closed_at is None
    assert audit_of(Installation.get()) == [
        ("chief", "stopped admitting new charge points"),
        ("", "resumed admitting new charge points"),
    ]
