"""The same for many charge points at once."""

import pytest
from django.core.exceptions import ValidationError

from levity.ocpp.deciding import NotAllowed, NotPossible
from levity.ocpp.decisions.charge_points import change
from levity.ocpp.decisions.charge_points_csv import read_charge_points
from levity.ocpp.decisions.together import change_all
from levity.ocpp.models import AuditEntry, ChargePoint, Site
from tests.ocpp.decisions.people import audit_of, limited_to, stranger_at

pytestmark = pytest.mark.django_db


def test_all_get_the_values_and_those_that_have_them_no_entry() -> None:
    site = Site.objects.create(name="mine")
    first = ChargePoint.objects.create(identity="A", max_power=7)
    second = ChargePoint.objects.create(identity="B", site=site, authorization="known")
    values = {"site": site, "authorization": "known", "max_power": None}
    decided = change_all(ChargePoint.objects.all(), values, None)
    assert (decided.count, [left.count for left in decided.left]) == (1, [1])
    first.refresh_from_db()
    assert (first.site, first.authorization, first.max_power) == (site, "known", None)
    assert audit_of(second) == []
    entry = AuditEntry.objects.get()
    assert entry.before == {"site_id": None, "authorization": "", "max_power": 7}
    assert entry.after == {"site_id": site.pk, "authorization": "known", "max_power": None}


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({}, NotPossible),
        ({"identity": "X"}, NotPossible),
        ({"connection": None}, NotPossible),
        ({"time_zone": "Europe/Atlantis"}, ValidationError),
        ({"quirk_profile": "none-such"}, ValidationError),
        ({"max_power": -1}, ValidationError),
    ],
)
def test_what_does_not_fit_is_set_nowhere(values: dict[str, object], what: type) -> None:
    ChargePoint.objects.create(identity="A")
    with pytest.raises(what):
        change_all(ChargePoint.objects.all(), values, None)
    assert not AuditEntry.objects.exists()


def test_a_site_that_one_does_not_see_can_not_be_chosen_for_many() -> None:
    mine = Site.objects.create(name="mine")
    theirs = stranger_at().site
    ChargePoint.objects.create(identity="MINE", site=mine)
    with pytest.raises(NotAllowed):
        change_all(ChargePoint.objects.filter(site=mine), {"site": theirs}, limited_to(mine))


def test_who_sees_some_sites_takes_no_charge_point_out_of_them() -> None:
    """It would vanish from their lists, and only others could bring it back."""
    mine = Site.objects.create(name="mine")
    row = ChargePoint.objects.create(identity="MINE", site=mine)
    who = limited_to(mine)
    with pytest.raises(NotAllowed, match="choose one of your sites"):
        change_all(ChargePoint.objects.filter(site=mine), {"site": None}, who)
    with pytest.raises(NotAllowed, match="choose one of your sites"):
        change(row, {"site": None}, who)
    read = read_charge_points("identity,site\nMINE,\n", who)
    assert (read.lines, len(read.problems)) == ([], 1)
    assert "choose one of your sites" in read.problems[0]
    row.refresh_from_db()
    assert row.site == mine
    assert change(row, {"site": None}, None).site is None
