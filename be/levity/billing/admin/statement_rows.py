"""Rows of the pages of statements, for people."""

from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext, gettext_noop

from levity.billing.admin.prices import said
from levity.billing.models import SessionPrice, StatementRun
from levity.billing.rules.money import rounded
from levity.billing.statements.drafting import Draft
from levity.billing.statements.texts import money
from levity.ocpp.models import Transaction
from levity.pages.kit.formats import change_link, kwh, local_time, site_zone
from levity.writing import language_or_english

__all__ = ["balance_rows", "days_shown", "draft_row", "house_row", "money_shown", "waiting_row"]

BALANCE = (
    ("billed", gettext_noop("billed to households")),
    ("common", gettext_noop("free, or borne by the house")),
    ("held", gettext_noop("held back: waits for a decision")),
    ("nobodys", gettext_noop("of cards and chargers that are nobody's")),
    ("excluded", gettext_noop("not billed: the figure was wrong, or nothing was charged")),
    ("carried", gettext_noop("carried over: sessions that had not ended")),
)


def days_shown(run: StatementRun) -> str:
    """Of a run: its first and its last day."""
    return gettext("%(first)s to %(last)s") % {"first": run.first_day, "last": run.last_day}


def money_shown(amount: Decimal, currency: str) -> str:
    """An amount with the decimals of its currency (ISO 4217), and its currency: 1,234.50 EUR."""
    language = language_or_english(get_language())
    return f"{money(str(rounded(amount, currency)), language)} {currency}"


def balance_rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The equation, a line each; the last is what the registers moved."""
    rows = [
        {
            "what": gettext(what),
            "kwh": kwh(Decimal(found[kind])),
            "sessions": found["sessions"][kind],
        }
        for kind, what in BALANCE
    ]
    rows.append({"what": gettext("between sessions"), "kwh": kwh(Decimal(found["outside"]))})
    if Decimal(found["difference"]):
        what = gettext("registers and figures differ: corrected or estimated sessions")
        rows.append({"what": gettext(what), "kwh": kwh(Decimal(found["difference"]))})
    moved = kwh(Decimal(found["moved"]))
    return [*rows, {"what": gettext("what the meters moved"), "kwh": moved, "is_sum": True}]


def house_row(
    found: dict[str, Any], first: Decimal | None, last: Decimal | None
) -> dict[str, Any] | None:
    """The house meter beside it, if it was read."""
    if first is None or last is None:
        return None
    house = (last - first) * 1000
    return {
        "first": kwh(first * 1000),
        "last": kwh(last * 1000),
        "house": kwh(house),
        "difference": kwh(house - Decimal(found["moved"])),
    }


def draft_row(draft: Draft) -> dict[str, Any]:
    """A statement as it would be closed."""
    taken_back = sum(1 for entry in draft.entries if entry.position.sign < 0)
    sums = draft.sums
    return {
        "household": str(draft.household),
        "sessions": len(draft.entries) - taken_back,
        "taken_back": taken_back,
        "kwh": kwh(draft.wh),
        "fees": len(draft.fees),
        "net": money_shown(sums.net, draft.currency),
        "tax": money_shown(sums.tax, draft.currency),
        "gross": money_shown(sums.gross, draft.currency),
    }


def waiting_row(row: SessionPrice, here: str) -> dict[str, Any]:
    """A session that waits, and the way to decide about it; it leads back `here`."""
    page = reverse("levity:billing_sessionprice_decide", args=[row.pk])
    zone = site_zone(row.transaction)
    return {
        "session": change_link(Transaction, row.pk, f"#{row.pk}"),
        "charger": str(row.transaction.charge_point),
        "ended": local_time(row.ended_at, zone),
        "id_tag": row.transaction.id_tag,
        "household": str(row.household or ""),
        "kwh": kwh(row.wh),
        "why": " ".join(filter(None, (said(row.reason), row.detail))),
        "decide": f"{page}?{urlencode({'next': here})}",
    }
