"""Reports by mail: to those who were entered, once a month, and never twice by themselves."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError

from levity.billing.models import Assignment, Household, ReportMail
from levity.billing.reports import mails
from levity.billing.reports.mails import (
    send_due_reports,
    send_last_month,
    subscribe,
    unsubscribe,
)
from levity.mailing import NotSent
from levity.ocpp.deciding import NotAllowed, NotPossible
from levity.ocpp.models import AuditEntry, ChargePoint, IdTag, Site, Transaction
from tests.billing.test_used import session
from tests.pages.whole.conftest import browser, person, root, said_quietly

__all__ = ["browser", "person", "root", "said_quietly"]

pytestmark = pytest.mark.django_db
# Midnight of 1 December in Berlin is 23:00 UTC.
NOVEMBER = datetime(2026, 11, 20, tzinfo=UTC)
MORNING = datetime(2026, 12, 1, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def server(settings):
    settings.EMAIL_HOST = "mail.example.net"


@pytest.fixture
def site():
    garage = Site.objects.create(name="Garage", time_zone="Europe/Berlin")
    charger = ChargePoint.objects.create(identity="garage-1", site=garage)
    session(charger, NOVEMBER, 5000, stopped_at=NOVEMBER + timedelta(hours=1))
    session(charger, MORNING, 7000, stopped_at=MORNING)
    return garage


def entered(site=None, address="board@example.net"):
    return subscribe(ReportMail(address=address, site=site), None, NOVEMBER)


def test_the_month_before_is_sent_once_on_its_first_morning(site):
    entered(site)
    for at in (NOVEMBER, MORNING - timedelta(minutes=1)):
        assert send_due_reports(at) == 0
    assert send_due_reports(MORNING) == 1
    assert send_due_reports(MORNING + timedelta(days=20)) == 0
    [message] = mail.outbox
    assert message.to == ["board@example.net"]
    assert message.subject == "Charging in November 2026: Garage"
    assert "1 session, 5.000 kWh, 1.00 h" in message.body
    files = {name: text for name, text, _ in message.attachments}
    names = ("charger", "resident", "tag", "availability")
    assert set(files) == {f"{name}-2026-11.csv" for name in names}
    assert files["charger-2026-11.csv"].splitlines()[1] == "garage-1,,Garage,1,5.000,1.00"
    row = ReportMail.objects.get()
    assert (row.state, row.last_month) == ("sent", "2026-11")
    assert send_due_reports(datetime(2027, 1, 1, 6, tzinfo=UTC)) == 1


@pytest.mark.parametrize(
    ("language", "subject", "said"),
    [
        ("de", "Laden im November 2026: Garage", "1 Ladevorgang, 5,000 kWh, 1,00 h"),
        ("fr", "Recharge en novembre 2026 : Garage", "1 recharge, 5,000 kWh, 1,00 h"),
        ("nl", "Laden in november 2026: Garage", "1 laadsessie, 5,000 kWh, 1,00 h"),
    ],
)
def test_the_mail_is_in_the_language_of_the_installation(site, settings, language, subject, said):
    settings.LANGUAGE_CODE = language
    entered(site)
    send_due_reports(MORNING)
    [message] = mail.outbox
    assert message.subject == subject
    assert said in message.body
    # Programs read the files: they are English everywhere.
    assert message.attachments[0][1].startswith("charge point,name,site,sessions,energy (kWh)")


def test_an_address_of_one_site_gets_its_figures_only(site):
    entered(Site.objects.create(name="Street", time_zone="Europe/Berlin"))
    send_due_reports(MORNING)
    assert "no session" in mail.outbox[0].body


@pytest.mark.parametrize(
    ("error", "state", "again"),
    [
        (NotSent("later"), "waiting", True),
        (NotSent("away", is_unreached=True), "waiting", True),
        (NotSent("never", is_final=True), "refused", False),
        (NotSent("broke", is_unclear=True), "unclear", False),
    ],
)
def test_only_what_was_surely_not_taken_is_sent_again(site, monkeypatch, error, state, again):
    entered(site)

    def fail(message):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(mails, "deliver", fail)
        send_due_reports(MORNING)
    row = ReportMail.objects.get()
    assert (row.state, row.error) == (state, str(error))
    assert send_due_reports(MORNING + timedelta(seconds=30)) == 0
    assert send_due_reports(MORNING + timedelta(hours=3)) == int(again)
    assert len(mail.outbox) == int(again)


def test_a_process_that_ended_while_sending_leaves_it_unclear(site):
    row = entered(site)
    ReportMail.objects.update(state="sending", last_month="2026-11", not_before=MORNING)
    assert send_due_reports(MORNING + timedelta(hours=1)) == 0
    row.refresh_from_db()
    assert row.state == "unclear"
    send_last_month(row, None, MORNING + timedelta(hours=2))
    assert send_due_reports(MORNING + timedelta(hours=2)) == 1


def test_who_may_enter_whom(site, person):
    other = Site.objects.create(name="Street")
    clerk = person("clerk", "Admin", sites=[site])
    with pytest.raises(NotAllowed):
        subscribe(ReportMail(address="a@example.net"), clerk, NOVEMBER)
    with pytest.raises(NotAllowed):
        subscribe(ReportMail(address="a@example.net", site=other), clerk, NOVEMBER)
    row = subscribe(ReportMail(address="a@example.net", site=site), clerk, NOVEMBER)
    with pytest.raises(ValidationError):
        entered(site, "a@example.net")
    with pytest.raises(ValidationError):
        entered(site, "a@example.net\nBcc: x@example.net")
    with pytest.raises(NotAllowed):
        unsubscribe(row, person("olga", "Operator"))
    unsubscribe(row, clerk)
    assert AuditEntry.objects.filter(what__contains="reports").count() == 2


def test_without_a_mail_server_it_says_so(site, settings):
    row = entered(site)
    settings.EMAIL_HOST = ""
    with pytest.raises(NotPossible, match="EMAIL_URL"):
        send_last_month(row, None, MORNING)


def test_the_page_takes_an_address_and_lists_what_became_of_it(site, browser, root):
    client = browser(root)
    form = {"address": "board@example.net", "site": site.pk}
    assert client.post("/admin/billing/reportmail/add/", form).status_code == 302
    page = client.get("/admin/billing/reportmail/").content.decode()
    assert "board@example.net" in page
    assert "waits for the next month" in page
    row = ReportMail.objects.get()
    chosen = {"action": "send_now", "_selected_action": [row.pk]}
    client.post("/admin/billing/reportmail/", chosen)
    row.refresh_from_db()
    assert row.last_month == ""
    assert (
        "By mail each month" in client.get("/admin/billing/sessionprice/reports/").content.decode()
    )


def test_the_mail_of_a_site_names_nobody_of_another(site):
    """Who sees one site only may have it sent to themselves; the page names fewer."""
    elsewhere = Site.objects.create(name="Elsewhere")
    home = Household.objects.create(name="Foreign Family", site=elsewhere)
    Assignment.objects.create(household=home, id_tag="04AA", first_day="2026-01-01")
    card = IdTag.objects.create(id_tag="04AA", owner="Foreign Owner")
    card.charge_points.add(ChargePoint.objects.create(identity="there", site=elsewhere))
    Transaction.objects.update(id_tag="04AA")
    entered(site)
    entered(None, "all@example.net")
    send_due_reports(MORNING + timedelta(days=1))
    said = {
        message.to[0]: message.body + "".join(str(each[1]) for each in message.attachments)
        for message in mail.outbox
    }
    for word in ("Foreign Family", "Foreign Owner"):
        assert (word in said["all@example.net"], word in said["board@example.net"]) == (True, False)
    assert "(of another site)" in said["board@example.net"]
    assert "1,5.000" in said["board@example.net"]
