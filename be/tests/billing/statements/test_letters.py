"""Names of Europe stand on statements as they are written."""

import io

import pytest
from pypdf import PdfReader
from reportlab.pdfbase.ttfonts import TTFontFile

from levity.billing.statements.fonts import (
    DEJAVU,
    FOLDER,
    RANGES,
    STANDARD,
    face_for,
    unprintable,
)
from levity.billing.statements.pdf import pdf_of
from tests.billing.accounting.test_invoice import line, statement, tax

NAMES = (
    "Ελένη Παπαδοπούλου",
    "Дмитро Шевченко",
    "Łukasz Żółć",
    "İbrahim Y\u0131ld\u0131z",
    "Þórður",
)


def document(name, **values):
    found = statement(line("4.00", "10", "0.40"), taxes=[tax("4.00", "0.76", "4.76")], **values)
    found["issuer"]["address"] = "Main Street 1"
    found["household"] |= {"name": name, "flat": "3", "parking": ""}
    return found | {"before": None, "wh": "10000", "time_zone": "Europe/Berlin"}


def text_of(content):
    return PdfReader(io.BytesIO(content)).pages[0].extract_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_read_as_it_was_entered(name):
    content = pdf_of(document(name))
    assert name in text_of(content)
    # Only the letters that are used are in it.
    assert len(content) < 60_000
    assert content == pdf_of(document(name))


def test_what_the_standard_fonts_have_embeds_nothing():
    content = pdf_of(document("Änne Müller, 10 €"))
    assert face_for(document("Änne Müller, 10 €")) is STANDARD
    assert b"FontFile2" not in content
    assert len(content) < 6_000


def test_letters_of_other_scripts_are_question_marks_and_known_before():
    name = "李 Łi عمر"
    assert unprintable(name) == "".join(sorted("李عمر"))
    assert "? Łi ???" in text_of(pdf_of(document(name)))
    assert unprintable(*NAMES, "a\nb\u202f") == ""


def test_the_font_files_have_all_that_is_promised():
    for name in (DEJAVU.regular, DEJAVU.bold):
        has = TTFontFile(str(FOLDER / f"{name}.ttf")).charToGlyph
        promised = (chr(sign) for first, last in RANGES for sign in range(first, last + 1))
        lacking = [sign for sign in promised if not unprintable(sign) and ord(sign) not in has]
        assert lacking == []
