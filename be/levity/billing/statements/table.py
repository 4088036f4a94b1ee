"""A statement as CSV: a line for each session and fee, as the household's spreadsheet reads it."""

import csv
import io
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from levity.billing.statements.texts import language_of
from levity.ocpp.decisions.spreadsheet_cells import safe_cell

__all__ = ["csv_of"]

COLUMNS = (
    *("number", "household", "flat", "kind", "session", "start", "end", "charger", "connector"),
    *("id tag", "meter start (kWh)", "meter stop (kWh)", "energy (kWh)", "tariff", "marks"),
    *("correction of", "amount", "currency"),
)


def csv_of(document: Mapping[str, Any]) -> bytes:
    """UTF-8 with a mark that Excel knows it by; with semicolons and decimal commas for those whose
    spreadsheets have them."""
    is_english = language_of(document) == "en"
    target = io.StringIO()
    writer = csv.writer(target, delimiter="," if is_english else ";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in _rows(document, "." if is_english else ","):
        writer.writerow(row)
    return b"\xef\xbb\xbf" + target.getvalue().encode()


def _rows(document: Mapping[str, Any], point: str) -> Any:
    household = document["household"]
    whose = [
        safe_cell(document["number"]),
        safe_cell(household["name"]),
        safe_cell(household["flat"]),
    ]

    def number(value: Any) -> str:
        return "" if value is None else f"{value}".replace(".", point)

    def kwh(wh: str | None) -> str:
        return "" if wh is None else number(f"{Decimal(wh) / 1000:.3f}")

    for each in document["sessions"]:
        yield [
            *whose,
            "session" if each["sign"] > 0 else "correction",
            each["session"],
            each.get("start", ""),
            each.get("end", ""),
            safe_cell(each.get("charger", "")),
            each.get("connector") or "",
            safe_cell(each.get("id_tag", "")),
            kwh(each.get("meter_start")),
            kwh(each.get("meter_stop")),
            kwh(each["wh"]),
            safe_cell(each.get("tariff", "")),
            " ".join(each.get("marks", ())),
            safe_cell(each.get("correction_of", "")),
            number(each["amount"]),
            document["currency"],
        ]
    for line in document["fees"]:
        blank = [""] * 12
        name = " ".join(filter(None, (line["kind"], line["name"])))
        yield [*whose, safe_cell(name), *blank, number(line["amount"]), document["currency"]]
