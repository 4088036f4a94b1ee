"""The chain of a connector as a table: sessions and what lies between, in the order of time."""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from decimal import Decimal

from django.utils.translation import gettext

from levity.ocpp.models import Transaction
from levity.ocpp.rules.flags import class_of
from levity.pages.chargers.chain import Chain
from levity.pages.chargers.csv_export import cell, local_cell, utc_cell
from levity.pages.chargers.facts_said import fact_said
from levity.pages.kit.formats import UNKNOWN_PAYER, kwh
from levity_ws.frozen import frozen

__all__ = ["Row", "csv_rows", "rows_of"]


@frozen
class Row:
    """A session, or a stretch of the register that lies in none; Wh."""

    since: datetime
    until: datetime
    wh_from: Decimal | None
    wh_until: Decimal | None
    note: str
    item: Transaction | None = None
    """None: energy in no session."""

    @property
    def moved(self) -> Decimal | None:
        """What the register moved, where it did not begin anew."""
        if self.wh_from is None or self.wh_until is None or self.wh_until < self.wh_from:
            return None
        return self.wh_until - self.wh_from


def rows_of(chain: Chain) -> list[Row]:
    """All that is drawn, but for single samples."""
    shared: dict[int, list[str]] = {}
    for each in chain.overlaps:
        one, other = each.first.item.pk, each.second.item.pk
        shared.setdefault(one, []).append(_also(each.wh, other))
        shared.setdefault(other, []).append(_also(each.wh, one))
    rows = [
        Row(gap.since, gap.until, gap.wh_from, gap.wh_until, fact_said(gap.evidence, None))
        for gap in chain.gaps
    ]
    for session in chain.sessions:
        notes = [gettext("the register begins anew")] if session.anew else []
        if session.interval.by_session:
            notes.append(gettext("its register counts from its own start"))
        notes += shared.get(session.item.pk, [])
        last = session.pieces[-1][-1].wh if session.pieces else None
        rows.append(
            Row(
                session.since,
                session.until,
                session.low,
                last if session.high is None else session.high,
                "; ".join(notes),
                session.item,
            )
        )
    return sorted(rows, key=lambda row: (row.since, row.until))


def csv_rows(rows: list[Row], zone: tzinfo | None) -> Iterator[list[str]]:
    """The header, then a line for each of these."""
    yield [
        "kind",
        "transaction",
        "id tag",
        "from (UTC)",
        "from (local)",
        "to (UTC)",
        "to (local)",
        "register from (Wh)",
        "register to (Wh)",
        "register moved (Wh)",
        "energy (kWh)",
        "confidence",
        "before billing",
        "flags",
        "note",
    ]
    for row in rows:
        item = row.item
        yield [
            "session" if item else "unassigned",
            str(item.pk) if item else "",
            cell(item.id_tag or UNKNOWN_PAYER) if item else "",
            utc_cell(row.since),
            local_cell(row.since, zone),
            utc_cell(row.until),
            local_cell(row.until, zone),
            _number(row.wh_from),
            _number(row.wh_until),
            _number(row.moved),
            "" if item is None or item.energy is None else f"{item.energy / 1000:.3f}",
            cell(item.confidence) if item else "",
            class_of(item.flags, item.confidence) if item else "",
            cell(item.flags) if item else "",
            cell(row.note),
        ]


def _also(wh: Decimal, other: int) -> str:
    text = gettext("%(energy)s of it also in #%(session)s")
    return text % {"energy": kwh(wh), "session": other}


def _number(wh: Decimal | None) -> str:
    return "" if wh is None else f"{wh:.3f}"
