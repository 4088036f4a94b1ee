"""Transactions as CSV, row by row, safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from levity.ocpp.decisions.spreadsheet_cells import safe_cell
from levity.ocpp.models import Transaction
from levity.ocpp.rules.flags import class_of
from levity.pages.chargers.owners import with_owner
from levity.pages.kit.formats import UNKNOWN_PAYER, site_zone

__all__ = ["CHUNK", "cell", "csv_response", "local_cell", "rows_of", "streamed_csv", "utc_cell"]

CHUNK = 1_000


class _Echo:
    """What csv writes to: hands the line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def csv_response(transactions: QuerySet[Transaction], user: Any) -> StreamingHttpResponse:
    """All these, one chunk in memory at a time; with their owners, if `user` may see them."""
    return streamed_csv(rows_of(with_owner(transactions, user)), "transactions")


def streamed_csv(rows: Iterable[Sequence[str]], what: str) -> StreamingHttpResponse:
    """These rows as a file that names what it holds, and when; texts have passed `cell`."""
    writer = csv.writer(_Echo())
    name = f"{what}-{timezone.localtime():%Y%m%d-%H%M}.csv"
    return StreamingHttpResponse(
        (writer.writerow(row) for row in rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def rows_of(transactions: QuerySet[Transaction], zone: tzinfo | None = None) -> Iterator[list[str]]:
    """The header, then a row for each transaction, which knows its owner and group; local times in
    this time zone, or else in that of the site."""
    yield [
        "transaction",
        "charge point",
        "name",
        "connector",
        "id tag",
        "owner",
        "group",
        "state",
        "started (UTC)",
        "started (local)",
        "stopped (UTC)",
        "stopped (local)",
        "start received (UTC)",
        "stop received (UTC)",
        "duration (s)",
        "meter start (Wh)",
        "meter stop (Wh)",
        "energy (kWh)",
        "energy not counted (kWh)",
        "energy from",
        "confidence",
        "stop reason",
        "stop id tag",
        "flags",
        "before billing",
    ]
    rows = transactions.select_related("charge_point__site")
    for item in rows.iterator(chunk_size=CHUNK):
        span = (item.stopped_at - item.started_at).total_seconds() if item.stopped_at else None
        local = zone or site_zone(item)
        yield [
            str(item.pk),
            cell(item.charge_point.identity),
            cell(item.charge_point.name),
            str(item.connector or ""),
            cell(item.id_tag or UNKNOWN_PAYER),
            cell(item.owner),  # type: ignore[attr-defined]  # annotated
            cell(item.group),  # type: ignore[attr-defined]
            item.state,
            utc_cell(item.started_at),
            local_cell(item.started_at, local),
            utc_cell(item.stopped_at),
            local_cell(item.stopped_at, local),
            utc_cell(item.start_received_at),
            utc_cell(item.stop_received_at),
            "" if span is None else f"{span:.0f}",
            _number(item.meter_start),
            _number(item.meter_stop),
            # What can't be true, and what a demo showed, is in no sum of the column.
            _kwh(item.energy if item.is_counted else None),
            _kwh(None if item.is_counted else item.energy),
            cell(item.energy_source),
            cell(item.confidence),
            cell(item.stop_reason),
            cell(item.stop_id_tag),
            cell(item.flags),
            class_of(item.flags, item.confidence),
        ]


def cell(text: Any) -> str:
    """A text that a spreadsheet takes for text, whatever a charger or a person wrote."""
    return safe_cell(str(text))


def _kwh(wh: Decimal | None) -> str:
    return "" if wh is None else f"{wh / 1000:.3f}"


def _number(value: Decimal | None) -> str:
    return "" if value is None else f"{value:.3f}"


def utc_cell(moment: datetime | None) -> str:
    """In UTC, without a zone: the column says so."""
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def local_cell(moment: datetime | None, zone: tzinfo | None) -> str:
    """In the time zone of the charger's site, with its offset from UTC, so that nobody guesses."""
    if moment is None:
        return ""
    return timezone.localtime(moment, zone).isoformat(" ", "seconds")
