"""A month is checked, looked at, closed, and never changed again."""

import io
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from levity.billing.deciding import decide
from levity.billing.models import (
    Issuer,
    SessionPrice,
    Statement,
    StatementFile,
    StatementPosition,
    StatementRun,
    TariffUse,
)
from levity.billing.settling import settle
from levity.billing.statements import files
from levity.billing.statements.closing import close, prepare
from levity.billing.statements.downloads import as_download
from levity.billing.statements.drafting import fingerprint
from levity.billing.tariffs import add_tariff
from levity.ocpp.deciding import NotAllowed, NotPossible
from levity.ocpp.models import Site, Transaction
from tests.billing.statements.conftest import (
    DOCUMENT,
    FIRST,
    LAST,
    NOVEMBER,
    december,
    household,
    session,
)
from tests.pages.whole.conftest import browser, person, root, said_quietly

__all__ = ["browser", "person", "root", "said_quietly"]

pytestmark = pytest.mark.django_db
CHECK = "/admin/billing/statementrun/check/"
MONTH = {"first": "2026-11-01", "last": "2026-11-30"}


def test_a_month_is_closed_with_numbers_sums_and_the_equation(charger, issuer, anna, site):
    bob = household(site, "Bob", "04BB", first=date(2026, 11, 16))
    session(charger, 3, 5000, register=1000)
    session(charger, 5, 2000, register=6500)
    session(charger, 20, 1000, register=8500, id_tag="04BB")
    session(charger, 21, 4000, register=9500, confidence="low")
    session(charger, 22, 300, register=13500, id_tag="STRANGER")
    session(
        charger,
        30,
        700,
        register=13800,
        state="active",
        stopped_at=None,
        meter_stop=None,
        meter_last=Decimal(14500),
    )
    session(charger, -9, 9000, register=0)
    run = close(issuer, FIRST, LAST, None, house=(Decimal(100), Decimal("113.7")))
    found = {each.label: each for each in run.statements.select_related("household")}
    assert [(label, row.household, row.wh, row.gross) for label, row in found.items()] == [
        ("E-000002", bob, 1000, Decimal("2.26")),
        ("E-000001", anna, 7000, Decimal("6.90")),
    ]
    # 7 kWh at 0.40 and a month; 1 kWh, and 15 of 30 days.
    assert [found["E-000001"].net, found["E-000002"].net] == [Decimal("5.80"), Decimal("1.90")]
    said = {name: run.balance[name] for name in ("moved", "billed", "held", "nobodys", "carried")}
    assert {name: Decimal(wh) for name, wh in said.items()} == {
        "moved": 13500,
        "billed": 8000,
        "held": 4000,
        "nobodys": 300,
        "carried": 700,
    }
    assert (Decimal(run.balance["outside"]), Decimal(run.balance["difference"])) == (500, 0)
    assert SessionPrice.objects.filter(position__isnull=False).count() == 3


def test_nothing_of_a_closed_statement_can_be_changed(charger, issuer, anna):
    session(charger, 3)
    run = close(issuer, FIRST, LAST, None)
    files.make_missing(files.missing())
    for model in (StatementRun, Statement, StatementPosition, StatementFile):
        row = model.objects.first()
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            row.save()
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            model.objects.all()._raw_delete("default")
        sql = f"UPDATE {model._meta.db_table} SET id = id"
        with (
            pytest.raises(DatabaseError, match="never changed"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)
    with pytest.raises(NotPossible, match="are closed"):
        close(issuer, LAST, LAST, None)
    assert run.statements.count() == 1


def test_a_session_that_is_corrected_later_is_taken_back_and_billed_anew(charger, issuer, anna):
    rows = [session(charger, 3, 12345), session(charger, 4)]
    close(issuer, FIRST, LAST, None)
    Transaction.objects.filter(pk=rows[0].pk).update(energy=10345, energy_source="corrected")
    with transaction.atomic():
        settle([row.pk for row in rows])
    (statement,) = december(issuer).statements.all()
    assert [
        (each["session"], each["sign"], each["wh"], each["amount"], each.get("correction_of"))
        for each in statement.document["sessions"]
    ] == [
        (rows[0].pk, -1, "-12345.000", "-4.94", "E-000001"),
        (rows[0].pk, 1, "10345.000", "4.14", None),
    ]
    assert statement.document["sessions"][1]["marks"] == ["corrected"]
    assert (statement.net, statement.wh) == (Decimal("2.20"), -2000)
    anna.assignments.update(last_day=date(2026, 12, 31))
    with pytest.raises(NotPossible, match="nothing to bill"):
        close(issuer, date(2027, 1, 1), date(2027, 1, 31), None)


def test_a_session_that_is_nobodys_later_is_only_taken_back(charger, issuer, anna):
    row = session(charger, 3)
    close(issuer, FIRST, LAST, None)
    decide(SessionPrice.objects.get(), "exclude", None, why="a test of the electrician")
    (statement,) = december(issuer).statements.all()
    assert [each["amount"] for each in statement.document["sessions"]] == ["-2.00"]
    assert SessionPrice.objects.get(pk=row.pk).position.sign == -1


def test_what_waited_comes_on_the_next_statements(charger, issuer, anna):
    session(charger, 3, confidence="low")
    session(charger, 4)
    close(issuer, FIRST, LAST, None)
    decide(SessionPrice.objects.get(state="waits"), "bill", None)
    (statement,) = december(issuer).statements.all()
    assert [each["start"][:10] for each in statement.document["sessions"]] == ["2026-11-03"]


def test_what_was_before_the_first_run_is_never_billed(charger, issuer, anna):
    session(charger, -1)
    _, drafts = prepare(issuer, FIRST, LAST)
    assert [len(draft.entries) for draft in drafts] == [0]


def test_it_is_closed_as_it_was_looked_at_or_not_at_all(charger, issuer, anna, person):
    session(charger, 3)
    _, drafts = prepare(issuer, FIRST, LAST)
    session(charger, 4)
    with pytest.raises(NotPossible, match="changed since you looked"):
        close(issuer, FIRST, LAST, None, expected=fingerprint(drafts))
    with pytest.raises(NotAllowed):
        close(issuer, FIRST, LAST, person("op", "Operator"))
    assert not StatementRun.objects.exists()
    issuer.refresh_from_db()
    assert issuer.next_number == 1


def test_statements_of_the_database_do_not_grow_with_sessions(charger, issuer, anna, site):
    session(charger, 3)
    with CaptureQueriesContext(connection) as few:
        close(issuer, FIRST, FIRST + timedelta(days=9), None)
    for number in range(8):
        household(site, f"H{number}", f"{number}")
        session(charger, 12, id_tag=f"{number}", register=number * 10_000)
    with CaptureQueriesContext(connection) as many:
        close(issuer, FIRST + timedelta(days=10), LAST, None)
    assert len(many) <= len(few) + 2


def test_the_files_are_those_that_were_stored(charger, issuer, anna):
    session(charger, 3, flags="late-stop")
    run = close(issuer, FIRST, LAST, None)
    (statement,) = run.statements.all()
    pdf = files.content_of(statement, "pdf")
    assert pdf.startswith(b"%PDF-")
    assert files._pdfs([statement.document]) == [pdf]
    stored = StatementFile.objects.get(kind="pdf")
    assert (stored.sha256, bytes(stored.content)) == (sha256(pdf).hexdigest(), pdf)
    table = files.content_of(statement, "csv").decode("utf-8-sig")
    assert table.splitlines()[1].startswith("E-000001;Änne Müller;;session;")
    assert ";5,000;" in table
    archive = files.zip_of(run)
    assert archive == files.zip_of(run)
    assert zipfile.ZipFile(io.BytesIO(archive)).namelist() == ["E-000001.csv", "E-000001.pdf"]


def test_a_month_was_closed_on_its_last_evening_without_a_word(issuer, browser, root):
    # At the clock of the site, where it may be tomorrow.
    client, today = browser(root), timezone.localdate(timezone=ZoneInfo("Europe/Berlin"))
    for last, is_warned in ((today, True), (today - timedelta(days=2), False)):
        asked = {"issuer": issuer.pk, "first": last - timedelta(days=3), "last": last}
        page = client.get(CHECK, asked).content
        assert (b"This period is not over." in page, b"2. Preview" in page) == (is_warned, True)


def test_the_treasurers_way(charger, issuer, anna, browser, root):
    client = browser(root)
    row = session(charger, 3, flags="orphaned")
    session(charger, 4)
    asked = {"issuer": issuer.pk, **MONTH}
    page = client.get(CHECK, asked)
    text = page.content.decode()
    assert "1 session would be held back" in text
    assert f"/admin/billing/sessionprice/{row.pk}/decide/?next=" in text
    back = client.post(page.context["waits"][0]["decide"], {"what": "bill"})
    text = client.get(back.url).content.decode()
    assert "Nothing waits for a decision." in text
    form = {**asked, "expected": client.get(CHECK, asked).context["fingerprint"]}
    unsure = client.post(CHECK, form | {"house_from": "x", "house_to": "113,7"}).content.decode()
    assert "Tick this box if you mean it." in unsure
    assert "Write it in digits, like 2700.5." in unsure
    assert 'value="113,7"' in unsure
    assert "2. Preview" in unsure
    assert StatementRun.objects.count() == 0
    closed = client.post(CHECK, form | {"sure": "on", "house_to": "113,7"}, follow=True)
    assert "E-000001" in closed.content.decode()
    (statement,) = Statement.objects.all()
    page = client.get(f"/admin/billing/statement/{statement.pk}/change/").content.decode()
    assert f"/admin/ocpp/transaction/{row.pk}/change/" in page
    assert "Times of Europe/Berlin." in page
    assert ">1 month<" in page
    assert "EUR/month<" in page
    assert StatementRun.objects.get().house_to == Decimal("113.7")
    assert client.get(f"/admin/billing/statement/{'9' * 5000}/change/").status_code == 302
    answer = client.get(f"/admin/billing/statement/{statement.pk}/file.pdf")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="E-000001.pdf"'
    assert client.get(f"/admin/billing/statement/{statement.pk}/file.exe").status_code == 404
    assert client.get("/admin/billing/statementrun/").status_code == 200
    again = client.get(CHECK, asked).content.decode()
    assert "are closed: begin after that" in again


def test_who_sees_another_site_sees_no_statement(charger, issuer, anna, browser, person):
    session(charger, 3)
    close(issuer, FIRST, LAST, None)
    elsewhere = Site.objects.create(name="Elsewhere")
    client = browser(person("limited", "Admin", sites=[elsewhere]))
    (statement,) = Statement.objects.all()
    assert client.get(f"/admin/billing/statement/{statement.pk}/file.pdf").status_code == 404
    assert "E-000001" not in client.get("/admin/billing/statement/").content.decode()
    page = client.get(CHECK, {"issuer": issuer.pk, **MONTH}).content.decode()
    assert "Änne" not in page


def test_who_sees_one_site_reads_no_names_and_cards_of_others_at_its_tariff(
    site, issuer, anna, browser, person
):
    elsewhere = Site.objects.create(name="Elsewhere")
    tariff = add_tariff("Theirs", DOCUMENT, NOVEMBER, None, elsewhere)
    TariffUse.objects.create(tariff=tariff, household=anna)
    TariffUse.objects.create(tariff=tariff, id_tag="04AACARD")
    TariffUse.objects.create(tariff=tariff, site=elsewhere)
    client = browser(person("limited", "Admin", sites=[elsewhere]))
    for url in ("", f"{tariff.pk}/change/"):
        page = client.get(f"/admin/billing/tariff/{url}").content.decode()
        assert "Elsewhere" in page
        assert "Änne" not in page
        assert "04AACARD" not in page


def test_numbers_that_another_issuer_had_are_not_given_again(charger, issuer, anna, site):
    session(charger, 3)
    close(issuer, FIRST, LAST, None)
    Issuer.objects.filter(pk=issuer.pk).update(prefix="F-")
    elsewhere = Site.objects.create(name="Elsewhere")
    other = Issuer.objects.create(site=elsewhere, name="Other", prefix="E-")
    household(elsewhere, "Bob", "04BB")
    with pytest.raises(NotPossible, match=r"a statement E-000001 already.*another prefix"):
        close(other, FIRST, LAST, None)


def test_an_issuer_with_statements_stays_at_its_site(charger, issuer, anna, browser, root):
    session(charger, 3)
    close(issuer, FIRST, LAST, None)
    elsewhere = Site.objects.create(name="Elsewhere")
    form = {"site": elsewhere.pk, "name": "Renamed", "prefix": "E-"}
    browser(root).post(f"/admin/billing/issuer/{issuer.pk}/change/", form)
    before = issuer.site_id
    issuer.refresh_from_db()
    assert (issuer.name, issuer.site_id) == ("Renamed", before)


def test_a_household_of_no_site_is_named_for_it_would_pay_no_fee(issuer, browser, root):
    household(None, "Nowhere", "04CC")
    text = browser(root).get(CHECK, {"issuer": issuer.pk, **MONTH}).content.decode()
    assert "1 household of no site" in text


def test_a_period_that_is_not_over_says_so_before_it_is_closed(issuer, anna, browser, root):
    client = browser(root)
    asked = {"issuer": issuer.pk, "first": "8999-01-01"}
    page = client.get(CHECK, asked | {"last": "8999-01-31"}).content.decode()
    assert "This period is not over: its last day is 8999-01-31." in page
    page = client.get(CHECK, {"issuer": issuer.pk, "first": "2026-01-01", "last": "2026-01-31"})
    assert "This period is not over" not in page.content.decode()
    assert page.context["may_close"]


def test_a_file_that_can_not_be_made_keeps_no_other_from_being_made(
    charger, issuer, anna, site, monkeypatch
):
    for number in range(3):
        household(site, f"H{number}", f"{number}")
    close(issuer, FIRST, LAST, None)

    def all_but_the_second(documents):
        if any(document["number"] == "E-000002" for document in documents):
            raise files.NoFile("a name that no page holds")
        return [b"%PDF-" for _ in documents]

    monkeypatch.setattr(files, "_pdfs", all_but_the_second)
    with pytest.raises(files.NoFile, match="no page holds"):
        files.make_missing(files.missing())
    assert [each.label for each in files.missing()] == ["E-000002"]


def test_a_file_is_named_in_ascii():
    named = as_download(b"", "Ł/1-ü", "csv").headers["Content-Disposition"]
    assert named == 'attachment; filename="__1-_.csv"'


def test_without_an_issuer_the_page_says_what_to_do(browser, root):
    assert "Say who bills" in browser(root).get(CHECK).content.decode()


def test_the_monthly_fee_is_paid_once_when_the_site_gets_another_owner_within_the_month(
    charger, issuer, anna, site
):
    first = close(issuer, FIRST, date(2026, 11, 20), None)
    # A new owner, who bills the whole month by mistake: of its fee, the last ten days are left.
    Issuer.objects.filter(pk=issuer.pk).update(site=Site.objects.create(name="Sold"))
    owner = Issuer.objects.create(site=site, name="New owner", prefix="N-")
    second = close(owner, FIRST, LAST, None)
    assert [run.statements.get().net for run in (first, second)] == [2, 1]
    (fee,) = second.statements.get().document["fees"]
    assert (fee["first_day"], fee["last_day"]) == ("2026-11-21", "2026-11-30")
    with pytest.raises(NotPossible, match="nothing to bill"):
        close(Issuer.objects.create(name="The rest", prefix="R-"), FIRST, LAST, None)
