"""Statements of a closed run go to the households that have an address, once."""

from datetime import timedelta
from decimal import Decimal
from hashlib import sha256

import pytest
from django.utils import timezone

from levity.billing.admin import statement_mails, statement_runs
from levity.billing.models import Household, Issuer, Statement, StatementMail, StatementRun
from levity.billing.statements.letters import letter
from levity.billing.statements.mails import order, order_again, send_due, to_print, to_send
from levity.ocpp.deciding import NotAllowed, NotPossible
from levity.ocpp.models import AuditEntry, Site
from tests.monitoring.conftest import mail_server
from tests.monitoring.receivers import Killed
from tests.pages.whole.conftest import browser, person, root, said_quietly
from tests.pages.whole.rows import READ

__all__ = ["browser", "mail_server", "person", "root", "said_quietly"]

pytestmark = pytest.mark.django_db
NOW = timezone.now()
PDF = b"%PDF- as it was stored"
DOCUMENT = {
    "number": "E-1",
    "language": "de",
    "issuer": {"name": "WEG Müllerstraße", "address": "Müllerstraße 1", "tax_number": ""},
    "household": {"name": "Änne Müller", "flat": "", "parking": ""},
    "first_day": "2026-11-01",
    "last_day": "2026-11-30",
    "currency": "EUR",
    "wh": "1234567",
    "gross": "370.37",
    "net": "311.24",
    "payment_text": "Bitte überweisen: E-1",
    "sessions": [],
    "bands": [],
    "fees": [],
    "taxes": [],
}


@pytest.fixture
def run():
    """Anna and Bob have an address, Cara has none."""
    site = Site.objects.create(name="Garage")
    issuer = Issuer.objects.create(site=site, name="WEG")
    run = StatementRun.objects.create(
        issuer=issuer,
        first_day="2026-11-01",
        last_day="2026-11-30",
        time_zone="UTC",
        balance=READ["billing.StatementRun.balance"],
    )
    for number, (name, address) in enumerate(
        (("Anna", "anna@example.net"), ("Bob", "bob@example.net"), ("Cara", "")), 1
    ):
        row = Statement.objects.create(
            run=run,
            household=Household.objects.create(name=name, email=address, site=site),
            label=f"E-{number}",
            currency="EUR",
            document=DOCUMENT,
            **dict.fromkeys(("wh", "net", "tax", "gross"), Decimal(1)),
        )
        for kind in ("pdf", "csv"):
            row.files.create(kind=kind, content=PDF, sha256=sha256(PDF).hexdigest())
    return run


def states():
    rows = StatementMail.objects.order_by("pk")
    return [(row.address, row.state, row.attempts) for row in rows]


def test_each_gets_the_stored_bytes_once_however_often_somebody_clicks(run, mail_server):
    """And the one without an address is on the list to print."""
    assert [row.label for row in to_print(run)] == ["E-3"]
    assert [order(run, None, NOW), order(run, None, NOW)] == [2, 0]
    send_due(NOW)
    assert (send_due(NOW), order(run, None, NOW)) == ([], 0)
    assert [to for to, _ in mail_server.mails] == [["anna@example.net"], ["bob@example.net"]]
    text, pdf = mail_server.mails[0][1].get_payload()
    assert (pdf.get_filename(), pdf.get_payload(decode=True)) == ("E-1.pdf", PDF)
    assert "1.234,567 kWh, 370,37 EUR zu zahlen." in text.get_payload(decode=True).decode()
    assert states() == [("anna@example.net", "sent", 1), ("bob@example.net", "sent", 1)]
    assert list(AuditEntry.objects.values_list("what", "after")) == [
        ("mails ordered", {"statements": 2})
    ]


def test_a_refusal_is_noted_and_sent_again_once_the_address_is_right(run, mail_server):
    """5xx ends it, 4xx is tried again; neither keeps another mail from being sent."""
    mail_server.refused = {
        "anna@example.net": "550 5.1.1 no such user",
        "bob@example.net": "450 4.2.0 greylisted",
    }
    order(run, None, NOW)
    send_due(NOW)
    assert [(row.state, row.error) for row in StatementMail.objects.order_by("pk")] == [
        ("refused", "the mail server rejects anna@example.net: 550 5.1.1 no such user"),
        ("queued", "the mail server rejects bob@example.net: 450 4.2.0 greylisted"),
    ]
    mail_server.refused = {}
    assert send_due(NOW + timedelta(seconds=59)) == []
    send_due(NOW + timedelta(seconds=60))
    Household.objects.filter(name="Anna").update(email="anna@example.org")
    assert [row.label for row in to_send(run)] == ["E-1"]
    order(run, None, NOW)
    send_due(NOW)
    assert [to for to, _ in mail_server.mails] == [["bob@example.net"], ["anna@example.org"]]


def test_a_server_that_is_away_keeps_the_others_waiting_untried(run, settings):
    """Five hundred time-outs of 15 s would help nobody."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    order(run, None, NOW)
    [mail] = send_due(NOW)
    assert "refused" in mail.error
    assert [attempts for _, _, attempts in states()] == [1, 0]
    assert {state for _, state, _ in states()} == {"queued"}


def test_what_may_have_been_taken_is_not_sent_again_by_itself(run, mail_server, settings):
    """The process ended while the server was being asked."""
    backend = settings.EMAIL_BACKEND
    order(run, None, NOW)
    settings.EMAIL_BACKEND = "tests.monitoring.receivers.Dying"
    with pytest.raises(Killed):
        send_due(NOW)
    settings.EMAIL_BACKEND = backend
    send_due(NOW + timedelta(minutes=11))
    assert [state for _, state, _ in states()] == ["unclear", "sent"]
    assert order(run, None, NOW) == 0
    statement = run.statements.get(label="E-1")
    order_again(statement, None, NOW, known=1)
    send_due(NOW)
    assert [to for to, _ in mail_server.mails] == [["bob@example.net"], ["anna@example.net"]]
    with pytest.raises(NotPossible, match="since you looked"):
        order_again(statement, None, NOW, known=1)


def test_without_a_mail_server_nothing_is_ordered(run, settings):
    settings.EMAIL_HOST = ""
    with pytest.raises(NotPossible, match="set EMAIL_URL"):
        order(run, None, NOW)
    assert not StatementMail.objects.exists()


def test_the_pages_show_send_and_tell_what_became_of_each(run, mail_server, browser, root):
    """Preview, who gets one, who is to be printed; then the answers of the server."""
    page = f"/admin/billing/statementrun/{run.pk}/mail/"
    who = browser(root)
    said = who.get(page).content.decode()
    for text in ("Abrechnung E-1: Laden vom 01.11.2026", "Send 2 mails", "Cara", "To print"):
        assert text in said
    who.post(page)
    assert not StatementMail.objects.exists()
    mail_server.refused = {"anna@example.net": "550 <script>no"}
    who.post(page, {"sure": "on"})
    assert "2 waits to be sent" in who.get(page).content.decode()
    send_due(timezone.now())
    said = who.get(page).content.decode()
    assert "550 &lt;script&gt;no" in said
    assert "1 sent, 1 refused" in said
    one = f"/admin/billing/statement/{run.statements.get(label='E-1').pk}/"
    mail_server.refused = {}
    who.post(f"{one}mail/", {"sure": "on", "known": "1"})
    who.post(f"{one}mail/", {"sure": "on", "known": "1"})
    send_due(timezone.now())
    assert "550 &lt;script&gt;no" in who.get(f"{one}change/").content.decode()
    assert len(mail_server.mails) == 2
    who.post(f"{page}test/", {"address": "me@example.net"})
    assert mail_server.mails[-1][0] == ["me@example.net"]
    assert (
        "is no e-mail address"
        in who.post(f"{page}test/", {"address": "no"}, follow=True).content.decode()
    )


def test_others_sites_and_other_roles_send_nothing(run, mail_server, browser, person):
    """A viewer looks; an admin of another site does not even do that."""
    page = f"/admin/billing/statementrun/{run.pk}/mail/"
    viewer = person("vera", "Viewer")
    other = person("otto", "Admin", [Site.objects.create(name="Elsewhere")])
    mine = person("mia", "Admin", [run.issuer.site])
    assert "Send 2 mails" not in browser(viewer).get(page).content.decode()
    browser(viewer).post(page, {"sure": "on"})
    for address in (page, f"/admin/billing/statement/{run.statements.first().pk}/mail/"):
        assert browser(other).get(address).status_code == 404
        assert browser(other).post(address, {"sure": "on", "known": "0"}).status_code == 404
    with pytest.raises(NotAllowed):
        order(run, other, NOW)
    assert not StatementMail.objects.exists()
    assert order(run, mine, NOW) == 2


@pytest.mark.parametrize(
    ("language", "subject", "sentence"),
    [
        ("en", "Statement E-1: charging from 01 Nov 2026 to 30 Nov 2026", "370.37 EUR to pay"),
        ("de", "Abrechnung E-1: Laden vom 01.11.2026 bis 30.11.2026", "370,37 EUR zu zahlen"),
        ("fr", "Décompte E-1 : recharges du 01/11/2026 au 30/11/2026", "370,37 EUR à payer"),
        ("nl", "Afrekening E-1: laden van 01-11-2026 tot en met 30-11-2026", "te betalen"),
    ],
)
def test_a_mail_is_in_the_language_of_the_household(language, subject, sentence):
    """Names that look like a header stay in the body; a line break ends no subject."""
    said = letter({**DOCUMENT, "language": language, "number": "E-1"})
    assert said[0] == subject
    assert sentence in said[1]
    assert "Bitte überweisen: E-1" in said[1]
    assert "\n" not in letter({**DOCUMENT, "number": "E\r\nBcc: x@example.net"})[0]


def test_a_credit_asks_for_no_payment():
    said = letter({**DOCUMENT, "gross": "-5.00", "language": "en"})[1]
    assert "a credit of 5.00 EUR" in said
    assert "überweisen" not in said


def test_a_list_that_is_cut_says_how_many_are_missing(run, root, browser, monkeypatch):
    """The letters of a run of more than 1,000 were printed without the last ones."""
    monkeypatch.setattr(statement_mails, "MOST", 1)
    monkeypatch.setattr(statement_runs, "MOST", 1)
    Household.objects.filter(name="Bob").update(email="")
    for row in run.statements.all()[:2]:
        StatementMail.objects.create(statement=row, address="a@example.net", not_before=NOW)
    page = browser(root)
    mails = page.get(f"/admin/billing/statementrun/{run.pk}/mail/").content.decode()
    assert mails.count("and 1 more") == 2
    of_run = page.get(f"/admin/billing/statementrun/{run.pk}/change/").content.decode()
    assert "and 2 more" in of_run
