"""A statement says when: at the clock of the site, through both nights on which it is changed."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from levity.billing.models import Household, Issuer
from levity.billing.statements import closing
from levity.billing.statements.closing import close
from levity.billing.statements.periods import period
from levity.billing.statements.texts import moments
from levity.ocpp.models import Site
from tests.billing.statements.conftest import FIRST, LAST, december, session

pytestmark = pytest.mark.django_db


def test_no_session_seems_to_end_before_it_begins_when_clocks_are_set_back():
    autumn = moments("2026-10-25T02:45+02:00", "2026-10-25T02:15+01:00", "de")
    assert autumn == ("25.10.2026 02:45 +02:00", "25.10.2026 02:15 +01:00")
    usual = moments("2026-10-26T02:45+01:00", "2026-10-26T03:15+01:00", "en")
    assert usual == ("26 Oct 2026 02:45", "26 Oct 2026 03:15")
    assert moments("", "", "en") == ("\u2013", "\u2013")


def test_an_issuer_of_all_sites_bills_at_their_clock_if_they_have_one(issuer):
    rest = Issuer.objects.create(name="All others", prefix="R-")
    Site.objects.create(name="Canal", time_zone="Europe/Lisbon")
    assert str(period(rest, FIRST, LAST).zone) == "Europe/Lisbon"
    Site.objects.create(name="Hill", time_zone="America/New_York")
    assert period(rest, FIRST, LAST).zone == timezone.get_current_timezone()


def test_the_period_before_is_an_earlier_one_however_late_it_was_closed(charger, issuer, anna):
    session(charger, 3)
    december(issuer)
    run = close(issuer, FIRST, LAST, None)
    assert run.statements.get().document["before"] is None
    later = close(issuer, date(2027, 1, 1), date(2027, 1, 31), None)
    assert later.statements.get().document["before"]["first_day"] == "2026-12-01"


def test_it_is_dated_by_the_day_of_its_site(charger, issuer, anna, monkeypatch):
    # Half an hour into December in Berlin.
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 30, 23, 30, tzinfo=UTC))
    run = close(issuer, FIRST, LAST, None)
    run.closed_at = timezone.now()
    draft = closing.Draft(Household.objects.get(), "EUR", False, (), ())
    assert closing.document_of(run, draft, "E-1", {}, None)["closed_on"] == "2026-12-01"
