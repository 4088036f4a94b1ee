"""The page "Reports", its CSV, the command and the API say the same to those who may see it."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.billing.reports.making import NAMES
from levity.ocpp.models import ChargePoint, Site
from tests.api.conftest import caller, nobody_waits
from tests.billing.test_used import session
from tests.pages.whole.conftest import browser, person, root, said_quietly

__all__ = ["browser", "caller", "nobody_waits", "person", "root", "said_quietly"]

pytestmark = pytest.mark.django_db
PAGE = "/admin/billing/sessionprice/reports/"
DAYS = {"first": "2026-11-01", "last": "2026-11-30"}
AT = datetime(2026, 11, 3, 12, tzinfo=UTC)


@pytest.fixture
def charger():
    garage = Site.objects.create(name="Garage", time_zone="Europe/Berlin")
    row = ChargePoint.objects.create(identity="garage-1", name="<b>Left", site=garage)
    session(row, AT, stopped_at=AT + timedelta(hours=1))
    return row


def test_page_csv_command_and_api_say_the_same(charger, browser, root, caller):
    client = browser(root)
    page = client.get(PAGE, DAYS | {"report": "charger"}).content.decode()
    assert "5.000" in page
    assert "&lt;b&gt;Left" in page
    assert "<b>Left" not in page
    assert "data-plot" in page
    file = client.get(f"{PAGE}csv/", DAYS | {"report": "charger"})
    rows = list(csv.reader(io.StringIO(file.getvalue().decode())))
    assert rows[1] == ["garage-1", "<b>Left", "Garage", "1", "5.000", "1.00"]
    out = io.StringIO()
    days = ("2026-11-01", "2026-12-01")
    call_command(
        "run_report", "charger", *days, tz="Europe/Berlin", stdout=out, stderr=io.StringIO()
    )
    assert list(csv.reader(io.StringIO(out.getvalue()))) == rows
    asked = {"report": "charger", "first_day": "2026-11-01", "last_day": "2026-11-30"}
    found = caller("read").get("reports", time_zone="Europe/Berlin", **asked)
    assert [found["columns"], *found["rows"]] == rows


@pytest.mark.parametrize("name", NAMES)
def test_each_report_has_an_empty_state_and_few_statements(browser, root, name):
    client = browser(root)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as queries:
        page = client.get(PAGE, {"report": name, "first": "2020-01-01", "last": "2020-01-31"})
    assert "There is nothing in these days" in page.content.decode()
    assert len(queries) <= 20


def test_days_that_make_no_sense_are_named_and_another_report_is_none(charger, browser, root):
    client = browser(root)
    asked = {"report": "charger", "first": "2026-12-01", "last": "2026-11-01"}
    assert "is before the first" in client.get(PAGE, asked).content.decode()
    assert client.get(f"{PAGE}csv/", asked).status_code == 302
    assert client.get(PAGE, {"report": "nonsense"}).status_code == 200


def test_somebody_of_one_site_sees_its_sessions_only(charger, browser, person):
    other = Site.objects.create(name="Street")
    clerk = person("clerk", "Viewer", sites=[other])
    page = browser(clerk).get(PAGE, DAYS | {"report": "charger"}).content.decode()
    assert "garage-1" not in page


def test_who_may_not_see_sessions_sees_no_report(browser, person):
    assert browser(person("nobody")).get(PAGE).status_code in (302, 403)


def test_the_api_says_what_is_wrong_and_who_may(charger, caller):
    reader = caller("read")
    for wrong in ({"report": "x"}, {"report": "tag", "time_zone": "Berlin"}):
        assert reader("GET", "reports", query=wrong).status_code == 422
    backwards = {"report": "tag", "first_day": "2026-12-01", "last_day": "2026-11-01"}
    assert reader("GET", "reports", query=backwards).status_code == 422


def test_the_command_says_what_is_wrong():
    with pytest.raises(CommandError, match="whole days"):
        call_command("run_report", "tag", "2026-11-01T10:00", "2026-12-01")
    with pytest.raises(CommandError, match="sessions only"):
        call_command("run_report", "tag", "2026-11-01", "2026-12-01", charge_point="x")
