"""English, German, French and Dutch on treasurers' pages: nothing is left out, in any language."""

import ast
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path
from typing import Any

import pytest
import unfold
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext
from django.utils.translation.template import templatize

import levity
from levity.billing.settling import settle
from levity.billing.statements.texts import MARKED, TEXTS
from levity.ocpp.call_forms import GROUPS
from levity.ocpp.models import ChargePoint, Transaction
from levity.ocpp.rules.flag_meanings import MEANINGS
from levity.pages.calls.kinds import KINDS
from levity.pages.kit.words import COMMANDS

HERE = Path(levity.__file__).parent
APPS = ("billing", "ocpp", "pages")
LANGUAGES = ("de", "fr", "nl")
CATALOGS = [(app, language) for app in APPS for language in LANGUAGES]
# Of the pages app: those that treasurers and residents see; the others are English.
OF_PAGES = (
    *("first_run/*.html", "first_charger.html", "refused.html", "overview/*.html"),
    *("overview_live.html", "index.html", "onboarding.html", "live.html"),
    *(f"transaction_{part}.html" for part in ("now", "live", "figures", "chart", "sure", "values")),
    *("transaction_samples.html", "transaction_signed.html"),
    *("charge_point.html", "charge_point_now.html", "charge_point_live.html", "charger_tabs.html"),
    *("charge_points_help.html", "transactions_export.html"),
    *("unassigned_help.html", "unassigned_now.html"),
    *("charge_point_facts.html", "connector_chain.html", "connector_chart.html"),
    *("calls/limit.html", "calls/limit_live.html", "calls/menu.html", "calls/menu_live.html"),
)
CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "pgettext", "pgettext_lazy"}
# Proper names and signs that are the same in every language.
SAME = {
    *("PDF", "CSV", "JSON", "SHA-256", "kWh", "XML", "URL", "EUR", "direct-debits-.xml"),
    *("XRechnung (ZIP)", "Factur-X, ZUGFeRD (ZIP)", "DATEV (CSV)"),
}
SAID = r"{% blocktranslate.*?{% endblocktranslate %}|{#.*?#}"
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}|%%")


def place(app: str, language: str) -> Path:
    return HERE / app / "locale" / language / "LC_MESSAGES"


def entries(app: str, language: str) -> Iterator[tuple[str | None, str, str, list[str], bool]]:
    """(context, text, plural, translations, fuzzy) of each entry of a catalog's source."""
    for block in (place(app, language) / "django.po").read_text().split("\n\n")[1:]:
        found: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            word, _, rest = line.partition(" ")
            if not line.startswith('"'):
                name, found[word] = word, ""
            found[name] += ast.literal_eval(line if line.startswith('"') else rest)
        if "msgid" in found:
            said = [found[key] for key in found if key.startswith("msgstr")]
            fuzzy = any(line.startswith("#,") and "fuzzy" in line for line in block.splitlines())
            yield found.get("msgctxt"), found["msgid"], found.get("msgid_plural", ""), said, fuzzy


def templates(app: str) -> Iterator[Path]:
    folder = HERE / app / "templates" / "levity"
    for pattern in ("*.html",) if app == "billing" else OF_PAGES:
        yield from sorted(folder.glob(pattern))


@pytest.mark.parametrize(("app", "language"), CATALOGS)
def test_every_text_is_translated_with_the_same_placeholders(app: str, language: str) -> None:
    wrong = []
    for _, text, plural, said, fuzzy in entries(app, language):
        for at, each in enumerate(said):
            origin = plural if plural and at else text
            same = sorted(PLACEHOLDER.findall(each)) == sorted(PLACEHOLDER.findall(origin))
            if not each or fuzzy or not same:
                wrong.append((text, each))
    assert wrong == []


@pytest.mark.parametrize(("app", "language"), CATALOGS)
def test_the_compiled_catalog_says_what_its_source_says(app: str, language: str) -> None:
    """`make messages` makes both; nobody needs gettext's tools to run Levity."""
    with (place(app, language) / "django.mo").open("rb") as file:
        catalog = GNUTranslations(file)
    for context, text, plural, said, _ in entries(app, language):
        if context:
            assert catalog.pgettext(context, text) == said[0]
        elif plural:
            assert [catalog.ngettext(text, plural, count) for count in (1, 2)] == said
        else:
            assert catalog.gettext(text) == said[0]


def texts_of_code(app: str) -> Iterator[str]:
    for path in (HERE / app).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in CALLS
            ):
                for given in node.args:
                    if isinstance(given, ast.Constant) and isinstance(given.value, str):
                        yield given.value


def texts_of(path: Path) -> Iterator[str]:
    source = templatize(path.read_text())
    for sign in ("'", '"'):
        for text in re.findall(rf"gettext\(u?({sign}(?:[^{sign}\\]|\\.)*{sign})", source):
            yield ast.literal_eval(text)


def texts_of_templates(app: str) -> Iterator[str]:
    for path in (HERE / app / "templates").rglob("*.html"):
        yield from texts_of(path)


@pytest.mark.parametrize("app", APPS)
def test_no_text_of_code_or_templates_is_missing_in_the_catalogs(app: str) -> None:
    known = {
        text for context, one, many, _, _ in entries(app, "de") for text in (context, one, many)
    }
    asked = {*texts_of_code(app), *texts_of_templates(app)}
    assert sorted(text for text in asked - known if re.search("[A-Za-z]", text)) == []


REFUSALS = {"NotPossible", "NotAllowed", "BadSpan", "Cannot", "NoAccount", "NoFile", "DamagedFile"}
# Problems of documents (JSON), each with the name of its field.
OF_DOCUMENTS = {"tariffs.py": 1, "admin/tariff_form.py": 2}


def is_marked(node: ast.expr) -> bool:
    """A text for the catalog, the constant of one, or what another error said."""
    match node:
        case ast.Call(func=ast.Name(id="gettext_noop" | "_")):
            return True
        case ast.Name(id=name):
            return name.isupper() or name in ("text", "wrong")
        case ast.Attribute(attr="text") | ast.Subscript():
            return True
        case ast.Dict(values=values):
            return all(map(is_marked, values))
    return False


def test_whatever_billing_refuses_can_be_said_in_every_language() -> None:
    wrong: dict[str, list[str]] = {}
    for path in sorted((HERE / "billing").rglob("*.py")):
        if "management" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id not in {*REFUSALS, "ValidationError"} or not node.args:
                continue
            if not is_marked(node.args[0]):
                name = str(path.relative_to(HERE / "billing"))
                wrong.setdefault(name, []).append(ast.unparse(node))
    assert {
        name: found for name, found in wrong.items() if len(found) != OF_DOCUMENTS.get(name)
    } == {}


# OCPP's words, which stay as they are.
STATUSES = {
    *("Available", "Preparing", "Charging", "Finishing", "Reserved", "Unavailable", "Faulted"),
}
# Pages whose code says nothing but texts of the catalog, and what else looks like one in it.
CODE = {
    "billing/admin/*.py": {
        *("parking space", "sessions to check"),  # columns of CSV files are English
        *("ground floor", "3rd floor left", "there is no such household"),
    },
    "pages/overview/*.py": {
        *STATUSES,
        "Sum",
        "to check",
        "there is no such plot, or you may not see it",
    },
    "monitoring/admin/overview.py": set(),
    **{
        f"pages/chargers/{name}.py": set()
        for name in (
            *("figures", "how_sure", "transactions", "sure_words", "command_state"),
            *("charger_tabs", "connectors", "chain_chart", "facts_said", "billing_class"),
        )
    },
    # Names of OCPP and of columns; titles that are translated where they are drawn.
    "pages/chargers/chart.py": {
        *("Voltage", "Power", "Energy", "Current", "State of charge"),
    },
    "pages/chargers/filters.py": STATUSES,
    "pages/kit/periods.py": {"Period"},
    "pages/calls/limit.py": set(),
    "pages/chargers/charge_point_now.py": {"Available"},
}
LOOKS_LIKE_ONE = re.compile(r"[A-Za-z]+[,:;]? [a-z]{2,}|^[A-Z][a-z]+[ .…:]*$")


def untranslated(path: Path) -> Iterator[str]:
    """Texts of a module that no function of gettext gets: those with two words or a capital."""
    tree = ast.parse(path.read_text())
    fine: set[int] = set()
    for node in ast.walk(tree):
        is_marked_call = (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in CALLS | {"ngettext_lazy"}
        )
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_all = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        if is_marked_call or is_docstring or is_all:
            fine |= {id(part) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in fine:
            text = re.sub("<[^>]*>", " ", node.value)
            if LOOKS_LIKE_ONE.search(text) and not text.startswith(("attachment;", "levity.")):
                yield node.value


@pytest.mark.parametrize("pattern", CODE)
def test_the_code_of_these_pages_says_nothing_that_nobody_can_translate(pattern: str) -> None:
    found = {text for path in HERE.glob(pattern) for text in untranslated(path)}
    assert found == CODE[pattern]


@pytest.mark.parametrize("app", APPS)
def test_no_template_says_anything_that_nobody_can_translate(app: str) -> None:
    wrong = []
    for path in templates(app):
        text = path.read_text()
        text = re.sub(
            r"{% blocktranslate.*?{% endblocktranslate %}|{#.*?#}", "", text, flags=re.DOTALL
        )
        attributes = re.findall(r'(?:data-label|aria-label|title|placeholder)="([^"]*)"', text)
        bare = [re.sub(r"{%.*?%}|{{.*?}}", "", each) for each in attributes]
        rest = re.sub(r"{%.*?%}|{{.*?}}", "", text)
        bare += re.sub(r"<[^>]*>", "\n", rest).splitlines()
        for each in bare:
            letters = re.sub(r"&\w+;", "", each)
            if re.search(r"[A-Za-z]{2}", letters) and letters.strip() not in SAME:
                wrong.append((path.name, each.strip()))
    assert wrong == []


def test_statements_say_the_same_words_in_every_language_as_their_catalog() -> None:
    """Their PDF is made where there is no Django."""
    assert TEXTS["en"]["statement"] == "Statement"
    assert TEXTS["de"]["registers"] == "Zählerstand (kWh)"
    assert TEXTS["fr"]["statement"] == "Décompte"
    assert TEXTS["nl"]["before"] == "Vorige periode"
    for language in LANGUAGES:
        assert {name for name, said in TEXTS[language].items() if said} == {
            name for name, marked in MARKED.items() if marked[1]
        }


PAGES = {
    "/admin/billing/household/": ("Haushalte", "Foyers", "Huishoudens"),
    "/admin/billing/household/add/": ("Wohnung", "Logement", "Woning"),
    "/admin/billing/household/energy/": ("Vormonat", "Mois précédent", "Vorige maand"),
    "/admin/billing/household/import/": ("Muster herunterladen", "Télécharger", "Voorbeeld"),
    "/admin/billing/tariff/": ("Neuer Tarif", "Nouveau tarif", "Nieuw tarief"),
    "/admin/billing/tariff/add/": ("Preis je kWh", "Prix par kWh", "Prijs per kWh"),
    "/admin/billing/statementrun/check/": ("Zeitraum", "Période", "Periode"),
    "/admin/": ("Energie je Tag", "Énergie par jour", "Energie per dag"),
    "/admin/?part=plots": ("Noch keine Energie", "Pas encore d", "Nog geen energie"),
    "/admin/billing/sessionprice/reports/": ("Je Ladepunkt", "Par borne", "Per laadpunt"),
    "/admin/billing/issuer/add/": ("Steuernummer", "Numéro fiscal", "Btw-nummer"),
    "/admin/billing/reportmail/": ("Teil einer Adresse", "Partie d", "Deel van een adres"),
    "/admin/first-steps/site/": ("Zeitzone", "Fuseau horaire", "Tijdzone"),
}


OF_A_CHARGER = {
    "/admin/ocpp/chargepoint/": ("Filtern", "Filtrer", "Filteren"),
    "/admin/ocpp/chargepoint/{}/change/": ("Höchststrom", "Courant maximal", "Maximale stroom"),
    "/admin/ocpp/connector/{}/change/": ("Anschluss 1, ", "Prise 1, ", "Aansluiting 1, "),
    "/admin/ocpp/transaction/": ("nicht abzurechnen", "à ne pas facturer", "niet af te rekenen"),
    "/admin/ocpp/transaction/{}/change/": (
        "Zählerwert zeigt",
        "relevé indique",
        "meterwaarde toont",
    ),
}


@pytest.fixture
def browser(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.mark.parametrize("at", range(3), ids=LANGUAGES)
def test_pages_speak_the_language_of_the_browser(browser: Client, at: int) -> None:
    for path, words in PAGES.items():
        answer = browser.get(path, headers={"accept-language": f"xx, {LANGUAGES[at]};q=0.9"})
        assert answer.status_code == 200
        assert words[at] in answer.content.decode()
        # (A part of a page has no head.)
        assert "?part=" in path or f'<html lang="{LANGUAGES[at]}"' in answer.content.decode()


def test_the_way_to_a_page_is_in_its_language(browser: Client) -> None:
    """“Afrekening > Statements” stood above a Dutch statement."""
    charger = ChargePoint.objects.create(identity="garage-1")
    connector = charger.connectors.create(number=1, status="Available")
    path = f"/admin/ocpp/connector/{connector.pk}/change/"
    page = browser.get(path, headers={"accept-language": "nl"}).content.decode()
    assert "Aansluitingen" in page
    assert "Connectors" not in page


@pytest.mark.parametrize("at", range(3), ids=LANGUAGES)
def test_pages_of_chargers_speak_it_too(browser: Client, at: int) -> None:
    charger = ChargePoint.objects.create(identity="garage-1", max_power=11_000)
    connector = charger.connectors.create(number=1, status="Available")
    session = Transaction.objects.create(
        charge_point=charger,
        connector=1,
        state="stopped",
        started_at="2026-11-01T00:00Z",
        stopped_at="2026-11-01T01:00Z",
        meter_start=0,
        checks='{"checks": [["samples", "agrees", "1 meter value shows 5 Wh until 2026-11-01 '
        '00:30 UTC"]]}',
    )
    keys = {"chargepoint": charger.pk, "connector": connector.pk, "transaction": session.pk}
    for path, words in OF_A_CHARGER.items():
        page = browser.get(
            path.format(keys[path.split("/")[3]]), headers={"accept-language": LANGUAGES[at]}
        ).content.decode()
        assert words[at] in page


def test_who_decides_about_a_session_reads_what_its_flags_mean(browser: Client) -> None:
    session = Transaction.objects.create(
        charge_point=ChargePoint.objects.create(identity="garage-1"),
        connector=1,
        state="orphaned",
        started_at="2026-11-01T00:00Z",
        stopped_at="2026-11-01T01:00Z",
        meter_start=0,
        energy=5_000,
        confidence="medium",
        flags="orphaned",
    )
    with transaction.atomic():
        settle([session.pk])
    address = f"/admin/billing/sessionprice/{session.pk}/decide/"
    page = browser.get(address, headers={"accept-language": "de"}).content.decode()
    with translation.override("de"):
        assert escape(gettext(MEANINGS["orphaned"].meaning)) in page
    assert "Entscheidung" in page


def test_the_menu_of_commands_is_known_to_the_catalogs() -> None:
    assert {*GROUPS, *(kind.title for kind in KINDS.values())} == {*COMMANDS}


# Of unfold: what Levity's pages have no place for.
UNSEEN = {
    *("Bold", "Code", "Heading", "Indent decrease", "Indent increase", "Italic", "Link"),
    *("Ordered list", "Paragraph", "Quote", "Redo", "Strike", "Underlined", "Undo", "Unlink"),
    *("Unordered list", "Dataset not found. No action performed.", "Select currency"),
    *("Select format", "You can not create nested object without parent"),
    "After you've created a user, you\u2019ll be able to edit more user options.",
    "Found %(counter)s result in %(time)s seconds",
    "%(class_name)s %(instance)s",
}


def test_whatever_unfold_says_is_translated() -> None:
    """It has no catalog of its own: "Apply Filters" stood on every German list."""
    place = Path(unfold.__file__).parent
    asked = {
        text
        for folder in (place / "templates" / "admin", place / "templates" / "unfold")
        for path in folder.rglob("*.html")
        for text in texts_of(path)
    }
    asked |= {
        text for path in (place / "contrib" / "filters").rglob("*.html") for text in texts_of(path)
    }
    assert len(asked) > 50
    for language in ("de", "nl"):
        with translation.override(language):
            same = {" ".join(text.split()) for text in asked if gettext(text) == text}
        # Words that are the same there.
        assert same - UNSEEN <= {"Name", "Filter", "Filters", "Home", "Status", "Details"}


def test_a_choice_counts_before_the_browser_and_the_site_after_it(
    browser: Client, settings: Any
) -> None:
    path = "/admin/billing/household/"
    settings.LANGUAGE_CODE = "nl"
    assert "Huishoudens" in browser.get(path, headers={"accept-language": "pl"}).content.decode()
    browser.post("/admin/language/", {"language": "fr"})
    assert "Foyers" in browser.get(path, headers={"accept-language": "de"}).content.decode()


def test_the_api_is_english_for_everybody(browser: Client) -> None:
    answer = browser.get("/api/v1/nothing", headers={"accept-language": "de"})
    assert answer.headers.get("Content-Language", "en") == "en"
    page = browser.get("/api/v1/households?limit=x", headers={"accept-language": "de"})
    assert "Zahl" not in page.content.decode()
