"""A report as a table: what the page shows, the CSV says and the API answers."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from levity.ocpp.decisions.spreadsheet_cells import safe_cell
from levity_ws.frozen import frozen

__all__ = ["Report", "csv_of", "csv_text", "hours", "kwh"]


@frozen
class Report:
    """One of them, of some days."""

    name: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Texts, numbers with a decimal point and without a unit: `head` has it."""
    names: int
    """So many columns, from the left, say what a row is about; the others are numbers."""
    plot: tuple[str, str, tuple[tuple[str, float], ...]] = ("", "", ())
    """What it draws, its unit, and (label, value) of each bar."""
    total: tuple[str, ...] = ()
    """Sums of all rows; empty where there are none."""
    note: str = ""
    kept_days: int = 0
    """For which there is a history to make it of; 0: no limit."""

    @property
    def drawn(self) -> str:
        """For the script that draws plots; empty where there is nothing to draw."""
        title, unit, bars = self.plot
        if not any(value for _, value in bars):
            return ""
        series = [{"name": title, "values": [round(value, 3) for _, value in bars]}]
        labels = [label for label, _ in bars]
        return json.dumps(
            {"kind": "bar", "unit": unit, "stacked": False, "labels": labels, "series": series}
        )


def csv_of(report: Report) -> Iterator[list[str]]:
    """Head and rows, safe to open in a spreadsheet; without the sums, which it adds up itself."""
    yield list(report.head)
    for row in report.rows:
        yield [*map(safe_cell, row[: report.names]), *row[report.names :]]


def csv_text(report: Report) -> str:
    """The same as the text of a file."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(csv_of(report))
    return text.getvalue()


def kwh(wh: Decimal | None) -> str:
    """Wh in kWh, to the Wh."""
    return "" if wh is None else f"{wh / 1000:.3f}"


def hours(span: timedelta) -> str:
    """In hours, to the hundredth."""
    return f"{span.total_seconds() / 3600:.2f}"
