"""Accounting data on pages and over the API: whole for those who change them, masked elsewhere."""

from datetime import timedelta

import pytest
from django.utils import timezone

from levity.billing.models import Debtor
from levity.ocpp.models import AuditEntry
from tests.api.conftest import caller
from tests.billing.accounting.conftest import DEBTOR
from tests.pages.whole.conftest import browser, person, root, said_quietly

__all__ = ["browser", "caller", "person", "root", "said_quietly"]

pytestmark = pytest.mark.django_db
WHOLE = "NL91ABNA0417164300"


def test_a_household_is_given_a_mandate_and_the_history_shows_no_account(browser, root, anna):
    web, page = browser(root), f"/admin/billing/household/{anna.pk}/accounting/"
    given = {**DEBTOR, "country": "nl", "signed_on": "2026-01-02", "iban": "nl91 abna 0417 1643 00"}
    wrong = web.post(page, {**given, "iban": "NL91ABNA0417164301"}).content.decode()
    assert "check digits" in wrong
    half = web.post(page, {**given, "signed_on": ""}).content.decode()
    assert "the day on which it was signed" in half
    assert web.post(page, given).status_code == 302
    row = Debtor.objects.get()
    assert (row.iban, row.country) == (WHOLE, "NL")
    assert WHOLE in web.get(page).content.decode()
    said = AuditEntry.objects.get(kind="billing.debtor")
    assert said.after["iban"] == "NL91…4300"
    assert WHOLE not in str((said.what, said.before, said.after))


def test_who_may_only_look_sees_a_masked_account_and_changes_nothing(browser, person, parties):
    web = browser(person("vera", "Viewer"))
    page = f"/admin/billing/household/{parties.household_id}/accounting/"
    shown = web.get(page).content.decode()
    assert "NL91…4300" in shown
    assert WHOLE not in shown
    assert web.post(page, DEBTOR).status_code == 403
    issuer = parties.household.site.issuer
    shown = web.get(f"/admin/billing/issuer/{issuer.pk}/accounting/").content.decode()
    assert "DE89…3000" in shown


def test_the_page_of_a_run_has_files_and_makes_direct_debits_once(browser, root, person, run):
    web, page = browser(root), f"/admin/billing/statementrun/{run.pk}/change/"
    at = f"/admin/billing/statementrun/{run.pk}/accounting"
    shown = web.get(page).content.decode()
    assert f"{at}/xrechnung.zip" in shown
    assert web.get(f"{at}/datev.csv").content.startswith(b'"EXTF"')
    assert web.get(f"{at}/other.txt").status_code == 404
    day = timezone.localdate() + timedelta(days=20)
    made = web.post(f"{at}/collect/", {"day": day.isoformat()}, follow=True).content.decode()
    assert "1 direct debit of 21.52 EUR" in made
    debit = run.direct_debits.get()
    assert web.get(f"{at}/debit-{debit.pk}.xml").content == bytes(debit.content)
    again = web.post(f"{at}/collect/", {"day": day.isoformat()}, follow=True).content.decode()
    assert "a file of this run already" in again
    viewer = browser(person("vera", "Viewer"))
    assert viewer.get(f"{at}/debit-{debit.pk}.xml").status_code == 403
    assert "direct-debits-" not in viewer.get(page).content.decode()


def test_a_program_sees_masked_accounts_unless_it_may_change_them(caller, parties, run):
    reader, admin = caller("read"), caller("admin")
    at = f"households/{parties.household_id}/accounting"
    assert reader.get(at)["iban"] == "NL91…4300"
    assert admin.get(at)["iban"] == WHOLE
    assert reader("PATCH", at, {"street": "x"}).status_code == 403
    assert admin("PATCH", at, {"iban": "NL91ABNA0417164301"}).status_code == 422
    assert admin("PATCH", at, {"street": "Elsewhere 2"}).json()["street"] == "Elsewhere 2"
    booked = reader("GET", f"billing/runs/{run.pk}/accounting/datev")
    assert booked.content.startswith(b'"EXTF"')
    day = (timezone.localdate() + timedelta(days=20)).isoformat()
    path = f"billing/runs/{run.pk}/direct-debits"
    assert reader("POST", path, {"collect_on": day}).status_code == 403
    made = admin("POST", path, {"collect_on": day})
    assert (made.status_code, made.json()["total"]) == (201, "21.52")
    assert admin("POST", path, {"collect_on": day}).status_code == 409
    content = f"billing/direct-debits/{made.json()['id']}/content"
    assert reader("GET", content).status_code == 403
    assert admin("GET", content).content.startswith(b"<?xml")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", ("Die Prüfziffern dieser IBAN", "Buchhaltungsdaten von", "Mandatsreferenz")),
        ("fr", ("La clé de cet IBAN", "Données comptables de", "Référence du mandat")),
        ("nl", ("De controlecijfers van deze IBAN", "Boekhoudgegevens van", "Machtigingskenmerk")),
    ],
)
def test_what_is_wrong_with_an_account_is_said_in_the_language_of_the_page(
    browser, root, anna, language, words
):
    page = f"/admin/billing/household/{anna.pk}/accounting/"
    given = {**DEBTOR, "country": "NL", "iban": "NL91ABNA0417164301"}
    said = browser(root).post(page, given, headers={"accept-language": language})
    assert [word for word in words if word not in said.content.decode()] == []


@pytest.mark.parametrize(
    ("language", "said"),
    [("de", "Es gibt schon eine Datei"), ("fr", "Il y a déjà"), ("nl", "Er is al een bestand")],
)
def test_what_billing_refuses_is_said_in_the_language_of_the_page(
    browser, root, run, language, said
):
    web, page = browser(root), f"/admin/billing/statementrun/{run.pk}/accounting/collect/"
    given = {"day": (timezone.localdate() + timedelta(days=20)).isoformat()}
    web.post(page, given)
    answer = web.post(page, given, follow=True, headers={"accept-language": language})
    assert said in answer.content.decode()
