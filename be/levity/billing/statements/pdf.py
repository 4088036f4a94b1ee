"""Statements as PDF, by reportlab: A4, the same bytes for the same statement.

A program of its own, which reads a document (levity.billing.statements.documents) a line and writes
a PDF for each, its length in eight hexadecimal digits before it. What makes pages needs memory that
a server on a small computer would never give back; see ADR "statements are made beside".
"""

import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from levity.billing.statements.fonts import face_for
from levity.billing.statements.styles import Styles
from levity.billing.statements.texts import (
    TEXTS,
    day,
    energy,
    language_of,
    moments,
    money,
    number,
    price,
)

__all__ = ["main", "pdf_of"]

# From one end to another, and where nothing is known: with dashes, as people write it.
TO, NOTHING = " \u2013 ", "\u2013"
LINES = TableStyle(
    [
        ("LINEBELOW", (0, 0), (-1, 0), 0.6, colors.black),
        ("LINEBELOW", (0, 1), (-1, -1), 0.2, colors.lightgrey),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 2),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
    ]
)


def pdf_of(document: Mapping[str, Any]) -> bytes:
    """The PDF of this statement."""
    page = _Page(document)
    target = io.BytesIO()
    template = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=20 * mm,
        rightMargin=15 * mm,
        topMargin=18 * mm,
        bottomMargin=20 * mm,
        # Read by programs, which know all letters.
        title=f"{page.say('statement')} {document['number']}",
        author=document["issuer"]["name"],
        invariant=1,
    )
    template.build(page.story(), canvasmaker=page.numbered())
    return target.getvalue()


def main(source: BinaryIO, target: BinaryIO) -> None:
    """Each line a document, each answer its length and the PDF."""
    for line in source:
        made = pdf_of(json.loads(line))
        target.write(f"{len(made):08x}".encode() + made)
        target.flush()


class _Page:
    """What one statement shows, from top to bottom."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.language = language_of(document)
        self.texts = TEXTS[self.language]
        self.face = face_for(document)
        self.styles = Styles(self.face)

    def say(self, name: str, **values: str) -> str:
        return self.texts[name].format(**values)

    def line(self, text: str, style: ParagraphStyle) -> Paragraph:
        """A paragraph, whose text is XML."""
        return Paragraph(escape(self.face.write(text)), style)

    def story(self) -> list[Flowable]:
        found = [*self._head(), *self._sums()]
        if self.document["sessions"]:
            found += [
                self.line(self.say("sessions"), self.styles.section),
                self._sessions(),
                *self._notes(),
            ]
        return found

    def numbered(self) -> Callable[..., Canvas]:
        """A canvas that knows how many pages there are when it writes the feet."""
        page = self

        class Numbered(Canvas):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                self._pages: list[dict[str, Any]] = []

            def showPage(self) -> None:  # noqa: N802  (reportlab's)
                self._pages.append(dict(self.__dict__))
                self._startPage()

            def save(self) -> None:
                for at, kept in enumerate(self._pages, 1):
                    self.__dict__.update(kept)
                    self.setFont(page.face.regular, 7.5 * page.face.scale)
                    foot = page.say("page", at=str(at), of=str(len(self._pages)))
                    self.drawRightString(A4[0] - 15 * mm, 10 * mm, page.face.write(foot))
                    left = f"{page.document['issuer']['name']}   {page.document['number']}"
                    self.drawString(20 * mm, 10 * mm, page.face.write(left))
                    super().showPage()
                super().save()

        return Numbered

    def _head(self) -> list[Flowable]:
        document, issuer, household = (
            self.document,
            self.document["issuer"],
            self.document["household"],
        )
        own = [issuer["name"], *issuer["address"].splitlines()]
        whose = [household["name"]]
        for name in ("flat", "parking"):
            if household[name]:
                whose.append(f"{self.say(name)}: {household[name]}")
        days = TO.join(day(document[name], self.language) for name in ("first_day", "last_day"))
        facts = [
            (self.say("number"), document["number"]),
            (self.say("dated"), day(document["closed_on"], self.language)),
            (self.say("period"), days),
        ]
        if issuer["tax_number"]:
            facts.append((self.say("tax_number"), issuer["tax_number"]))
        table = Table(
            [
                [
                    self.line(name, self.styles.small),
                    self.line(what, self.styles.small),
                ]
                for name, what in facts
            ],
            colWidths=[28 * mm, 50 * mm],
        )
        table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP")]))
        both = Table(
            [[[self.line(line, self.styles.text) for line in whose], table]],
            colWidths=[95 * mm, 80 * mm],
            hAlign="LEFT",
        )
        both.setStyle(
            TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, 0), 0)])
        )
        return [
            *(self.line(line, self.styles.small) for line in own),
            Spacer(1, 10 * mm),
            both,
            Spacer(1, 8 * mm),
            self.line(f"{self.say('statement')} {document['number']}", self.styles.title),
        ]

    def _sums(self) -> list[Flowable]:
        document, currency = self.document, self.document["currency"]
        head = [self.say(name) for name in ("what", "quantity", "price", "vat", "amount")]
        rows = [
            [
                " ".join(filter(None, (self.say(f"kind {line['kind']}"), line["name"]))),
                self._quantity(line),
                price(line["price"], self.language) if line["price"].strip("0.") else "",
                f"{_percent(line['vat'], self.language)} %",
                f"{money(line['amount'], self.language)} {currency}",
            ]
            for line in (*document["bands"], *document["fees"])
        ]
        table = self._table(head, rows, (70, 32, 25, 18, 30), right=(1, 2, 3, 4))
        totals = [(self.say("net"), document["net"])]
        totals += [
            (f"{self.say('vat')} {_percent(each['vat'], self.language)} %", each["tax"])
            for each in document["taxes"]
            if each["vat"].strip("0.")
        ]
        is_credit = document["gross"].startswith("-")
        totals.append((self.say("credit" if is_credit else "gross"), document["gross"].lstrip("-")))
        below = Table(
            [
                [
                    self.line(name, self.styles.bold),
                    self.line(f"{money(value, self.language)} {currency}", self.styles.bold),
                ]
                for name, value in totals
            ],
            colWidths=[135 * mm, 40 * mm],
            hAlign="LEFT",
        )
        tax = "tax_included" if document["tax_included"] else "tax_on_top"
        notes = [self.say(tax)]
        if Decimal(document["wh"]) > 0:
            mean = Decimal(document["gross"]) * 1000 / Decimal(document["wh"])
            notes.append(f"{self.say('mean')}: {number(mean, 4, self.language)} {currency}/kWh.")
        if before := document["before"]:
            days = TO.join(day(before[name], self.language) for name in ("first_day", "last_day"))
            notes.append(
                f"{self.say('before')} ({days}): {energy(before['wh'], self.language)} kWh."
            )
        found: list[Flowable] = [
            self.line(self.say("sums"), self.styles.section),
            table,
            KeepTogether([Spacer(1, 2 * mm), below]),
            *(self.line(note, self.styles.small) for note in notes),
        ]
        if document["payment_text"]:
            found.append(self.line(self.say("payment"), self.styles.section))
            found += [
                self.line(line, self.styles.text) for line in document["payment_text"].splitlines()
            ]
        return found

    def _sessions(self) -> Flowable:
        names = ("start", "end", "charger", "registers", "energy", "tariff", "amount")
        rows = []
        for each in self.document["sessions"]:
            rows.append(
                [
                    *moments(each.get("start", ""), each.get("end", ""), self.language),
                    self._place(each),
                    self._registers(each),
                    f"{energy(each['wh'], self.language)} kWh{self._marks(each)}",
                    self._tariff(each),
                    f"{money(each['amount'], self.language)} {self.document['currency']}",
                ]
            )
        head = [self.say(name) for name in names]
        return self._table(head, rows, (25, 25, 26, 38, 24, 20, 17), right=(4, 6))

    def _notes(self) -> list[Flowable]:
        notes = [self.say("times", zone=self.document["time_zone"])]
        marks = {mark for each in self.document["sessions"] for mark in each.get("marks", ())}
        notes += [self.say(mark) for mark in ("estimated", "corrected", "signed") if mark in marks]
        return [Spacer(1, 2 * mm), self.line("   ".join(notes), self.styles.small)]

    def _place(self, each: Mapping[str, Any]) -> str:
        connector = f"/{each['connector']}" if each.get("connector") else ""
        return f"{each.get('charger', NOTHING)}{connector}"

    def _registers(self, each: Mapping[str, Any]) -> str:
        ends = (each.get("meter_start"), each.get("meter_stop"))
        return TO.join("?" if end is None else energy(end, self.language) for end in ends)

    def _tariff(self, each: Mapping[str, Any]) -> str:
        if each["sign"] < 0:
            return self.say("correction_of", number=each.get("correction_of", ""))
        return str(each.get("tariff", ""))

    def _marks(self, each: Mapping[str, Any]) -> str:
        marks = [self.say(f"mark_{mark}") for mark in each.get("marks", ())]
        return f" ({', '.join(marks)})" if marks else ""

    def _quantity(self, line: Mapping[str, str]) -> str:
        decimals = {"kWh": 3, "min": 1, "month": 2}.get(line["unit"], 0)
        unit = self.say(f"unit {line['unit']}")
        return f"{number(line['quantity'], decimals, self.language)} {unit}".strip()

    def _table(
        self,
        head: Sequence[str],
        rows: Sequence[Sequence[str]],
        widths: Sequence[int],
        right: Sequence[int],
    ) -> Table:
        def cells(
            texts: Sequence[str], left: ParagraphStyle, at_right: ParagraphStyle
        ) -> list[Any]:
            return [
                self.line(text, at_right if at in right else left) for at, text in enumerate(texts)
            ]

        content = [
            cells(head, self.styles.head, self.styles.head_right),
            *(cells(row, self.styles.small, self.styles.right) for row in rows),
        ]
        table = Table(
            content, colWidths=[width * mm for width in widths], repeatRows=1, hAlign="LEFT"
        )
        table.setStyle(LINES)
        return table


def _percent(vat: str, language: str) -> str:
    """19, or 5,5."""
    text = vat.rstrip("0").rstrip(".") if "." in vat else vat
    return number(vat, len(text.partition(".")[2]), language)


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
