"""Thirty residents from an Excel list: what it would do, every wrong line, and then done."""

import csv
import html
import io
from datetime import date

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile

from levity.billing.households_csv import BadFile, export_lines, import_households, read_households
from levity.billing.models import Assignment, Household
from levity.ocpp.deciding import NotAllowed
from levity.ocpp.models import AuditEntry, ChargePoint, Site

pytestmark = pytest.mark.django_db
FILE = (
    "Haushalt;Wohnung;E-Mail;Sprache;Karten;Ladepunkt;Einzug\n"
    "Müller;3 links;anna@example.org;deutsch;04AA;;01.11.2026\n"
    "Smith;EG;;en;;garage-1#2;2026-11-15\n"
)


@pytest.fixture
def charger():
    return ChargePoint.objects.create(identity="garage-1")


def problems(text):
    return [str(problem) for problem in read_households(text).problems]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16", "utf-8-sig"])
def test_a_list_as_excel_saves_it(charger, encoding):
    done = import_households(FILE.encode(encoding), None)
    assert (done.problems, done.new, done.assignments) == ([], 2, 2)
    anna, smith = Household.objects.order_by("pk")
    assert (anna.name, anna.flat, anna.language) == ("Müller", "3 links", "de")
    card, place = Assignment.objects.order_by("pk")
    assert (card.household, card.id_tag, card.first_day) == (anna, "04AA", date(2026, 11, 1))
    assert (place.household, place.charge_point, place.connector) == (smith, charger, 2)
    assert AuditEntry.objects.filter(what="added by a CSV import").count() == 2


def test_the_same_file_again_changes_nothing_but_what_differs(charger):
    import_households(FILE.encode(), None)
    again = import_households(FILE.replace("anna@", "anne@").encode(), None)
    assert (again.new, again.changed, again.assignments) == (0, 2, 0)
    assert Household.objects.get(flat="3 links").email == "anne@example.org"
    assert Assignment.objects.count() == 2


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("A;;;;4.11E+13;;", "lost its last digits"),
        ("A;;;;;nowhere;", "no charge point 'nowhere'"),
        ("A;;;;;garage-1#x;", "write the connector"),
        ("A;;nobody;;;;", "no e-mail address"),
        ("A;;;klingon;;;", "none of en, de, fr, nl"),
        ("A;;;;04BB;;gestern", "first_day 'gestern' is not a date"),
        (";;;;04BB;;", "there is no name"),
        ("B;;;;04AA;;01.11.2026", "id tag 04AA is already line 2's"),
    ],
)
def test_every_wrong_line_is_named_and_nothing_is_written(charger, line, what):
    done = import_households((FILE + line + "\n").encode(), None)
    assert len(done.problems) == 1
    assert str(done.problems[0]).startswith("line 4: ")
    assert what in str(done.problems[0])
    assert not Household.objects.exists()


def test_what_another_household_has_is_not_given_away(charger):
    import_households(FILE.encode(), None)
    said = problems("name,flat,id_tags,first_day\nNew,1,04aa,2026-12-01\n")
    assert said == ["line 2: id tag 04aa is already Müller, 3 links's on these days"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("colour;name\nred;A\n", "unknown column “colour”"),
        ("flat;email\n1;a@b.c\n", "at least name"),
        ("name;household\nA;B\n", "two columns mean name"),
        ("", "at least name"),
    ],
)
def test_a_file_that_is_no_list_of_households(text, what):
    with pytest.raises(BadFile, match=what):
        read_households(text)


def test_what_is_exported_comes_in_again(charger):
    Site.objects.create(name="Garage")
    import_households(FILE.encode(), None)
    Household.objects.filter(flat="EG").update(name="=Smith", members="Ann\nBob")
    out = io.StringIO()
    csv.writer(out).writerows(export_lines(Household.objects.order_by("pk")))
    Assignment.objects.all().delete()
    Household.objects.all().delete()
    done = import_households(out.getvalue().encode(), None)
    assert (done.problems, done.new, done.assignments) == ([], 2, 2)
    assert Household.objects.get(flat="EG").name == "=Smith"
    assert Household.objects.get(flat="EG").members == "Ann\nBob"


def test_who_may_not_change_households_imports_none(charger):
    nobody = get_user_model().objects.create_user("nobody")
    with pytest.raises(NotAllowed):
        import_households(FILE.encode(), nobody)


def test_a_page_says_what_is_wrong_in_the_language_of_its_reader(admin_client):
    import_households(b"name,id_tags,first_day\nAnna,04AA,2026-01-01\n", None)
    wrong = (
        "name;id_tags;first_day\nMüller;4.11E+13;\nB;;31.31.2026\nC;;3/4/2026\nD;04aa;\n"
    ).encode("cp1252")

    def told(data: bytes) -> str:
        answer = admin_client.post(
            "/admin/billing/household/import/",
            {"file": SimpleUploadedFile("list.csv", data)},
            headers={"accept-language": "de"},
        )
        return html.unescape(answer.content.decode())

    page = told(wrong)
    assert "Zeile 2: die Ladekarte '4.11E+13' hat in einer Tabellenkalkulation" in page
    assert "Zeile 3: first_day '31.31.2026' ist weder Datum noch Uhrzeit" in page
    assert "Zeile 4: first_day '3/4/2026': 3 und 4 können beide Tag oder Monat sein" in page
    assert "Zeile 5: Ladekarte 04aa gehört an diesen Tagen schon zu Anna" in page
    assert "wurde als Windows-1252 gelesen, zum Beispiel „Müller“" in told(
        "name\nMüller\n".encode("cp1252")
    )
    assert "Unbekannte Spalte “colour”" in told(b"name;colour\n")


def test_where_there_is_one_site_households_of_a_list_without_that_column_are_of_it(charger):
    """Thirty households had no site, so that their monthly fee was on no statement."""
    garage = Site.objects.create(name="Garage")
    import_households(FILE.encode(), None)
    assert set(Household.objects.values_list("site", flat=True)) == {garage.pk}
    Household.objects.filter(flat="EG").update(site=None)
    import_households(FILE.encode(), None)
    # What somebody has decided since is not undone.
    assert Household.objects.get(flat="EG").site is None
    import_households(b"name;site\nNobody's;\n", None)
    assert Household.objects.get(name="Nobody's").site is None
    Site.objects.create(name="Yard")
    import_households(b"name\nOf which?\n", None)
    assert Household.objects.get(name="Of which?").site is None
