"""The same for many charge points at once."""

import pytest
from django.core.exceptions import ValidationError

from levity.ocpp.deciding import NotAllowed, NotPossible
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
