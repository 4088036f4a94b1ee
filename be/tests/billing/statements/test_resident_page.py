"""The page of a household shows what is known of it; its form is a second tab."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from levity.billing.models import Household
from levity.billing.resident import MONTHS, Month, months_of, questions_of
from levity.billing.settling import settle
from levity.billing.statements.closing import close
from levity.ocpp.models import Site
from tests.billing.statements.conftest import FIRST, LAST, household, session
from tests.pages.whole.conftest import browser, person, root, said_quietly

__all__ = ["browser", "person", "root", "said_quietly"]

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 12, 5, 12, tzinfo=UTC)


def page(home):
    return f"/admin/billing/household/{home.pk}/change/"


def settled(*sessions):
    settle([each.pk for each in sessions])


def test_sums_are_by_the_month_in_which_a_session_ended_at_its_site(charger, issuer, anna):
    """23:30 UTC of the last of November is December in Berlin."""
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    settled(
        session(charger, 3, 5000, register=1000),
        session(charger, 4, 2500, register=6500),
        session(charger, 30, 1000, 9000, started_at=late - timedelta(hours=1), stopped_at=late),
    )
    months = months_of(anna, None, NOW)
    assert len(months) == MONTHS
    assert months[0] == Month(date(2025, 12, 1), 0, Decimal(), {})
    assert months[-2:] == [
        Month(date(2026, 11, 1), 2, Decimal(7500), {"EUR": Decimal("3.000")}),
        Month(date(2026, 12, 1), 1, Decimal(1000), {"EUR": Decimal("0.400")}),
    ]


def test_questions_are_what_keeps_a_statement_from_being_whole(charger, issuer, anna, site):
    settled(session(charger, 3, confidence="low"), session(charger, 4))
    found = [(each.name, each.count) for each in questions_of(anna, None, date(2026, 11, 5))]
    assert found == [("waits", 1), ("no-email", 1)]
    bob = Household.objects.create(name="Bob", email="bob@example.net")
    assert [each.name for each in questions_of(bob, None, date(2026, 11, 5))] == [
        "nothing",
        "no-site",
    ]


def test_the_page_shows_it_all_and_one_click_leads_on(charger, issuer, anna, browser, root):
    one = session(charger, 3, 5000, register=1000)
    settled(one)
    run = close(issuer, FIRST, LAST, None)
    statement = run.statements.get()
    recent = timezone.now() - timedelta(hours=3)
    last = session(charger, 5, 2000, 6500, started_at=recent, stopped_at=recent)
    settled(last)
    text = browser(root).get(page(anna)).content.decode()
    for said in (
        *("Änne Müller", "id tag 04AA", "2.000 kWh", statement.label, "It has no e-mail address"),
        f"/admin/ocpp/transaction/{last.pk}/change/",
        f"/admin/billing/sessionprice/{one.pk}/change/",
        f"/admin/billing/statement/{statement.pk}/file.pdf",
        f"/admin/billing/household/{anna.pk}/months.csv",
        "data-plot",
    ):
        assert said in text
    assert 'name="email"' not in text


def test_the_form_is_the_second_tab_and_saves_as_before(anna, browser, root):
    client = browser(root)
    assert 'name="email"' in client.get(f"{page(anna)}?tab=details").content.decode()
    form = client.get(f"{page(anna)}?tab=details").context["adminform"].form
    given = {name: form.initial.get(name) or "" for name in form.fields}
    given |= {
        "email": "anne@example.net",
        "assignments-TOTAL_FORMS": "0",
        "assignments-INITIAL_FORMS": "0",
    }
    assert client.post(f"{page(anna)}?tab=details", given).status_code == 302
    anna.refresh_from_db()
    assert anna.email == "anne@example.net"


def test_a_household_without_anything_says_what_to_do(browser, root):
    home = Household.objects.create(name="Bob <b>")
    text = browser(root).get(page(home)).content.decode()
    assert "Bob &lt;b&gt;" in text
    assert "It has nothing to charge with today" in text
    assert "No session yet" in text
    assert "No statement yet" in text


def test_months_as_a_file(charger, issuer, anna, browser, root):
    recent = timezone.now() - timedelta(hours=3)
    settled(session(charger, 5, 2000, 6500, started_at=recent, stopped_at=recent))
    answer = browser(root).get(f"/admin/billing/household/{anna.pk}/months.csv")
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert len(lines) == MONTHS + 1
    # Three hours ago may have been another month.
    assert "1,2.000,0.80,EUR" in [line.split(",", 1)[1] for line in lines[-2:]]


def test_each_part_is_for_those_who_may_see_what_it_is_made_of(
    charger, issuer, anna, person, browser
):
    there = household(Site.objects.create(name="Other"), "There", "04BB")
    limited = browser(person("limited", "Admin", sites=[charger.site]))
    assert limited.get(page(anna)).status_code == 200
    assert limited.get(page(there)).status_code == 302
    assert limited.get(f"/admin/billing/household/{there.pk}/months.csv").status_code == 404
    nobody = person("nobody", "Viewer")
    nobody.groups.clear()
    assert browser(nobody).get(page(anna)).status_code == 403
    assert browser(nobody).get(f"/admin/billing/household/{anna.pk}/months.csv").status_code == 403


def test_the_number_of_statements_does_not_grow(charger, issuer, anna, browser, root):
    client = browser(root)
    client.get(page(anna))
    counts = []
    for count in (2, 12):
        settled(*(session(charger, day, 100, day * 1000) for day in range(count, count + 8)))
        with CaptureQueriesContext(connection) as found:
            client.get(page(anna))
        counts.append(len(found))
    assert counts[0] == counts[1]
