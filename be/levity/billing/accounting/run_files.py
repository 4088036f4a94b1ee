"""What accountants get of a closed run: all invoices as a ZIP file, the bookings for DATEV, and the
direct debits of those who have signed a mandate."""

import io
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from levity.billing.accounting import datev
from levity.billing.accounting.invoice import Cannot
from levity.billing.accounting.making import INVOICES, ask_child, invoices_of, need_extras
from levity.billing.accounting.parties import creditor_of
from levity.billing.models import Debtor, DirectDebit, Issuer, Statement, StatementRun
from levity.billing.statements.files import EARLIEST, name_of_file
from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import NotPossible, check

__all__ = ["COLLECT", "collected", "datev_of", "invoices_zip"]

COLLECT = "billing.add_directdebit"
VIEW = "billing.view_statement"
SOONEST, LATEST = timedelta(days=1), timedelta(days=365)
LONGEST_END_TO_END, LONGEST_TEXT = 35, 140


def invoices_zip(run: StatementRun, what: str, who: Who) -> bytes:
    """All statements of a run as `xrechnung` or `facturx`. Raises `NotPossible`."""
    check(run, who, VIEW)
    _, suffix = INVOICES[what]
    rows = list(run.statements.select_related("household", "run__issuer").order_by("pk"))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for statement, content in invoices_of(rows, what):
            name = zipfile.ZipInfo(f"{name_of_file(statement.label)}.{suffix}", EARLIEST)
            name.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(name, content)
    return target.getvalue()


def datev_of(run: StatementRun, who: Who) -> bytes:
    """The booking batch of a run. Raises `NotPossible` with what is missing."""
    check(run, who, VIEW)
    creditor = creditor_of(run.issuer)
    rows = list(run.statements.select_related("household").order_by("pk"))
    accounts = dict(
        Debtor.objects.filter(household__in={row.household_id for row in rows}).values_list(
            "household", "account"
        )
    )
    bookings = [
        datev.Booking(
            Decimal(each["gross"]),
            row.currency,
            Decimal(each["vat"]),
            accounts.get(row.household_id, ""),
            row.document["household"]["name"],
            date.fromisoformat(row.document["closed_on"]),
            row.label,
        )
        for row in rows
        for each in row.document["taxes"]
    ]
    try:
        return datev.batch_of(
            bookings,
            consultant=creditor.consultant,
            client=creditor.client,
            accounts=creditor.accounts(),
            made_at=timezone.localtime(),
            name=f"Levity {run.first_day:%d.%m.%Y}",
        )
    except Cannot as error:
        raise NotPossible(error.text, about=error.about, **error.words) from error


def collected(run: StatementRun, day: date, who: Who, *, again: bool = False) -> DirectDebit:
    """The file for the bank: what households with a mandate owe for this run, collected on this
    day. Made once; `again` makes another, which the bank would collect a second time.

    Raises `NotPossible`.
    """
    check(run, who, COLLECT)
    today = timezone.localdate()
    if not today + SOONEST <= day <= today + LATEST:
        raise NotPossible(gettext_noop("the day of collection is after today, and within a year"))
    need_extras()
    creditor = creditor_of(run.issuer)
    if not (creditor.iban and creditor.creditor_id):
        raise NotPossible(
            gettext_noop(
                "the issuer has no IBAN or no creditor identifier: enter both with its accounting "
                "data"
            )
        )
    with transaction.atomic():
        # One at a time.
        Issuer.objects.select_for_update(of=("self",), no_key=True).get(pk=run.issuer_id)
        if not again and DirectDebit.objects.filter(run=run).exists():
            raise NotPossible(
                gettext_noop(
                    "there is a file of this run already: take that one, or say that it was never "
                    "sent"
                )
            )
        payments = list(_payments(run))
        if not payments:
            raise NotPossible(
                gettext_noop("no household of this run owes something and has a mandate")
            )
        [content] = ask_child(
            [
                {
                    "what": "debit",
                    "name": run.issuer.name,
                    "iban": creditor.iban,
                    "creditor_id": creditor.creditor_id,
                    "collect_on": day.isoformat(),
                    "payments": payments,
                }
            ],
            ["direct debits"],
        )
        made = DirectDebit.objects.create(
            run=run,
            collect_on=day,
            payments=len(payments),
            total=Decimal(sum(each["cents"] for each in payments)) / 100,
            sha256=sha256(content).hexdigest(),
            content=content,
            made_by="" if who is None else who.get_username()[:150],
        )
        said = {"collect_on": day, "payments": made.payments, "total": str(made.total)}
        note(who, [run], "direct debits made", {}, said)
    return made


def _payments(run: StatementRun) -> list[dict[str, Any]]:
    mandates = {
        row.household_id: row
        for row in Debtor.objects.filter(household__statements__run=run).exclude(mandate="")
    }
    rows = run.statements.filter(
        household__in=mandates, currency="EUR", gross__gt=0
    ).select_related("household")
    return [_payment(row, mandates[row.household_id]) for row in rows.order_by("pk")]


def _payment(row: Statement, mandate: Debtor) -> dict[str, Any]:
    assert mandate.signed_on is not None
    days = f"{row.run.first_day} - {row.run.last_day}"
    return {
        "name": mandate.holder or row.household.name,
        "iban": mandate.iban,
        "cents": int(row.gross * 100),
        "mandate": mandate.mandate,
        "signed_on": mandate.signed_on.isoformat(),
        "number": row.label[:LONGEST_END_TO_END],
        "text": f"{row.label} {days}"[:LONGEST_TEXT],
    }
